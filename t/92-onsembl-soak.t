#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Wrappers run commands of dashboards while workers are killed ("make soak-onsembl" is longer).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use OnsStory;
use Onsembl;
use Test::More;

# What the story finds in the lines 1 to 4 of a command, when the numbers are: lost, doubled,
# reordered, strange. Of what was cut off, the rest is not lost.
my @cases = (
	['1 2 3 4', 1, '0 0 0 0', 'nothing in whole output'],
	['1 2 4', 1, '1 0 0 0', 'a line that is lost'],
	['1 2 3', 1, '1 0 0 0', 'a last line that is lost'],
	['', 1, '4 0 0 0', 'output that is lost'],
	['1 2 2 3 4', 1, '0 1 0 0', 'a line that is doubled'],
	['1 2 1 2 3 4', 1, '0 2 0 0', 'a piece that is doubled'],
	['1 3 2 4', 1, '0 0 1 0', 'a line that is out of order'],
	['1 2 x 3 4', 1, '0 0 0 1', 'a line of another form'],
	['1 2 3 4 5', 1, '0 0 0 1', 'a line too many'],
	['1 2', 0, '0 0 0 0', 'nothing in output that is cut off'],
	['1 3', 0, '1 0 0 0', 'a line that is lost from output that is cut off'],
);
for (@cases) {
	my ($numbers, $is_whole, $expected, $title) = @$_;
	my $wrong = OnsStory::judge('d1-1', 4, join('', map { "d1-1-$_\n" } split ' ', $numbers), $is_whole);
	is join(' ', map { scalar @{ $wrong->{$_} } } qw(lost doubled reordered strange)), $expected,
	    "the story of wrappers and dashboards finds $title";
}

local $ENV{ONSEMBL_JWT_SECRET} = $Onsembl::SECRET;
my $host = CoHost->start(workers => 4);
my $r = OnsStory::run($host, wrappers => 5, dashboards => 3, seconds => 8, kill_every => 2);
diag "$r->{commands} commands, $r->{shown} lines, $r->{kills} kills, $r->{returns} returns";
cmp_ok $r->{commands}, '>', 3, 'more than three commands ran';
cmp_ok $r->{kills}, '>', 1, 'workers were killed';
is_deeply $r->{problems}, [],
    'each line came once and in order to its dashboard only, and each command ran once';
$host->stop;
done_testing;
