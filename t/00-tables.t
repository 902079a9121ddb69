#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What a table says is documented, and used.
use strict;
use warnings;
use FindBin;
use Test::More tests => 1;

my $top = "$FindBin::Bin/..";
my $said = `'$^X' $top/scripts/check-tables $top 2>&1`;
is $?, 0, 'every row of every table is documented and used' or diag $said;
