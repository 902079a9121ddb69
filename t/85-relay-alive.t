#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# How a relay finds out who is there: an agent lives by any frame and by answers to WebSocket
# pings, and is removed after two silent minutes.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use CoRelay;
use IO::Select;
use Test::More;

# Let time pass, with what agents and clients do meanwhile.
sub pass_with {
	my ($relay, $seconds, $do) = @_;
	for (1 .. $seconds / 20) {
		$relay->pass(20);
		$do->();
	}
}

# Read a socket of which no frame is expected; its library answers pings.
sub answer_pings { $_[0]->next_text(0.05); return }

for my $workers (1, 4) {
	my $relay = CoRelay->start(workers => $workers, clock => 1);
	my ($quiet, $busy, $dead) = map { $relay->agent } 1 .. 3;
	my $client = $relay->client($busy);
	my $frame = $busy->next_frame;
	my $lost = $relay->client($dead);
	$dead->next_frame;
	pass_with($relay, 100, sub {
		$busy->answer($frame, type => 'OUTPUT', n => 1);
		$client->next_frame;
		answer_pings($quiet);
	});
	is $relay->health->{agents}, 3, "-w $workers: nobody is removed before two minutes";
	pass_with($relay, 60, sub {
		$busy->answer($frame, type => 'OUTPUT', n => 1);
		$client->next_frame;
		answer_pings($quiet);
	});
	ok $relay->wait_agents(2), "-w $workers: an agent that is silent for over two minutes is removed";
	is $relay->counter('agents_silent_total'), 1, "-w $workers: silent agents are counted";
	is $lost->wait_close, 1012, "-w $workers: clients of a silent agent are disconnected";
	is $busy->closed, undef, "-w $workers: traffic without ANNOUNCE keeps an agent";
	is $quiet->closed, undef, "-w $workers: answers to WebSocket pings keep an agent";
	$client->send_json({ type => 'INPUT', n => 2 });
	is $busy->next_frame->{n}, 2, "-w $workers: what the agent gets are frames of clients, no PING";
	my $other = $relay->client($quiet, n => 3);
	is $quiet->next_frame->{n}, 3, "-w $workers: the agent that only answered pings is served";

	# A client gets WebSocket pings as well, and what it answers is not forwarded.
	my $said = $relay->client($quiet, n => 4);
	is $quiet->next_frame->{n}, 4, "-w $workers: the client is served";
	my $pings = 0;
	pass_with($relay, 60, sub { answer_pings($_) for $quiet, $busy, $said });
	$said->send_json({ type => 'PONG', n => 5 });
	is_deeply [@{ $quiet->next_frame }{qw(type n)}], ['PONG', 5],
	    "-w $workers: a PONG goes to the agent as any frame";

	# An agent that announced itself once a minute, as hosts that are idle do.
	my $idle = $relay->agent;
	pass_with($relay, 180, sub {
		answer_pings($_) for $quiet, $busy;
		$idle->{n} = ($idle->{n} // 0) + 1;
		$idle->send_json($relay->announce($idle->{key}, summary => "n $idle->{n}"))
		    if $idle->{n} % 3 == 0;
	});
	is $idle->closed, undef, "-w $workers: an ANNOUNCE each minute keeps an agent";
	is(($idle->next_frame // {})->{type}, 'ANNOUNCE_OK', "-w $workers: each is acknowledged") for 1 .. 3;
	$relay->stop;
}
done_testing;
