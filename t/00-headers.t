#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A header is a page a stranger can use: it compiles alone and explains its functions.
use strict;
use warnings;
use FindBin;
use Test::More tests => 1;

my $top = "$FindBin::Bin/..";
my $said = `'$^X' $top/scripts/check-headers $top 2>&1`;
is $?, 0, 'headers compile alone and comment each function' or diag $said;
