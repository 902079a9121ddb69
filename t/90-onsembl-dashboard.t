#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Dashboards of Onsembl, over four workers: who may come in, what they see of the agent that
# this server hosts, and its commands.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use CoHost qw(wait_for);
use Onsembl;
use Test::More;
use Time::HiRes qw(time);

$ENV{ONSEMBL_JWT_SECRET} = $Onsembl::SECRET;
my $host = CoHost->start(workers => 4, clock => 1, args => ['-o', 'stuck_timeout=86400', '-o', 'drain_timeout=1']);

# ---- who may come in ----

my $d = Onsembl->dashboard($host, user => 'ann');
my ($list, $status) = ($d->next('DASHBOARD_CONNECTED'), $d->next('AGENT_STATUS'));
my $agent = $list->{payload}{agents}[0];
is $agent->{type}, 'CUSTOM', 'B56: a dashboard with a token sees the hosted agent without INIT';
is $agent->{status}, 'ONLINE', 'the hosted agent is online';
is $status->{payload}{agentId}, $agent->{agentId}, 'the list is followed by the status of each agent';
is ref $agent->{capabilities}, 'ARRAY', 'capabilities are an array of words';
my $id = $agent->{agentId};

$d->say(DASHBOARD_INIT => { userId => 'ann',
	subscriptions => { agents => { all => JSON::PP::true }, commands => [],
		terminals => JSON::PP::true } });
my @all = $d->until('ACK');
is_deeply [map { $_->{type} } @all], [qw(DASHBOARD_CONNECTED AGENT_STATUS ACK)],
    'B53: INIT is answered with the list, the statuses and ACK, in this order';
is_deeply $all[-1]{payload}{subscriptions}, { agents => ['*'], commands => ['*'],
	traces => JSON::PP::false, terminals => JSON::PP::true },
    'B55: no array and an empty one mean all, an absent member none';
like $all[-1]{payload}{connectionId}, qr/^dashboard-\d+-[a-z0-9]{9}$/, 'ACK names the connection';
ok !(grep { !defined $_->{id} || $_->{timestamp} !~ /^\d+$/ } @all),
    'messages have an id and a timestamp';

is $d->ask(DASHBOARD_INIT => { userId => 'bob' })->{payload}{message},
    'Invalid authentication token', 'B54: INIT with another user is refused';

my $by_header = Onsembl->dashboard($host, header => 'Bearer ' . Onsembl::token(user => 'eve'));
ok $by_header->next('DASHBOARD_CONNECTED'), 'a token in the Authorization header is taken';

