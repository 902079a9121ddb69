#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# /ws/agent: who may dial in, what is refused, signs of life, and the order of commands.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use OnsAgent;
use Test::More;

local $ENV{ONSEMBL_JWT_SECRET} = $OnsAgent::SECRET;
my $host = CoHost->start(args => ['-w', 4, '-a', 'onsembl:one']);

sub code { my ($f) = @_; return join ': ', @{ $f->{payload} }{qw(code message)} }

# ---- tokens ----

my $good = OnsAgent::token('ann');
my $bad = OnsAgent::token('ann', secret => 'another secret of thirty-two bytes or more');
for (
	['no token', undef, 'UNAUTHORIZED: No authentication token provided'],
	['a bad signature', $bad, 'UNAUTHORIZED: Invalid authentication token'],
	['an expired token', OnsAgent::token('ann', exp => time - 1000),
		'UNAUTHORIZED: Invalid authentication token'],
	['alg none', OnsAgent::token('ann', header => { alg => 'none' }),
		'UNAUTHORIZED: Invalid authentication token'],
	['alg RS256', OnsAgent::token('ann', header => { alg => 'RS256' }),
		'UNAUTHORIZED: Invalid authentication token'],
	['a token to refresh', OnsAgent::token('ann', type => 'cli_refresh'),
		'UNAUTHORIZED: Invalid authentication token'])
{
	my ($name, $token, $want) = @$_;
	my $a = OnsAgent->new($host, id => 'one', token => $token);
	is $a->ws->status, 101, "the upgrade succeeds with $name";
	is code($a->{welcome}), $want, "AGENT_CONNECT with $name is refused";
	is code($a->ask(TERMINAL_OUTPUT => { commandId => 'x', content => 'x' })),
	    'UNAUTHORIZED: Must be authenticated first', "output after $name is refused";
	is $a->connect(token => $good)->{type}, 'ACK',
	    "a good token on the same connection is accepted after $name";
	$a->ws->close;
}
for my $where (qw(header query payload)) {
	my $a = OnsAgent->new($host, id => 'one', user => 'ann', where => $where);
	is $a->{welcome}{type}, 'ACK', "a token in the $where is accepted";
	$a->ws->close;
}
{
	my $ws = $host->ws(path => "/ws/agent?token=$bad",
		headers => { authorization => "Bearer $good" });
	my $a = bless { id => 'one', n => 0, commands => [], sequence => {}, ws => $ws }, 'OnsAgent';
	is $a->connect->{type}, 'ACK', 'the token of the header wins over that of the query';
	$ws->close;
}

# ---- whose agent it is ----

my $ann = OnsAgent->new($host, id => 'one', user => 'ann');
is code(OnsAgent->new($host, id => 'one', user => 'bob')->{welcome}),
    'UNAUTHORIZED: Invalid authentication token', 'an agent of another user cannot be taken over';
is code($ann->ask(AGENT_CONNECT => { agentId => 'two', agentType => 'x' })),
    'INVALID_MESSAGE: Invalid message format', 'a connection cannot become another agent\'s';
is $ann->connect(version => '2')->{type}, 'ACK', 'an agent may say once more who it is';
{
	my $a = OnsAgent->new($host, id => 'seed', user => 'ann', says => { agentType => 'claude',
		capabilities => { commands => \1, fileAccess => \1, streaming => \1 } });
	is $a->{welcome}{payload}{agentId}, 'seed', 'AGENT_CONNECT as its page has it is acknowledged';
	my $b = OnsAgent->new($host, id => 'real', user => 'ann', says => { agentType => 'CUSTOM',
		capabilities => { maxTokens => 0, supportsInterrupt => \1 } });
	is $b->{welcome}{payload}{agentId}, 'real',
	    'AGENT_CONNECT as the known wrapper sends it is acknowledged';
	$_->ws->close for $a, $b;
}

# ---- messages ----

