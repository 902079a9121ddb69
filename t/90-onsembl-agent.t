#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# /ws/agent: agents of Onsembl dial in to one of four workers, and commands reach them from
# all.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use OnsAgent;
use Test::More;

local $ENV{ONSEMBL_JWT_SECRET} = $OnsAgent::SECRET;
my $host = CoHost->start(args => ['-w', 4, '-a', 'onsembl:mock-1']);

# ---- a command, from any worker ----

# Start an input; the connection that waits for its answer.
sub ask_input {
	my ($prompt, %more) = @_;
	my $c = $host->client;
	$c->send(POST => '/input', undef, { prompt => $prompt, %more });
	return $c;
}

my $agent = OnsAgent->new($host, id => 'mock-1', user => 'ann');
my $w = $agent->{welcome}{payload};
is $agent->{welcome}{type}, 'ACK', 'AGENT_CONNECT is acknowledged';
is $w->{agentId}, 'mock-1', 'the ACK names the agent';
like $w->{connectionId}, qr/^agent-\d+-[0-9a-z]{9}$/, 'the ACK names the connection';
is $w->{authenticated}, JSON::PP::true, 'the ACK says that the agent is known';

for my $n (1 .. 8) {
	my $c = ask_input("echo $n");
	my $q = $agent->command or last;
	is $q->{command}, "echo $n", "command $n reaches the agent";
	is $q->{content}, "echo $n", "command $n has its text twice";
	is_deeply [@$q{qw(arguments args priority type env)}], [[], [], 'normal', 'NATURAL', {}],
	    "command $n has the members that agents read";
	$agent->say(COMMAND_ACK => { commandId => $q->{commandId}, status => 'EXECUTING' });
	$agent->output($q->{commandId}, "a$n\n");
	$agent->output($q->{commandId}, "b$n\n", streamType => 'STDERR');
	my $ack = $agent->complete($q->{commandId});
	is $ack->{payload}{completed}, JSON::PP::true, "the end of command $n is acknowledged";
	my $r = $c->reply;
	is $r->{json}{result}, "a$n\nb$n\n", "what command $n wrote is the result";
}

# ---- events ----

{
	my $c = ask_input('ls', session => { session_id => 'events' });
	my $q = $agent->command;
	is $q->{commandId}, 'events', 'a client may name a command by its session';
	my @acks;
	for my $i (1 .. 3, 2, 3, 4) {
		push @acks, $agent->ask(TERMINAL_OUTPUT => { commandId => 'events',
			content => "\e[31m$i\e[0m\n", streamType => 'STDOUT', sequence => $i });
	}
	is_deeply [map { $_->{payload}{sequence} } @acks], [1, 2, 3, 2, 3, 4],
	    'each piece of output is acknowledged, also one that came before';
	$agent->ask(TRACE_EVENT => { commandId => 'events', traceId => 't1', type => 'TOOL_CALL',
		name => 'ls', content => {} });
	$agent->complete('events', exitCode => 0);
	$c->reply;
	my $e = $host->client;
	$e->send(GET => '/sessions/events/events?from=0');
	$e->head;
	my @all;
	while (my $ev = $e->event) { push @all, $ev->{json} // JSON::PP::decode_json($ev->{data}) }
	is_deeply [map { $_->{content} } grep { ($_->{type} // '') eq 'terminal_output' } @all],
	    [map { "\e[31m$_\e[0m\n" } 1 .. 4],
	    'each piece of output is an event once, with its escape sequences';
	is_deeply [map { $_->{status} } grep { ($_->{type} // '') eq 'command_status' } @all],
	    ['sent', 'completed'], 'the states of a command are events';
	is scalar(grep { ($_->{type} // '') eq 'trace_event' } @all), 1,
	    'a step of the model is an event';
}

# ---- how a command ends ----

for (
	[{ status => 'FAILED', exitCode => 3, error => 'exit 3' }, 500, 'FAILED'],
	[{ status => 'COMPLETED', error => 'timed out' }, 500, 'COMPLETED with an error'],
	[{ status => 'CANCELLED' }, 200, 'CANCELLED'],
	[{ status => 'COMPLETED', result => 'said' }, 200, 'COMPLETED with a result'])
{
	my ($end, $status, $name) = @$_;
	my $c = ask_input('end');
	my $q = $agent->command;
	$agent->complete($q->{commandId}, %$end);
	my $r = $c->reply;
	is $r->{status}, $status, "a command that ends as $name has its status";
	is $r->{json}{result}, 'said', 'a result of the agent is that of the turn'
	    if $end->{result};
}

# ---- an agent that is away ----

$agent->ws->close;
ok wait_for(10, sub { $host->metric('cohostd_agents_dialed_in') == 0 }),
    'an agent that hangs up is gone';
{
	my @c = map { ask_input("later $_") } 1 .. 3;
	ok wait_for(10, sub { $host->metric('cohostd_turns_left_total') >= 3 }),
	    'commands for an agent that is away wait';
	$agent = OnsAgent->new($host, id => 'mock-1', user => 'ann');
	my @got;
	for (1 .. 3) {
		my $q = $agent->command or last;
		push @got, $q->{command};
		$agent->complete($q->{commandId});
	}
	is_deeply [sort @got], [map { "later $_" } 1 .. 3],
	    'commands that waited reach the agent when it comes';
	is_deeply [map { $_->reply->{status} } @c], [200, 200, 200],
	    'commands that waited end well';
}

# ---- an agent that goes in the middle ----

{
	my $c = ask_input('half');
	my $id = $agent->command->{commandId};
	$agent->ask(TERMINAL_OUTPUT => { commandId => $id, content => "1\n", streamType => 'STDOUT',
		sequence => 1 });
	$agent->vanish;
	$agent = OnsAgent->new($host, id => 'mock-1', user => 'ann',
		says => { activeCommands => [$id] });
	$agent->output($id, "$_\n", sequence => $_) for 1 .. 3;
	$agent->complete($id);
	is $c->reply->{json}{result}, "1\n2\n3\n",
	    'output that was kept while the connection was lost follows, each piece once';

	$c = ask_input('lost');
	$id = $agent->command->{commandId};
	$agent->vanish;
	$agent = OnsAgent->new($host, id => 'mock-1', user => 'ann', says => { activeCommands => [] });
	is $c->reply->{json}{reason}, 'interrupted',
	    'a command that its agent has lost ends, and is not sent again';
}
ok wait_for(10, sub { $host->metric('cohostd_runs') == 0 }), 'no turn is left running';
$agent->ws->close;
$host->stop;
done_testing;
