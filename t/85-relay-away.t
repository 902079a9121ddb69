#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Clients of an agent that is away: they wait for one that may come back, and are told of one
# that does not. A relay that restarts listens at once, so that both sides find each other.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use CoRelay;
use IO::Select;
use Sign qw(key_new);
use Test::More;

# A client that is told of an agent that is away.
sub is_away {
	my ($client, $address, $title) = @_;
	my $error = $client->next(type => 'ERROR') // {};
	is_deeply [@$error{qw(error message)}], [("Agent not connected: $address") x 2], $title;
	is $client->wait_close, 1001, "$title: closed";
}

for my $workers (1, 4) {
	my $relay = CoRelay->start(workers => $workers, clock => 1);
	my $stranger = key_new();
	$relay->pass(70);
	is_away $relay->client($stranger->{address}), $stranger->{address},
	    "-w $workers: a client of an address never seen is told at once";
	is $relay->counter('agents_away_total'), 1, "-w $workers: such clients are counted";

	my $key = key_new();
	my $agent = $relay->agent(key => $key);
	my @bound = map { $relay->client($agent) } 1 .. 3;
	$agent->next_frame for @bound;
	$agent->close(how => 'cut');
	is $_->wait_close, 1012, "-w $workers: clients are closed when the socket of their agent breaks"
	    for @bound;
	is $relay->counter('clients_orphaned_total'), 3, "-w $workers: they are counted";
	ok $relay->wait_agents(0), "-w $workers: the agent is offline at once";
	is $relay->http(GET => "/api/agents/$key->{address}")->{json}{relay}, undef,
	    "-w $workers: its record has no relay while it is away";

	my @waiting;
	for my $type (qw(SEAL CONNECT INPUT)) {
		my $client = $relay->input_ws;
		$client->send_json({ type => $type, to => $key->{address}, n => $type });
		$client->send_json({ type => 'PONG', n => 'behind' });
		push @waiting, $client;
	}
	ok wait_for(10, sub { $relay->counter('clients_held') == 3 }),
	    "-w $workers: clients of an agent that was here a moment ago wait";
	$relay->pass(7);
	$agent = $relay->agent(key => $key);
	my %came;
	push @{ $came{ $_->{conn_id} } }, $_->{n} for map { $agent->next_frame // {} } 1 .. 6;
	is_deeply [sort map { "@$_" } values %came], ['CONNECT behind', 'INPUT behind', 'SEAL behind'],
	    "-w $workers: when it comes back it gets all their frames in order";
	is $relay->counter('clients_held'), 0, "-w $workers: nobody waits any more";

	$agent->close;
	my $client = $relay->client($key->{address});
	ok wait_for(10, sub { $relay->counter('clients_held') == 1 }),
	    "-w $workers: a client waits again";
	$relay->pass(5);
	$relay->http(GET => '/health') for 1 .. 4;
	ok !IO::Select->new($client->socket)->can_read(0.2),
	    "-w $workers: a client is told nothing while the agent may come back";
	$relay->pass(4);
	is_away $client, $key->{address}, "-w $workers: the wait has an end";
	$relay->pass(60);
	is_away $relay->client($key->{address}), $key->{address},
	    "-w $workers: who was here over a minute ago is not waited for";

	my $gone = $relay->client($key->{address});
	$gone->close(how => 'cut');

	$relay->stop;
}

# Restarts.
for my $workers (1, 4) {
	my $relay = CoRelay->start(workers => $workers);
	my $key = key_new();
	my $agent = $relay->agent(key => $key);
	my $client = $relay->client($agent);
	$agent->next_frame;
	my %old = map { $_ => 1 } $relay->workers;
	$relay->signal('HUP');
	is $agent->wait_close, 1012, "-w $workers: a reload tells agents to come again";
	is $client->wait_close, 1012, "-w $workers: a reload tells clients to come again";
	# Those that come a moment too early are told to come again.
	ok wait_for(10, sub { !grep { $old{$_} } $relay->workers }), "-w $workers: old workers exit";
	my $held = $relay->client($key->{address}, n => 1);
	$agent = $relay->agent(key => $key, summary => 'again');
	is(($agent->next_frame // {})->{n}, 1, "-w $workers: after a reload both find each other");
	$relay->signal('TERM');
	is $agent->wait_close, 1012, "-w $workers: a stop tells agents to come again";
	is $held->wait_close, 1012, "-w $workers: a stop tells clients to come again";
	$relay->stop;

	$relay = $relay->start_again(workers => $workers);
	$held = $relay->client($key->{address}, n => 2);
	ok wait_for(10, sub { $relay->counter('clients_held') == 1 }),
	    "-w $workers: after a start clients wait for agents that the relay has not seen yet";
	$agent = $relay->agent(key => $key, summary => 'and again');
	is(($agent->next_frame // {})->{n}, 2, "-w $workers: after a start both find each other");
	is $relay->http(GET => "/api/agents/$key->{address}")->{json}{online}, JSON::PP::true,
	    "-w $workers: the agent is listed again";
	$relay->stop;
}
done_testing;
