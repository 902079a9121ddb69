#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Workers are killed one by one while a command runs at an agent of Onsembl: the agent comes
# back to another worker, and nothing that it wrote is lost or comes twice.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use OnsAgent;
use Test::More;

local $ENV{ONSEMBL_JWT_SECRET} = $OnsAgent::SECRET;
my $host = CoHost->start(args => ['-w', 4, '-a', 'onsembl:one']);
my $agent;
my @active;

# Connect until it succeeds: a worker may die while it takes us.
sub come {
	$agent = wait_for(20, sub {
		my $a = eval { OnsAgent->new($host, id => 'one', user => 'ann',
			says => { activeCommands => [@active] }) };
		$a && $a->{welcome} && $a->{welcome}{type} eq 'ACK' ? $a : undef;
	});
	return;
}

# Send a message until it is acknowledged, over as many connections as that takes.
sub insist {
	my (@message) = @_;
	for (1 .. 20) {
		my $f = eval { $agent->ask(@message) };
		return $f if $f;
		come();
	}
	return undef;
}

come();
for my $id (qw(first second)) {
	my $c = $host->client;
	$c->send(POST => '/input', undef, { prompt => "count $id", session => { session_id => $id } });
	my $q = $agent->command;
	is $q->{commandId}, $id, "the command $id reaches the agent";
	@active = ($id);
	my @victims = $host->workers;
	my $commands = 0;
	for my $n (1 .. 60) {
		insist(TERMINAL_OUTPUT => { commandId => $id, content => "$n\n",
			streamType => 'STDOUT', sequence => $n });
		$commands += @{ $agent->{commands} };
		$agent->{commands} = [];
		next if $n % 12 || !@victims;
		$host->kill_worker(shift @victims);
		wait_for(10, sub { scalar($host->workers) == 4 });
	}
	is $commands, 0, "the command $id is not sent again";
	my $end = insist(COMMAND_COMPLETE => { commandId => $id, status => 'COMPLETED', exitCode => 0 });
	is $end->{payload}{completed}, JSON::PP::true, "the end of $id is acknowledged";
	@active = ();
	my $r = wait_for(20, sub {
		my $r = eval { $host->http(GET => "/sessions/$id")->{json} };
		$r && $r->{status} eq 'done' ? $r : undef;
	});
	is $r->{result}, join('', map { "$_\n" } 1 .. 60),
	    "$id: what the command wrote is the result, each line once and in order";
	my $e = $host->client;
	$e->send(GET => "/sessions/$id/events?from=0");
	$e->head;
	my @all;
	while (my $ev = $e->event) { push @all, JSON::PP::decode_json($ev->{data}) }
	is_deeply [map { $_->{sequence} } grep { ($_->{type} // '') eq 'terminal_output' } @all],
	    [1 .. 60], "$id: each piece of output is one event";
	my %n;
	$n{ $_->{type} // '' }++ for @all;
	is $n{tool_call}, 1, "$id: the command is called once";
	is $n{tool_result}, 1, "$id: the command has one result";
}

# A command that waits for its agent outlives the worker that took it.
{
	$agent->ws->close;
	wait_for(10, sub { $host->metric('cohostd_agents_dialed_in') == 0 });
	my $c = $host->client;
	$c->send(POST => '/input', undef, { prompt => 'patient', session => { session_id => 'patient' } });
	wait_for(10, sub { ($host->http(GET => '/sessions/patient')->{json}{status} // '') eq 'running' });
	for my $pid ($host->workers) {
		$host->kill_worker($pid);
		wait_for(10, sub { scalar($host->workers) == 4 });
	}
	come();
	my $q = $agent->command;
	is $q->{commandId}, 'patient', 'a command that waits reaches its agent after all workers died';
	insist(COMMAND_COMPLETE => { commandId => 'patient', status => 'COMPLETED', result => 'done' });
	ok wait_for(20, sub { ($host->http(GET => '/sessions/patient')->{json}{status} // '') eq 'done' }),
	    'a command that waited ends well after all workers died';
}
is $host->metric('cohostd_runs'), 0, 'no turn is left running';
$agent->ws->close;
$host->stop;
done_testing;
