#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Short turns while workers are killed: a kill between result and last event loses neither.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use KillStory;
use Test::More;

# Turns this short spend most of their time in being accepted and in ending.
my $host = CoHost->start(args => ['-o', 'journal_events=100000']);
my $story = KillStory->new($host,
	sessions => 100, steps => 2, step_ms => 0, kill_every => 0.15,
	seconds => $ENV{KILL_SECONDS} || 10, least_inputs => 500, least_kills => 20,
	$ENV{TEST_SEED} ? (seed => $ENV{TEST_SEED}) : ());
diag "seed $story->{seed}";
my $r = $story->run;
diag "\n" . KillStory::table($r);
diag $_ for @{ $r->{problems} };

cmp_ok $r->{accepted}, '>=', 500, "$r->{accepted} inputs were accepted";
cmp_ok $r->{kills}, '>=', 20, "$r->{kills} workers were killed";
is $r->{$_}, 0, "the kill story counts none as $_" for qw(lost doubled gaps stuck failed);
is_deeply $r->{problems}, [], 'the kill story has no other problems';
is $host->metric('cohostd_runs'), 0, 'no turn is left running';
$host->stop;
done_testing;
