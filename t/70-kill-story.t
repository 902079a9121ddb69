#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Sessions stream while workers are killed at random; nothing is lost.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use KillStory;
use Test::More;

my $host = CoHost->start(args => ['-o', 'journal_events=100000']);
my $story = KillStory->new($host,
	sessions => $ENV{KILL_SESSIONS} || 200, seconds => $ENV{KILL_SECONDS} || 30,
	least_kills => 15,
	$ENV{TEST_SEED} ? (seed => $ENV{TEST_SEED}) : ());
diag "seed $story->{seed}";
my $r = $story->run;
diag "\n" . KillStory::table($r);
diag $_ for @{ $r->{problems} };

cmp_ok $r->{accepted}, '>=', $story->{sessions}, "$r->{accepted} inputs were accepted";
cmp_ok $r->{kills}, '>=', 15, "$r->{kills} workers were killed";
is $r->{lost}, 0, 'every accepted input has its end';
is $r->{doubled}, 0, 'no accepted input has two ends';
is $r->{gaps}, 0, 'journal positions and steps are in order, without a gap';
is $r->{stuck}, 0, 'no session is left running';
is $r->{failed}, 0, 'no turn failed';
is_deeply $r->{problems}, [], 'the kill story has no other problems';
is $host->metric('cohostd_runs'), 0, 'the server counts no running turn';
$host->stop;
done_testing;
