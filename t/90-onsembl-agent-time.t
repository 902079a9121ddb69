#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# /ws/agent: what happens when time passes. The clock is moved, so nothing waits.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use OnsAgent;
use Test::More;

local $ENV{ONSEMBL_JWT_SECRET} = $OnsAgent::SECRET;
my $host = CoHost->start(clock => 1, args => ['-w', 2, '-a', 'onsembl:one', '-o', 'agent_wait=60']);

sub token { return OnsAgent::token('ann', exp => time + 100000) }

my $unknown = OnsAgent->new($host, silent => 1);
my $wrong = OnsAgent->new($host, id => 'two', token => 'x.y.z');
my $agent = OnsAgent->new($host, id => 'one', token => token());
is $agent->{welcome}{type}, 'ACK', 'an agent connects';
$host->pass(31);
for (['that says nothing' => $unknown], ['with a bad token' => $wrong]) {
	my ($name, $a) = @$_;
	my $e = $a->next('ERROR');
	$e = $a->next('ERROR') if $e && $e->{payload}{code} eq 'UNAUTHORIZED';
	is $e->{payload}{message}, 'Authentication timeout',
	    "an agent $name is told of its timeout after 30 s";
	is $a->ws->wait_close, 1008, "a connection $name is closed with 1008 after 30 s";
}

# An agent that comes back with a command that has ended. Its messages are not delayed by that.
my $back = OnsAgent->new($host, id => 'three', token => token(), says => { activeCommands => ['over'] });
my $end = $back->say(COMMAND_COMPLETE => { commandId => 'over', status => 'COMPLETED' });
$back->say(PING => { timestamp => 7 });
is $back->next('ACK', 'PONG')->{type}, 'PONG', 'the end of a command without a turn delays no other message';
$host->pass(11);
is $back->next('ACK')->{payload}{messageId}, $end,
    'the end of a command whose turn does not come is acknowledged after 10 s';
for my $n (180, 690) {
	my $id = '"' . 'i' x $n;
	is $back->ask(TERMINAL_OUTPUT => { commandId => '"' . 'c' x 199, content => 'x' }, id => $id)
	    ->{payload}{messageId}, $id, "a message whose id has an escape and $n more characters is acknowledged";
}
$back->ws->close;

ok $agent->next('PING'), 'an agent gets a PING after 30 s, and is not closed';
$agent->say(PONG => { timestamp => 1 });

# An agent that never reports ends, as the hosted one.
my $c = $host->client;
$c->send(POST => '/input', undef, { prompt => 'silent' });
my $q = $agent->command;
is $agent->ask(TERMINAL_OUTPUT => { commandId => $q->{commandId}, content => "said\n",
	streamType => 'STDOUT', sequence => 1 })->{payload}{sequence}, 1, 'output of an agent is acknowledged';
$host->pass(31);
is $c->reply->{json}{result}, "said\n",
    'a command of an agent that never reports ends is over after 30 s of silence';

# A command that does not stop.
my $ws = $host->ws(session => { session_id => 'stop' });
$ws->send_json({ type => 'INPUT', prompt => 'stubborn' });
$q = $agent->command;
$agent->ask(COMMAND_ACK => { commandId => $q->{commandId}, status => 'EXECUTING' });
$ws->send_json({ type => 'INTERRUPT' });
my $cancel = $agent->next('COMMAND_CANCEL');
is $cancel->{payload}{commandId}, $q->{commandId}, 'an interrupt sends COMMAND_CANCEL';
is $cancel->{payload}{force}, JSON::PP::false, 'COMMAND_CANCEL is not forced';
$host->pass(11);
is $ws->next(type => ['OUTPUT', 'ERROR'])->{type}, 'OUTPUT',
    'a turn ends 10 s after COMMAND_CANCEL even if its agent goes on';

# An agent that does not come.
$agent->ws->close;
wait_for(10, sub { $host->metric('cohostd_agents_dialed_in') == 0 });
# Earlier turns may have been left to the worker with their agent.
my $n_left = $host->metric('cohostd_turns_left_total');
$c = $host->client;
$c->send(POST => '/input', undef, { prompt => 'for nobody' });
ok wait_for(10, sub { $host->metric('cohostd_turns_left_total') > $n_left }),
    'a turn whose agent has just gone begins to wait at once';
$host->pass(61);
is $c->reply->{json}{reason}, 'away', 'a command fails when its agent was away for agent_wait';

# Stopping a command that waits.
$ws = $host->ws(session => { session_id => 'never' });
$ws->send_json({ type => 'INPUT', prompt => 'never' });
wait_for(10, sub { ($host->http(GET => '/sessions/never')->{json}{status} // '') eq 'running' });
$ws->send_json({ type => 'INTERRUPT' });
is $ws->next(type => ['OUTPUT', 'ERROR'])->{type}, 'OUTPUT',
    'a command that waits for its agent can be interrupted';

# A server that stops.
$agent = OnsAgent->new($host, id => 'one', token => token());
$host->signal('TERM');
is $agent->ws->wait_close, 1001, 'a server that stops closes with 1001';
$host->wait_exit;
done_testing;
