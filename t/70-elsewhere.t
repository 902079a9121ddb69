#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A client that reconnects finds its turn, whichever worker it lands on.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(workers => 6);
my $ws = $host->ws(session => { session_id => 'far' });
$ws->send_json({ type => 'INPUT', prompt => 'stream 100 20' });
my @seen = map { $ws->next } 1 .. 5;
$ws->close(how => 'cut');

my $n = 0;
while (1) {
	my $c = $host->ws(session => { session_id => 'far', last_msg_id => $seen[-1]{id} });
	is $c->connected->{status}, 'running',
	    'the turn is still running on the next connection' unless $n++;
	for (1 .. 12) {
		push @seen, $c->next // die "silence\n";
		last if $seen[-1]{type} eq 'OUTPUT';
	}
	$c->close(how => 'cut');
	last if $seen[-1]{type} eq 'OUTPUT';
}
is $seen[-1]{type}, 'OUTPUT', "the end of the turn comes after $n connections";
is_deeply [map { $_->{args}{i} } grep { $_->{type} eq 'tool_call' } @seen], [0 .. 99],
    'each step of the turn came once, in order';

my @clients = map { $host->ws(session => { session_id => 'ask' }) } 1 .. 12;
$clients[0]->send_json({ type => 'INPUT', prompt => 'ask Where?' });
ok $_->next(type => 'ask_user'), 'the question is asked on every worker' for @clients;
$clients[7]->send_json({ type => 'ASK_USER_RESPONSE', answer => 'here' });
is $_->next(type => 'OUTPUT')->{result}, 'You answered: here',
    'the answer is told on every worker'
    for @clients;

for my $k (1 .. 12) {
	$host->input("echo $k", session => { session_id => 'many' });
}
is $host->http(GET => '/sessions/many')->{json}{result}, '12',
    'every worker has the result of the last POST'
    for 1 .. 6;
is $host->metric('cohostd_bells_lost_total'), 0, 'no bell was lost';
$host->stop;
done_testing;
