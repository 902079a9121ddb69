#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The modules of the page that use no document, in Node.js: web/test/*.test.mjs.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(lacks run);
use Page;
use Test::More;

run(['node', '--version'])->{status} == 0 or lacks 'there is no Node.js';
my $folder = Page::folder() or lacks 'the packages of web/package-lock.json are not there';

my $r = run(['node', '--test', sort glob "$folder/test/*.test.mjs"], timeout => 120);
my @results = $r->{out} =~ /^\s*((?:not )?ok \d+ - .*)/mg;
cmp_ok scalar @results, '>', 0, 'the tests of the page ran';
for (@results) {
	my ($not, $name) = /^(not )?ok \d+ - (.*)/;
	ok !$not, $name;
}
is $r->{status}, 0, 'Node.js says that all tests passed' or diag $r->{out};
done_testing;
