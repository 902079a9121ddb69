#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Events that are not kept any more: the client is told how many it missed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(args => ['-o', 'journal_events=1000']);
my $first = $host->ws(session => { session_id => 'long' });
$first->send_json({ type => 'INPUT', prompt => 'stream 1500 1' });
my $n = 0;
while ($n < 1200) { $n++ if $first->next->{type} eq 'tool_result' }

# One who comes late is shown the turn from its beginning, which is gone.
my $late = $host->ws(session => { session_id => 'long' });
is $late->connected->{status}, 'running', 'a late client attaches to a running turn';
my $gap = $late->next(type => ['reset', 'tool_call', 'tool_result']);
is $gap->{type}, 'reset', 'a late client is told first that events are missing';
is $gap->{recovered}, JSON::PP::false, 'reset says that the missed events are not recovered';
cmp_ok $gap->{missed}, '>=', 1000, "reset says how many events are missing ($gap->{missed})";
my @rest = $late->all_until('OUTPUT', 'ERROR');
is $rest[-1]{result}, 'Streamed 1500 steps.', 'the rest of the turn follows the reset';
is scalar(grep { $_->{type} eq 'reset' } @rest), 0, 'a late client gets only one reset';
my ($step) = grep { $_->{type} eq 'tool_call' } @rest;
my @steps = map { $_->{args}{i} } grep { $_->{type} eq 'tool_call' } @rest;
is_deeply \@steps, [$steps[0] .. 1499], 'the rest of the turn is whole and in order';
$host->stop;
done_testing;
