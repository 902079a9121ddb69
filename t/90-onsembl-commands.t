#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Commands of Onsembl by HTTP, and what they wrote, in any of four workers.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use CoHost qw(wait_for);
use OnsAgent;
use Onsembl;
use Test::More;

$ENV{ONSEMBL_JWT_SECRET} = $OnsAgent::SECRET;
$Onsembl::SECRET = $OnsAgent::SECRET;
my $host = CoHost->start(workers => 4, args => ['-o', 'onsembl_shared=false']);
my $agent = OnsAgent->new($host, id => 'mock-1', user => 'ann');

sub ask {
	my ($user, $method, $path, @body) = @_;
	return $host->http($method => $path,
		{ $user ? (authorization => 'Bearer ' . Onsembl::token(user => $user)) : () }, @body);
}

sub order { return ask('ann', POST => '/api/commands', { content => $_[0], targetAgents => ['mock-1'], priority => 70 }) }

my $r = order('npm test');
is $r->{status}, 201, 'a command by HTTP is created';
my $id = $r->{json}{id};
is_deeply [@{ $r->{json} }{qw(userId content targetAgents)}], ['ann', 'npm test', ['mock-1']],
    'a command by HTTP is told as it was sent';
my $c = $agent->command;
is_deeply [@$c{qw(commandId command priority userId)}], [$id, 'npm test', 'high', 'ann'],
    'the agent is sent a command by HTTP';
is ask('ann', GET => "/api/commands/$id")->{json}{status}, 'EXECUTING', 'a command that runs is executing';
$agent->output($id, "\e[31mone\e[0m\n");
$agent->output($id, "two\n", streamType => 'STDERR');
$agent->complete($id, exitCode => 0);
ok wait_for(20, sub { ask('ann', GET => "/api/commands/$id")->{json}{status} eq 'COMPLETED' }),
    'a command that has ended is completed';
like ask('ann', GET => "/api/commands/$id")->{json}{completedAt}, qr/^\d{4}-\d\d-\d\dT/,
    'a command that has ended has the time of its end';

# Output.
my $path = '/api/agents/mock-1/terminal-output';
my $out = ask('ann', GET => $path)->{json};
is_deeply [map { "$_->{type} $_->{command_id} $_->{agent_id} $_->{output}" } @{ $out->{outputs} }],
    ["stdout $id mock-1 \e[31mone\e[0m\n", "stderr $id mock-1 two\n"],
    'B74: the history of an agent has what its commands wrote, with its colours';
is_deeply [@$out{qw(total limit offset)}], [2, 1000, 0], 'B74: the history of an agent has its bounds';
for my $case (['type=stderr', "two\n"], ['limit=1', "\e[31mone\e[0m\n"], ['offset=1', "two\n"],
	["commandId=$id&type=stderr", "two\n"], ['commandId=x', ''], ['since=2099-01-01T00:00:00Z', ''],
	['since=2001-01-01T00:00:00Z&type=stderr', "two\n"])
{
	my ($query, $text) = @$case;
	is join('', map { $_->{output} } @{ ask('ann', GET => "$path?$query")->{json}{outputs} }), $text,
	    "B74: the history with '" . ($query =~ s/cmd-[^&]*/ID/r) . "' has what is asked for";
}
is ask('ann', GET => "$path?$_")->{status}, 400, "a history with $_ is refused" for qw(type=x since=x limit=0 limit=10001);
is join('', map { $_->{output} } @{ ask('ann', GET => "/api/commands/$id/output")->{json}{outputs} }),
    "\e[31mone\e[0m\ntwo\n", 'a command has what it wrote';

# Lists, and a command of a dashboard among them.
my $d = Onsembl->dashboard($host, user => 'ann');
$d->next('AGENT_STATUS');
$d->say(COMMAND_REQUEST => { commandId => 'mine', agentId => 'mock-1', command => 'ls' });
$agent->complete($agent->command->{commandId}, status => 'FAILED', exitCode => 1, error => 'no');
ok wait_for(20, sub { ask('ann', GET => '/api/commands/mine')->{json}{status} eq 'FAILED' }),
    "HTTP tells of a dashboard's command that failed";