for my $bad (
	['no token', undef, 'No authentication token provided'],
	['a token with a wrong signature', Onsembl::token(user => 'ann', secret => 'x' x 40)],
	['an expired token', Onsembl::token(user => 'ann', exp => time - 600)],
	['a token of another algorithm', Onsembl::token(user => 'ann', header => { alg => 'none' })],
	['a token to refresh', Onsembl::token(user => 'ann', type => 'cli_refresh')],
	['a token of a clock that is 10 minutes ahead',
		Onsembl::token(user => 'ann', iat => time + 600, exp => time + 4000)],
	['a token for others', Onsembl::token(user => 'ann', aud => 'others')],
	['no token but a word', 'hello'])
{
	my ($name, $token, $message) = @$bad;
	my $b = Onsembl->dashboard($host, token => $token);
	is $b->ws->status, 101, "the upgrade of a dashboard with $name is accepted";
	my $e = $b->ask(DASHBOARD_INIT => { userId => 'ann' });
	is "$e->{payload}{code}: $e->{payload}{message}",
	    'UNAUTHORIZED: ' . ($message // 'Invalid authentication token'),
	    "a dashboard with $name is refused";
	$e = $b->ask(COMMAND_REQUEST => { agentId => $id, command => 'hi' });
	is $e->{payload}{message}, 'Must be authenticated to send commands',
	    "B42: a dashboard with $name sends no commands";
	is $b->ask(DASHBOARD_INIT => { token => Onsembl::token(user => 'ann') })->{type}, 'ACK',
	    "a dashboard with $name may show a good token later";
}

my $silent = Onsembl->dashboard($host);
$host->pass(31);
is $silent->next('ERROR')->{payload}{code}, 'AUTH_TIMEOUT', 'B57: a dashboard has 30 s to show a token';
is $silent->closed, 1008, 'B57: a dashboard without a token is closed then';
ok $d->next('PING'), 'B63: a silent dashboard is sent a PING';

# ---- messages that cannot be taken ----

for my $bad (
	['{', 'INTERNAL_ERROR', 'Failed to process message'],
	['{"type":"PING"}', 'INVALID_MESSAGE', 'Invalid message format'],
	['{"type":"NO_SUCH","payload":{}}', 'UNKNOWN_MESSAGE_TYPE', 'Unknown message type: NO_SUCH'],
	['{"type":"AGENT_CONNECT","payload":{}}', 'INVALID_MESSAGE_TYPE',
		'Message type not allowed for dashboard'],
	['{"type":"COMMAND_REQUEST","payload":{"command":"x"}}', 'INVALID_MESSAGE',
		'Invalid message format'])
{
	my ($text, $code, $message) = @$bad;
	$d->send_text($text);
	my $e = $d->next('ERROR');
	is "$e->{payload}{code}: $e->{payload}{message}", "$code: $message", "$text is refused by ERROR";
}

# ---- commands ----

sub run_command {
	my ($dash, $command, $text, %more) = @_;
	$dash->say(COMMAND_REQUEST => { commandId => $command, agentId => $id, command => $text, %more });
	return $dash->until('COMMAND_COMPLETE');
}

# The form of the seed has neither id nor timestamp.
$d->send_text(qq({"type":"COMMAND_REQUEST","payload":{"commandId":"cmd-1","agentId":"$id",)
    . '"command":"hello","priority":"normal","arguments":[]}}');
@all = grep { $_->{type} !~ /^AGENT_/ } $d->until('COMMAND_COMPLETE');
is $all[0]{type}, 'ACK', 'B29: a command is acknowledged';
is $all[0]{payload}{commandId}, 'cmd-1', 'B29: the ACK names the command';
is_deeply [Onsembl::states('cmd-1', @all)], [qw(QUEUED EXECUTING COMPLETED)],
    'a command is queued, executes and completes';
like Onsembl::output('cmd-1', @all), qr/\S.*\n\z/s, 'the answer is output, with a line end';
is $all[-1]{payload}{exitCode}, 0, 'COMMAND_COMPLETE has an exit code';
ok !(grep { $_->{type} eq 'COMMAND_STATUS' && $_->{payload}{timestamp} !~ /^\d+$/ } @all),
    'B36: each COMMAND_STATUS has a numeric timestamp';

my $ack = $d->ask(COMMAND_REQUEST => { agentId => $id, content => 'hello' });
like $ack->{payload}{commandId}, qr/^cmd-\d+-/, 'B31: a command without an id gets one, and content is a command';
$d->until('COMMAND_COMPLETE');

$d->ask(DASHBOARD_SUBSCRIBE => { type => 'trace', all => JSON::PP::true });
@all = run_command($d, 'cmd-tool', 'calculate 2+3');
my ($trace) = grep { $_->{type} eq 'TRACE_STREAM' } @all;
is $trace->{payload}{trace}{type}, 'TOOL_CALL', 'a call of a tool is a trace';
is $trace->{payload}{trace}{content}{toolName}, 'calculate', 'the trace names the tool';
is scalar(() = Onsembl::output('cmd-tool', @all) =~ /5/g) > 0, 1, 'the result of the tool is output';

my $e = $d->ask(COMMAND_REQUEST => { commandId => 'cmd-lost', agentId => 'nobody', command => 'x' });
is $e->{payload}{code}, 'ROUTING_FAILED', 'B30: a command to no agent fails';
is $e->{payload}{context}{commandId}, 'cmd-lost', 'B30: the error names the command in its context';
is $e->{payload}{details}{commandId}, 'cmd-lost', 'B30: the error names the command in its details';
ok !exists $e->{payload}{context}{agentId}, 'the context of an error names no agent';

# ---- questions ----

$d->say(COMMAND_REQUEST => { commandId => 'cmd-ask', agentId => $id, command => 'ask Which?|red|green' });
my $question = $d->next('TERMINAL_STREAM');
like $question->{payload}{content}, qr/\? Which\?\n  - red\n  - green\n/, 'a question is output';
$d->say(COMMAND_REQUEST => { commandId => 'cmd-answer', agentId => $id, command => 'green' });
@all = ($d->until('COMMAND_COMPLETE'), $d->until('COMMAND_COMPLETE'));
is_deeply [Onsembl::states('cmd-answer', @all)], ['COMPLETED'], 'the next command is the answer';
like Onsembl::output('cmd-ask', @all), qr/You answered: green/, 'the agent gets the answer';
is_deeply $question->{payload}{question}, { kind => 'ask_user', text => 'Which?', options => [qw(red green)] },
    'programs can read a question of the hosted agent';

my $late = $d->ask(COMMAND_REQUEST => { commandId => 'cmd-late', agentId => $id, command => 'red',
	answerTo => 'cmd-ask' });
is $late->{payload}{details}{reason}, 'the command of answerTo does not wait for an answer',
    'an answer that comes too late is refused';
$d->say(COMMAND_REQUEST => { commandId => 'cmd-may', agentId => $id, command => 'approve rm -r x' });
do { $question = $d->next('TERMINAL_STREAM') } until !$question || $question->{payload}{question};
is $question->{payload}{question}{kind}, 'approval_needed', 'a question for approval says what it is';
is $question->{payload}{question}{tool}, 'rm -r x', 'a question for approval names the tool';
$d->say(COMMAND_REQUEST => { commandId => 'cmd-yes', agentId => $id, command => 'yes', answerTo => 'cmd-may' });
@all = ($d->until('COMMAND_COMPLETE'), $d->until('COMMAND_COMPLETE'));
is_deeply [Onsembl::states('cmd-yes', @all), Onsembl::states('cmd-may', @all)],
    [qw(COMPLETED EXECUTING COMPLETED)], 'an answer by answerTo goes to its command';
is_deeply [grep { defined } map { $_->{payload}{answered} } @all], ['approval_needed'],
    'a dashboard is told that a question was answered';

# ---- isolation, over all workers ----

my @dashes = map { Onsembl->dashboard($host, user => $_ % 2 ? 'ann' : 'bob') } 1 .. 8;
$_->next('AGENT_STATUS') for @dashes;
for my $i (0 .. $#dashes) {
	$dashes[$i]->say(COMMAND_REQUEST => { commandId => "iso-$i", agentId => $id, command => "stream 20 1" });
}
for my $i (0 .. $#dashes) {
	my @mine = $dashes[$i]->until('COMMAND_COMPLETE');
	my %of = map { $_->{payload}{commandId} => 1 } grep { defined $_->{payload}{commandId} } @mine;
	is_deeply [keys %of], ["iso-$i"], "B44: dashboard $i sees its own command and no other";
	my @sequences = map { $_->{payload}{sequence} } grep { $_->{type} eq 'TERMINAL_STREAM' } @mine;
	is_deeply \@sequences, [sort { $a <=> $b } keys %{ { map { $_ => 1 } @sequences } }],
	    "B43: dashboard $i sees its output once and in order";
}

# ---- commands of others, and stopping ----

my ($ann, $bob) = @dashes[0, 1];
$ann->say(COMMAND_REQUEST => { commandId => 'long', agentId => $id, command => 'sleep 60000' });
$ann->next('COMMAND_STATUS') for 1 .. 2;
$e = $bob->ask(COMMAND_CANCEL => { commandId => 'long' });
is "$e->{payload}{code}: $e->{payload}{message}",
    'FORBIDDEN: Cannot cancel command from another dashboard',
    'B38: another dashboard cannot cancel a command';
$e = $bob->ask(COMMAND_REQUEST => { commandId => 'long', agentId => $id, command => 'hello' });
is $e->{payload}{code}, 'FORBIDDEN', 'the id of a command of another user cannot be used';
ok wait_for(5, sub { grep { $_->{type} eq 'AGENT_STATUS' && $_->{payload}{status} eq 'BUSY' } $d->settle }),
    'B61: an agent with a command is busy';
is $ann->ask(COMMAND_CANCEL => { commandId => 'long' })->{type}, 'ACK',
    'B38, B39: the dashboard of a command cancels it, without naming the agent';
@all = $ann->until('COMMAND_COMPLETE');
is $all[-1]{payload}{status}, 'CANCELLED', 'a command that its dashboard cancels ends as CANCELLED';

$ann->say(COMMAND_REQUEST => { commandId => "many-$_", agentId => $id, command => 'sleep 60000' }) for 1 .. 3;
$ann->next('ACK') for 1 .. 3;
is $ann->ask(AGENT_CONTROL => { agentId => $id, action => 'STOP' })->{type}, 'ACK',
    'the hosted agent can be stopped';
is $ann->next('COMMAND_COMPLETE')->{payload}{status}, 'CANCELLED', "STOP cancels command $_ of three" for 1 .. 3;
$e = $ann->ask(AGENT_CONTROL => { agentId => $id, action => 'RESTART' });
is $e->{payload}{message}, 'Failed to route control command to agent', 'the hosted agent cannot be restarted';

# ---- subscriptions and tokens ----

$ack = $ann->ask(DASHBOARD_UNSUBSCRIBE => { type => 'agent', all => JSON::PP::true });
is_deeply $ack->{payload}{subscriptions}{agents}, [], 'B62: a dashboard can stop watching agents';
$ann->say(DASHBOARD_SUBSCRIBE => { type => 'agent', id => $id });
@all = $ann->until('ACK');
is_deeply $all[-1]{payload}{subscriptions}{agents}, [$id], 'B62: a dashboard can watch one agent';
is $all[0]{type}, 'AGENT_STATUS', 'B62: the status of that agent comes before the ACK';
$e = $ann->ask(DASHBOARD_SUBSCRIBE => { type => 'weather' });
is $e->{payload}{code}, 'SUBSCRIPTION_FAILED', 'an unknown subscription is refused';
is $ann->ask(TOKEN_REFRESH => { accessToken => Onsembl::token(user => 'ann') })->{type}, 'ACK',
    'B65: a new token of the same user is taken';
$e = $ann->ask(TOKEN_REFRESH => { accessToken => Onsembl::token(user => 'eve') });
is $e->{payload}{code}, 'UNAUTHORIZED', 'B65: a new token of another user is refused';

# ---- a dashboard that leaves, and one that does not answer ----

$bob->say(COMMAND_REQUEST => { commandId => 'left', agentId => $id, command => 'stream 100 20' });
$bob->next('TERMINAL_STREAM');
$bob->ws->close(how => 'cut');
my $again = Onsembl->dashboard($host, user => 'bob');
is $again->ask(DASHBOARD_SUBSCRIBE => { type => 'command', id => 'left' })->{type}, 'ACK',
    'a command of a dashboard that is gone can be watched again';
ok $again->next('TERMINAL_STREAM'), 'output goes on at the dashboard that watches it again';
my @foreign = grep { ($_->{payload}{commandId} // '') eq 'left' } map { $_->settle } $ann, $d;
is scalar(@foreign), 0, 'B50: output of a dashboard that is gone reaches no other';

my $deaf = Onsembl->dashboard($host, user => 'ann');
$deaf->next('AGENT_STATUS');
$host->pass(21) && select undef, undef, undef, 0.3 for 1 .. 4;
is $deaf->closed, 1001, 'a dashboard that answers no PING for a minute is closed, to come back';

# ---- an hour ----

my $old = Onsembl->dashboard($host, user => 'ann');
$old->ask(COMMAND_REQUEST => { commandId => "old-$_", agentId => $id, command => 'sleep 86400000' }) for 1, 2;
$host->pass(3500);
my $fresh = $old->next('TOKEN_REFRESH');
is $fresh->{payload}{expiresIn}, 3600, 'B66: a token that ends soon is replaced, by one for 3600 seconds';
ok(Onsembl->dashboard($host, token => $fresh->{payload}{accessToken})->next('DASHBOARD_CONNECTED'),
    'B66: the new token is good');
is $old->ask(COMMAND_CANCEL => { commandId => 'old-1' })->{type}, 'ACK',
    'B51: a dashboard has its command for an hour';
$host->pass(200);
$old->next('PING');
is $old->ask(COMMAND_CANCEL => { commandId => 'old-2' })->{payload}{code}, 'FORBIDDEN',
    'B51: a dashboard does not have its command after an hour';

$host->stop;
done_testing;
