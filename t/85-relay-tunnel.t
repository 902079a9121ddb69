#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Frames between agents and clients, with one worker and with four.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use CoRelay;
use Test::More;

# One frame there and one back.
sub talks {
	my ($agent, $client, $word) = @_;
	$client->send_json({ type => 'INPUT', prompt => $word });
	my $frame = $agent->next_frame // return 0;
	$agent->answer($frame, type => 'OUTPUT', result => "you said $frame->{prompt}");
	my $answer = $client->next_frame // return 0;
	return $answer->{result} eq "you said $word";
}

for my $workers (1, 4) {
	my $relay = CoRelay->start(workers => $workers);
	my $agent = $relay->agent;
	is $relay->health->{agents}, 1, "-w $workers: an announced agent is counted in /health";

	my $client = $relay->client($agent, payload => { n => 1.5 });
	my $first = $agent->next_frame;
	is $first->{type}, 'CONNECT', "-w $workers: the first frame of a client reaches its agent";
	like $first->{conn_id}, qr/^[0-9a-f]{32}$/, "-w $workers: a client's socket has a random name";
	like $first->{session_id}, qr/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
	    "-w $workers: a client without a session gets a new one";
	is $first->{to}, $agent->address, "-w $workers: other members are forwarded";
	$agent->answer($first, type => 'CONNECTED', conn => 1);
	my $answer = $client->next_frame;
	is $answer->{type}, 'CONNECTED', "-w $workers: the answer of an agent reaches the client";
	ok !exists $answer->{conn_id}, "-w $workers: the name of the socket is not shown to the client";

	my @clients = map { $relay->client($agent, n => $_) } 1 .. 20;
	my %name = map { my $f = $agent->next_frame; $f->{n} => $f } 1 .. 20;
	is scalar(keys %name), 20, "-w $workers: each of 20 clients reaches the agent";
	my %distinct = map { $_->{conn_id} => 1 } values %name;
	is scalar(keys %distinct), 20, "-w $workers: each client has a name of its own";
	$agent->answer($name{$_}, type => 'NUMBER', n => $_) for reverse 1 .. 20;
	my @got = map { $_->next_frame->{n} } @clients;
	is "@got", "@{[1 .. 20]}", "-w $workers: each client gets the answer that is for it";
	ok talks($agent, $clients[$_], "word $_"), "-w $workers: client $_ can go on talking" for 0, 7, 19;
	if ($workers > 1) {
		cmp_ok $relay->counter('clients_moved_total'), '>', 0,
		    '-w 4: clients at other workers were handed over';
	} else {
		is $relay->counter('clients_moved_total'), 0, '-w 1: no client has to be handed over';
	}

	$clients[3]->close;
	my $close = $agent->next_frame;
	is $close->{type}, 'close', "-w $workers: the agent is told that a client left";
	is $close->{conn_id}, $name{4}{conn_id}, "-w $workers: the end of a client names its socket";
	is $close->{session_id}, $name{4}{session_id}, "-w $workers: and its session";

	# A frame behind the first one, in the same write, must not be lost on the way.
	my $quick = $relay->input_ws;
	$quick->send_raw(join '', map { WS::frame(WS::TEXT, JSON::PP::encode_json($_)) }
		{ type => 'CONNECT', to => $agent->address, n => 0 },
		map { { type => 'INPUT', n => $_ } } 1 .. 5);
	my @order = map { $agent->next_frame->{n} } 0 .. 5;
	is "@order", '0 1 2 3 4 5', "-w $workers: frames sent along with the first one come in order";

	$agent->answer($name{6}, type => 'LAST');
	$agent->answer($name{6}, type => 'close', code => 4003, reason => 'enough');
	is $clients[5]->next_frame->{type}, 'LAST',
	    "-w $workers: what an agent sent before it ends a client is forwarded";
	is $clients[5]->wait_close, 4003, "-w $workers: an agent ends a client with a code";
	$agent->answer($name{7}, type => 'close', code => 1006);
	is $clients[6]->wait_close, 1000,
	    "-w $workers: a code that no close may have becomes 1000";
	is join(' ', map { $agent->next_frame->{type} } 6, 7), 'close close',
	    "-w $workers: the agent is told that those clients are gone";
	ok talks($agent, $clients[7], 'beside'), "-w $workers: other clients of the agent stay";

	$agent->close;
	is $_->wait_close, 1012, "-w $workers: clients are disconnected when their agent leaves"
	    for @clients[0, 19];
	# Those that do not answer the close are cut after 5 s.
	ok wait_for(10, sub { $relay->health->{agents} == 0 && $relay->health->{clients} == 0 }),
	    "-w $workers: nobody is left";
	$relay->stop;
}
done_testing;