my $list = ask('ann', GET => '/api/commands')->{json};
is_deeply [map { "$_->{id} $_->{content} $_->{status}" } @{ $list->{commands} }],
    ['mine ls FAILED', "$id npm test COMPLETED"], 'the list of commands has those of dashboards, the newest first';
is $list->{total}, 2, 'the list of commands counts them';
is_deeply [map { $_->{id} } @{ ask('ann', GET => '/api/commands?limit=1&offset=1')->{json}{commands} }], [$id],
    'a page of the list of commands has its part';

# Cancelling.
my $long = order('sleep')->{json}{id};
$agent->command;
is_deeply ask('ann', DELETE => "/api/commands/$long/cancel")->{json},
    { success => JSON::PP::true, message => 'Command cancelled successfully' }, 'a command by HTTP is cancelled';
is $agent->next('COMMAND_CANCEL')->{payload}{commandId}, $long, 'the agent is told of a cancellation by HTTP';
$agent->complete($long, status => 'CANCELLED', exitCode => 130);
ok wait_for(20, sub { ask('ann', DELETE => "/api/commands/$long/cancel")->{status} == 400 }),
    'a command that has ended cannot be cancelled';

# Other users, and bad input.
for my $case ([GET => "/api/commands/$id"], [GET => "/api/commands/$id/output"], [GET => $path],
	[DELETE => "/api/commands/$id/cancel"])
{
	my ($method, $where) = @$case;
	my $name = $where =~ s/cmd-[^\/]*/ID/r;
	is ask('bob', $method => $where)->{status}, 404, "$method $name of another user is not found";
	is ask(undef, $method => $where)->{status}, 401, "$method $name without a token is refused";
}
is_deeply ask('bob', GET => '/api/commands')->{json}{commands}, [], 'the commands of another user are not listed';
is ask('bob', POST => '/api/commands', { content => 'x', targetAgents => ['mock-1'] })->{status}, 404,
    'a command by HTTP to the agent of another user is refused';
is ask('ann', GET => '/api/commands/x')->{status}, 404, 'an unknown command is not found';
is ask('ann', POST => '/api/commands', $_->[1])->{status}, 400, "a command by HTTP with $_->[0] is refused"
    for ['no content', { targetAgents => ['mock-1'] }], ['no agent', { content => 'x' }],
    ['two agents', { content => 'x', targetAgents => ['mock-1', 'mock-2'] }], ['a list as body', []];

# More than is read in one tick, behind what other commands wrote.
my $large = order('make')->{json}{id};
$agent->command;
$agent->output($large, chr(ord('a') + $_) x 100_000) for 0 .. 11;
$agent->complete($large, exitCode => 0);
ok wait_for(20, sub { ask('ann', GET => "/api/commands/$large")->{json}{status} eq 'COMPLETED' }),
    'a command that wrote 1.2 MB has completed';
my $whole = join '', map { chr(ord('a') + $_) x 100_000 } 0 .. 11;
ok join('', map { $_->{output} } @{ ask('ann', GET => "/api/commands/$large/output")->{json}{outputs} }) eq $whole,
    'the history of a command has 1.2 MB of output in order';
my $history = ask('ann', GET => $path)->{json};
is $history->{outputs}[0]{command_id}, $id, 'the history of an agent begins with its first command';
ok join('', map { $_->{output} } @{ $history->{outputs} }) =~ /\Q$whole\E\z/,
    'the history of an agent has 1.2 MB of output in order';
$agent->vanish;
ok wait_for(20, sub { order('x')->{status} == 409 }), 'a command by HTTP to an agent that is gone is refused';
$host->stop;
done_testing;
