#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The whole server is killed: at the next start nothing is left running.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start;
is $host->input('echo kept', session => { session_id => 'done' },
	header => { 'idempotency-key' => '"k"' })->{status}, 200,
	    'a turn ends before all processes are killed';
my @ws = map { $host->ws(session => { session_id => "run$_" }) } 1 .. 6;
$ws[$_ - 1]->send_json({ type => 'INPUT', prompt => 'stream 40 50', input_id => "i$_" })
    for 1 .. 6;
$_->next(type => 'tool_call') for @ws;
my %children = $host->children;
kill KILL => $host->pid, keys %children;
$host->wait_exit;

my $next = CoHost->start(dir => $host->dir);
is $next->http(GET => '/sessions/done')->{json}{result}, 'kept',
    'a stored result survives the kill of all processes';
is $next->input('echo kept', session => { session_id => 'done' },
	header => { 'idempotency-key' => '"k"' })->{json}{result}, 'kept',
    'a repeated input gets its result after the kill of all processes';
is $next->metric('cohostd_runs_done_total') + $next->metric('cohostd_runs') <= 6 ? 1 : 0, 1,
    'a repeated input does not run again after the kill of all processes';

for my $k (1 .. 6) {
	ok CoHost::wait_for(20, sub {
		my $r = $next->http(GET => "/sessions/run$k");
		return ($r->{json}{status} // '') =~ /^(?:done|interrupted)$/;
	}), "turn $k came to an end";
	my $c = $next->client;
	$c->send(GET => "/sessions/run$k/events?from=0");
	is $c->head->{status}, 200, "turn $k: the journal is served";
	my @events;
	while (my $e = $c->event) { push @events, $e }
	is scalar(grep { $_->{type} =~ /^(?:done|failed)$/ } @events), 1,
	    "turn $k: the journal has one end";
	is_deeply [map { $_->{id} =~ /-(\d+)$/ } @events], [1 .. @events],
	    "turn $k: the journal has no gap";
	my $r = $next->http(POST => '/input', {}, { prompt => 'stream 40 50', input_id => "i$k",
		session => { session_id => "run$k" } });
	ok $r->{status} == 200 || $r->{json}{code} == -32603,
	    "turn $k: a repeated input gets the end";
}
is $next->metric('cohostd_runs'), 0, 'no turn is left running';
$next->stop;
done_testing;
