#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What each story of the page checks at its end: that it finds what is wrong.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(run);
use Page;
use Test::More;

Page::needs_browser();
my $r = run(['node', Page::folder() . '/stories/watch.mjs'], timeout => 60);
is $r->{status}, 1, 'a story about a bad page fails' or diag $r->{out};
my @ends = (
	['a message on the console', qr/the console of the page has no messages\n(?:#.*\n)*# something to read/],
	['an uncaught error', qr/the page has no uncaught errors\n(?:#.*\n)*# Error: nobody catches this/],
	['a report of the content security policy',
	    qr/the page breaks no rule of its content security policy\n# require-trusted-types-for/],
	['a request to another host',
	    qr{the page makes no request to another host\n# http://other\.invalid/x\.png}],
	['a button without a name', qr/the page has no serious finding of axe-core\n(?:#.*\n)*# button-name/],
);
like $r->{out}, qr/not ok \d+ - $_->[1]/, "a story finds $_->[0]" for @ends;
like $r->{out}, qr/^1\.\.5$/m, 'a story about a bad page comes to its end';
done_testing;
