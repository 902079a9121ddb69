#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# foo.c exports foo_ names only, and no data that can be written.
use strict;
use warnings;
use FindBin;
use Test::More tests => 1;

my $top = "$FindBin::Bin/..";
my $build = $ENV{TOP_BUILDDIR} // (-e './libbase.a' ? '.' : "$top/build");
my $said = `'$^X' $top/scripts/check-symbols $build $top 2>&1`;
is $?, 0, 'exported names begin with the name of their module' or diag $said;
