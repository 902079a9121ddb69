#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# durability: process serves as power does, and what is stored follows a change.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Test::More;

my $dir = CoHost::directory();

sub start {
	my ($durability) = @_;
	return CoHost->start(dir => "$dir", workers => 2,
		args => ['-o', "durability=$durability"]);
}

sub say_once {
	my ($host, $text) = @_;
	return $host->input("echo $text", session => { session_id => $text },
		header => { 'idempotency-key' => "\"$text\"" })->{json}{result};
}

my @said;
for my $durability (qw(power process power process process)) {
	my $host = start($durability);
	for my $old (@said) {
		is $host->http(GET => "/sessions/$old")->{json}{result}, $old,
		    "$durability: the result of $old is there";
		my $c = $host->client;
		$c->send(GET => "/sessions/$old/events?from=0");
		is $c->head->{status}, 200, "$durability: the journal of $old is served";
		my @events;
		while (my $e = $c->event) { push @events, $e }
		is $events[-1]{json}{result}, $old,
		    "$durability: the journal of $old ends with its result";
		is say_once($host, $old), $old,
		    "$durability: a repeated input of $old gets its result";
	}
	is $host->metric('cohostd_runs_done_total'), 0,
	    "$durability: no repeated input runs again";
	my $new = sprintf 'start-%d', scalar @said;
	is say_once($host, $new), $new, "$durability: a new session gets its result";
	push @said, $new;

	my $ws = $host->ws(session => { session_id => "ws-$new" });
	is +($ws->turn('stream 20'))[-1]{result}, 'Streamed 20 steps.',
	    "$durability: a turn over WebSocket gets its result";
	$ws->close;
	$ws = $host->ws(session => { session_id => "ws-$new" });
	$ws->send_json({ type => 'INPUT', prompt => 'stream 40 50' });
	$ws->next(type => 'tool_call');
	$host->kill_worker($_) for $host->workers;
	ok wait_for(20, sub {
		my $r = eval { $host->http(GET => "/sessions/ws-$new") };
		return $r && ($r->{json}{result} // '') eq 'Streamed 40 steps.';
	}), 'killed workers lose nothing';
	$host->stop;
}
done_testing;