for (
	['hello', 'INTERNAL_ERROR: Failed to process message', 'text that is not JSON'],
	['[]', 'INVALID_MESSAGE: Invalid message format', 'a message that is no object'],
	['{"payload":{}}', 'INVALID_MESSAGE: Invalid message format', 'a message without a type'],
	['{"type":"PING"}', 'INVALID_MESSAGE: Invalid message format', 'a message without a payload'],
	['{"type":"DASHBOARD_INIT","payload":{}}',
		'INVALID_MESSAGE_TYPE: Message type not allowed for agents', 'a message of dashboards'],
	['{"type":"DANCE","payload":{}}', 'UNKNOWN_MESSAGE_TYPE: Unknown message type: DANCE',
		'a message of an unknown type'],
	['{"type":"TERMINAL_OUTPUT","payload":{"commandId":"one"}}',
		'INVALID_MESSAGE: Invalid message format', 'output without content'])
{
	my ($text, $want, $name) = @$_;
	$ann->ws->send_text($text);
	is code($ann->next('ERROR')), $want, "$name is answered by an ERROR";
}
{
	$ann->ws->send_text('{"type":"PING","payload":{"timestamp":12,"sequence":3}}');
	my $pong = $ann->next('PONG');
	is_deeply [@{ $pong->{payload} }{qw(timestamp sequence)}], [12, 3],
	    'PING without id and timestamp is answered by PONG with the same timestamp';
	$ann->say(AGENT_HEARTBEAT => { agentId => 'one', healthMetrics => { cpuUsage => 45.2 } });
	my $beat = $ann->next('SERVER_HEARTBEAT')->{payload};
	is $beat->{nextPingExpected} - $beat->{serverTime}, 30000,
	    'AGENT_HEARTBEAT is answered by SERVER_HEARTBEAT';
	is $ann->ask(AGENT_ERROR => { errorType => 'UNKNOWN', message => 'x' })
	    ->{payload}{errorReceived}, JSON::PP::true, 'AGENT_ERROR is acknowledged';
	my $c = $host->client;
	$c->send(POST => '/input', undef, { prompt => 'report' });
	my $id = $ann->command->{commandId};
	is $ann->ask(INVESTIGATION_REPORT => { commandId => $id, reportId => 'r' })
	    ->{payload}{reportId}, 'r', 'INVESTIGATION_REPORT is acknowledged';
	is $ann->ask(TRACE_EVENT => { commandId => $id, traceId => 't' })->{payload}{traceId}, 't',
	    'TRACE_EVENT is acknowledged';
	$ann->say(COMMAND_COMPLETE => { commandId => $id, status => 'COMPLETED' });
	$c->reply;
	$ann->ws->send_frame(9, 'payload');
	ok wait_for(10, sub { $ann->ask(AGENT_ERROR => { message => 'x' });
		grep { $_ eq 'payload' } @{ $ann->ws->pongs } }), 'a ping gets a pong with its payload';
}
{
	my $a = OnsAgent->new($host, id => 'large', user => 'ann');
	my $b = OnsAgent->new($host, id => 'other', user => 'ann');
	$a->ws->send_text('{"type":"PING","payload":{"x":"' . 'x' x 1048576 . '"}}');
	is $a->ws->wait_close, 1009, 'a message over 1 MiB closes its connection with 1009';
	$b->ws->send_text('{"type":"PING","payload":{"timestamp":1}}');
	ok $b->next('PONG'), 'a message over 1 MiB closes no other connection';
	$b->ws->close;
}

# ---- two connections of one agent ----

{
	my $newer = OnsAgent->new($host, id => 'one', user => 'ann');
	my $c = $host->client;
	$c->send(POST => '/input', undef, { prompt => 'to the newest' });
	my $q = $newer->command;
	is $q->{command}, 'to the newest', 'commands go to the newest connection of an agent';
	$newer->complete($q->{commandId});
	$c->reply;
	$newer->ws->close;
	$c = $host->client;
	$c->send(POST => '/input', undef, { prompt => 'to the older' });
	$q = $ann->command;
	is $q && $q->{command}, 'to the older', 'an older connection is used when the newest has ended';
	$ann->complete($q->{commandId}) if $q;
	$c->reply;
}

# Two processes of one agent, each with a command and numbers of its own.
{
	my (@c, @q, @a);
	for my $n (0, 1) {
		$a[$n] = $n ? OnsAgent->new($host, id => 'one', user => 'ann') : $ann;
		$c[$n] = $host->client;
		$c[$n]->send(POST => '/input', undef, { prompt => "process $n" });
		$q[$n] = $a[$n]->command->{commandId};
	}
	for my $i (1 .. 3) { $a[$_]->output($q[$_], "$_-$i\n", sequence => $i) for 0, 1 }
	$a[$_]->complete($q[$_]) for 0, 1;
	is $c[$_]->reply->{json}{result}, "$_-1\n$_-2\n$_-3\n", "R8: output of process $_ of one agent is taken"
	    for 0, 1;
	$a[1]->ws->close;
}

# ---- an agent that never says that a command has ended ----

{
	$ann->ws->close;
	ok wait_for(10, sub { $host->metric('cohostd_agents_dialed_in') == 0 }), 'the agent is gone';
	$ann = OnsAgent->new($host, id => 'one', user => 'ann');
	my @c;
	for my $n (1, 2) {
		$c[$n] = $host->client;
		$c[$n]->send(POST => '/input', undef, { prompt => "silent $n" });
		my $q = $ann->command;
		is $q->{command}, "silent $n", "command $n of a silent agent is sent at once";
		$ann->output($q->{commandId}, "out $n\n");
	}
	is $c[1]->reply->{json}{result}, "out 1\n",
	    'a command of an agent that never reports ends is over with the next one';
	$ann->say(COMMAND_ACK => { commandId => 'nothing', status => 'EXECUTING' });
}

# ---- an agent that names its commands, and has not acknowledged one yet ----

{
	$ann->ws->close;
	ok wait_for(10, sub { $host->metric('cohostd_agents_dialed_in') == 0 }), 'the agent is gone again';
	$ann = OnsAgent->new($host, id => 'one', user => 'ann', says => { activeCommands => [] });
	my (@c, @q);
	for my $n (1, 2) {
		$c[$n] = $host->client;
		$c[$n]->send(POST => '/input', undef, { prompt => "early $n" });
		$q[$n] = $ann->command;
	}
	for my $n (1, 2) {
		$ann->output($q[$n]{commandId}, "late $n\n");
		$ann->complete($q[$n]{commandId});
		is $c[$n]->reply->{json}{result}, "late $n\n",
		    "command $n ends at the word of an agent that sends activeCommands";
	}
}
$ann->ws->close;
$host->stop;

# ---- without a secret ----

{
	delete local $ENV{ONSEMBL_JWT_SECRET};
	my $closed = CoHost->start(args => ['-w', 1]);
	my $a = OnsAgent->new($closed, id => 'one', token => $good);
	is $a->{welcome}{payload}{code}, 'UNAUTHORIZED', 'a server without a secret accepts no token';
	$a->ws->close;
	$closed->stop;
}
done_testing;
