#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# INTERRUPT ends the turn with one OUTPUT, from any worker.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Test::More;

my $host = CoHost->start;
my $stopped = 'What would you like me to do?';

for my $prompt ('sleep 60000', 'stream 100000 10', 'ask Really?', 'approve rm') {
	my $id = $prompt =~ s/\W/-/gr;
	my $ws = $host->ws(session => { session_id => $id });
	$ws->send_json({ type => 'INPUT', prompt => $prompt });
	ok $ws->next(type => 'user_input'), "$prompt: runs";
	my $other = $host->ws(session => { session_id => $id });
	$other->send_json({ type => 'INTERRUPT' });
	for my $client ($ws, $other) {
		my @all = $client->all_until('OUTPUT', 'ERROR');
		is $all[-1]{result}, $stopped, "$prompt: the turn ends as stopped";
		my ($how) = grep { $_->{type} eq 'turn_result' } @all;
		is $how->{reason}, 'interrupted',
		    "$prompt: turn_result has the reason interrupted";
		is_deeply [grep { $_->{type} =~ /OUTPUT|ERROR/ } $client->settle], [],
		    "$prompt: each client gets one end";
	}
	is +($ws->turn('echo go on'))[-1]{result}, 'go on',
	    'a session takes inputs after an interrupt';
}

my $ws = $host->ws(session => {});
$ws->send_json({ type => 'INTERRUPT' });
is $ws->next(type => 'ERROR')->{message}, 'interrupt requires an active turn',
    'INTERRUPT without a turn is an error';

$ws->send_json({ type => 'INPUT', prompt => 'sleep 60000' });
$ws->send_json({ type => 'INTERRUPT' }) for 1 .. 3;
my @all = $ws->all_until('OUTPUT');
is $all[-1]{result}, $stopped, 'INTERRUPT in the first instant of a turn is not lost';
is $host->metric('cohostd_runs'), 0, 'no turn is left running';
$host->stop;
done_testing;
