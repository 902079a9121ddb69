#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Agents that do not route by conn_id: the session id is the route, and nobody gets one by
# knowing it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoRelay;
use JSON::PP ();
use Sign qw(connect_frame key_new);
use Test::More;

my $uuid = qr/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

# A client with this first frame, and the frame that its agent gets.
sub come {
	my ($relay, $agent, $first) = @_;
	my $client = $relay->input_ws;
	$client->send_json({ to => $agent->address, %$first });
	return ($client, $agent->next_frame // {});
}

for my $workers (1, 4) {
	my $relay = CoRelay->start(workers => $workers);
	my $agent = $relay->agent(features => []);
	my ($anna, $bert) = (key_new(), key_new());
	my $to = $agent->address;

	my ($new, $frame) = come($relay, $agent, { type => 'CONNECT' });
	like $frame->{session_id}, $uuid, "-w $workers: a client without a session gets a routing id";
	ok !exists $frame->{conn_id}, "-w $workers: an older agent sees no conn_id";
	$new->send_json({ type => 'INPUT', prompt => 'x', session_id => 'forged' });
	is $agent->next_frame->{session_id}, $frame->{session_id},
	    "-w $workers: later frames carry the routing id, whatever the client writes";

	my $mine = connect_frame($anna, $to, session_id => 'mine');
	my ($one, $bound) = come($relay, $agent, $mine);
	is $bound->{session_id}, 'mine', "-w $workers: the session that a client names is its route";
	is_deeply $bound->{payload}, $mine->{payload}, "-w $workers: what it signed is forwarded";

	for my $case (
		['without a signature', { type => 'CONNECT', session_id => 'mine' }],
		['with another key', connect_frame($bert, $to, session_id => 'mine')],
		['with a CONNECT for another agent',
			connect_frame($anna, $bert->{address}, session_id => 'mine', to => $to)],
		['with an old CONNECT', connect_frame($anna, $to, session_id => 'mine',
			payload => { timestamp => time - 400 })],
		['with a forged CONNECT', { %{ connect_frame($bert, $to, session_id => 'mine') },
			from => $anna->{address} }],
		['by SEAL', { type => 'SEAL', session_id => 'mine', from => $anna->{address} }],
		['by INPUT', { type => 'INPUT', session_id => 'mine', prompt => 'x' }],
	) {
		my ($what, $first) = @$case;
		my ($other, $got) = come($relay, $agent, $first);
		like $got->{session_id}, $uuid,
		    "-w $workers: who names a session in use $what gets a fresh routing id";
		$agent->answer($got, type => 'NOTE', for => 'the other');
		$agent->answer($bound, type => 'NOTE', for => 'the owner');
		is_deeply [map { $_->next_frame->{for} } $one, $other], ['the owner', 'the other'],
		    "-w $workers: neither sees a frame of the other ($what)";
		$other->close;
		is $agent->next_frame->{session_id}, $got->{session_id},
		    "-w $workers: its end is not that of the session ($what)";
	}
	is $relay->counter('sessions_not_taken_over_total'), 6,
	    "-w $workers: refused takeovers are counted";

	my ($again, $taken) = come($relay, $agent,
		connect_frame($anna, $to, session_id => 'mine', last_msg_id => 'm-3',
			payload => { nonce => "again $workers" }));
	is $taken->{session_id}, 'mine', "-w $workers: the same key takes its session over";
	is $taken->{last_msg_id}, 'm-3', "-w $workers: its CONNECT reaches the agent";
	is $one->wait_close, 4000, "-w $workers: the former socket is closed";
	$agent->answer($taken, type => 'NOTE', for => 'the new one');
	is $again->next_frame->{for}, 'the new one', "-w $workers: answers go to the new socket";
	is $relay->counter('sessions_taken_over_total'), 1, "-w $workers: takeovers are counted";
	$again->close;
	is $agent->next_frame->{type}, 'close', "-w $workers: the agent hears of one end, not two";

	my ($status, $asked) = come($relay, $agent, { type => 'SESSION_STATUS',
		session => { session_id => 'some-session' } });
	like $asked->{session_id}, $uuid, "-w $workers: a status question has a route of its own";
	$agent->answer($asked, type => 'SESSION_STATUS', status => 'done');
	is_deeply $status->next_frame, { type => 'SESSION_STATUS', status => 'done',
		session_id => 'some-session' },
	    "-w $workers: its answer names the session that was asked about";

	# What older agents cannot read would end their link.
	my ($large, $its) = come($relay, $agent, { type => 'CONNECT' });
	$large->send_json({ type => 'INPUT', prompt => 'x' x (1 << 20) });
	is(($large->next(type => 'ERROR') // {})->{error}, 'Frame too long: this agent takes 1 MiB',
		"-w $workers: a frame that is too long for an older agent is refused");
	is $large->wait_close, 1009, "-w $workers: its client is closed";
	is_deeply [@{ $agent->next_frame }{qw(type session_id)}], ['close', $its->{session_id}],
	    "-w $workers: the agent hears nothing of the long frame";
	my $longer = $relay->input_ws;
	$longer->send_json({ type => 'INPUT', to => $to, prompt => 'x' x (1 << 20) });
	is $longer->wait_close, 1009, "-w $workers: the same holds for a first frame";
	is $agent->next_frame->{type}, 'close', "-w $workers: the agent hears nothing of a long first frame";

	# An agent that routes by conn_id decides about sessions itself.
	my $modern = $relay->agent;
	my ($a, $fa) = come($relay, $modern, { type => 'CONNECT', session_id => 'shared' });
	my ($b, $fb) = come($relay, $modern, { type => 'CONNECT', session_id => 'shared' });
	is_deeply [$fa->{session_id}, $fb->{session_id}], ['shared', 'shared'],
	    "-w $workers: with conn_id, two sockets may name one session";
	isnt $fa->{conn_id}, $fb->{conn_id}, "-w $workers: and are told apart by conn_id";
	$modern->send_json({ type => 'NOTE', session_id => 'shared', conn_id => $fb->{conn_id} });
	$modern->send_json({ type => 'NOTE', session_id => 'other', conn_id => $fa->{conn_id} });
	is $b->next_frame->{session_id}, 'shared', "-w $workers: conn_id alone is the route";
	is $a->next_frame->{session_id}, 'other',
	    "-w $workers: the agent's own session id reaches the client";

	# Which ids there may be is the same as at a host.
	my ($long, $empty);
	for my $case (['an older agent', $agent], ['an agent with conn_id', $modern]) {
		my ($what, $its) = @$case;
		($long, $frame) = come($relay, $its, { type => 'CONNECT', session_id => 'l' x 256 });
		is $frame->{session_id}, 'l' x 256, "-w $workers: $what gets a session id of 256 bytes";
		($empty, $frame) = come($relay, $its, { type => 'CONNECT', session_id => '' });
		is $frame->{type}, 'CONNECT', "-w $workers: $what gets a client with an empty session id";
		my $seen = $frame->{session_id};
		$_->close and $its->next_frame for $long, $empty;
		like $seen, $its == $agent ? $uuid : qr/^$/, "-w $workers: $what sees the id that is due";
	}
	for my $id ('l' x 257, "a\nb") {
		my $wrong = $relay->client($modern, session_id => $id);
		like $wrong->next(type => 'ERROR')->{error}, qr/^Invalid field: session_id must be/,
		    "-w $workers: other session ids are refused";
		is $wrong->wait_close, 1008, "-w $workers: and end the connection";
	}
	$relay->stop;
}
done_testing;
