#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What the known programs of Onsembl need from a server (R2 to R21), in any of four workers.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use CoHost qw(wait_for);
use OnsAgent;
use Onsembl;
use Socket qw(SO_RCVBUF SOL_SOCKET);
use Test::More;

$ENV{ONSEMBL_JWT_SECRET} = $OnsAgent::SECRET;
my $host = CoHost->start(workers => 4, args => ['-o', 'allowed_origins=https://dashboard.example']);

sub dash {
	my $d = Onsembl->dashboard($host, user => 'ann', @_);
	my $hosted = $d->next('DASHBOARD_CONNECTED')->{payload}{agents}[0]{agentId};
	return wantarray ? ($d, $hosted) : $d;
}

# ---- workers that die ----

$host->kill_worker($_) for $host->workers;
my $agent = OnsAgent->new($host, id => 'one', user => 'ann');
is $agent->{welcome}{type}, 'ACK', 'R2: an agent that comes while no worker runs is not refused';
my ($d, $hosted) = dash();
ok $hosted, 'R2: a dashboard that comes while no worker runs is not refused';

# ---- the end of a connection ----

for my $code (1000, 1001, 4000, 4001) {
	my $leaves = dash();
	$leaves->ws->send_frame(8, pack 'n', $code);
	is $leaves->closed, $code, "R4: a dashboard that closes with $code gets that code back";
	ok !$leaves->ws->{http}->fill(time + 20) && $leaves->ws->{http}{is_eof},
	    "R4: the connection of a dashboard that closes with $code ends";
	my $goes = OnsAgent->new($host, id => 'leaves', user => 'ann');
	$goes->ws->send_frame(8, pack 'n', $code);
	is $goes->ws->wait_close, $code, "R4: an agent that closes with $code gets that code back";
}
{
	my ($busy, $id) = dash(sockopts => [[SOL_SOCKET, SO_RCVBUF, 4096]]);
	$busy->say(COMMAND_REQUEST => { commandId => 'flood', agentId => $id, command => 'think 10000000' });
	$busy->next('TERMINAL_STREAM');
	$busy->ws->send_frame(8, pack 'n', 4001);
	my $n = 0;
	while (defined(my $text = $busy->ws->next_text(20))) { $n += length $text; last if $n > 32_000_000 }
	is $busy->ws->closed, 4001, 'R4: a close is answered though the command of the dashboard writes on';
	cmp_ok $n, '<', 32_000_000, 'R4: the answer to a close does not wait for the end of the output';
	ok $d->ask(DASHBOARD_SUBSCRIBE => { type => 'command', id => 'flood' }), 'the command is found';
	is $d->ask(COMMAND_CANCEL => { commandId => 'flood' })->{type}, 'ACK', 'the command is cancelled';
	$d->until('COMMAND_COMPLETE');
}

# ---- commands ----

my $page = Onsembl->dashboard($host, user => 'ann');
$page->say(DASHBOARD_INIT => { userId => 'ann', subscriptions => { agents => { all => \1 }, commands => { all => \1 },
	terminals => \1, traces => \1 } });
$page->say(COMMAND_REQUEST => { commandId => "queued-$_", agentId => 'one', content => "line $_\nand more" },
	timestamp => 1700000000000 + $_) for 1 .. 5;
my @got = map { $agent->command } 1 .. 5;
is_deeply [map { $_->{commandId} } @got], [map { "queued-$_" } 1 .. 5],
    'R20: commands that a page has queued with old times run in their order';
is_deeply [@{ $got[0] }{qw(command args env)}], ["line 1\nand more", [], {}],
    'R9: a content of several lines is the command, with arguments and environment';
$agent->complete($_->{commandId}) for @got;
$page->next('COMMAND_COMPLETE') for @got;
my $e = $page->ask(COMMAND_REQUEST => { commandId => 'lost', agentId => 'nobody', command => 'x' })->{payload};
is_deeply [$e->{details}{commandId}, $e->{context}], ['lost', { commandId => 'lost' }],
    'R13: an error names the command in details and context, and no agent in context';

# ---- output ----

my %of = (commandId => 'much', agentId => 'one');
$page->say(COMMAND_REQUEST => { %of, command => 'x' });
$agent->command;
my @pieces = (map { chr(ord('a') + $_ % 26) x 65536 } 0 .. 49);
$agent->say(TERMINAL_OUTPUT => { %of, content => $pieces[$_], streamType => 'STDOUT', sequence => $_ + 1 }, id => 'much-1')
    for 0 .. $#pieces;
$agent->ws->send_frame(9, 'under load');
ok wait_for(20, sub { $agent->ask(AGENT_ERROR => { message => 'x' }); grep { $_ eq 'under load' } @{ $agent->ws->pongs } }),
    'R7: a ping behind a burst of 3 MB gets its pong';
my $text = '';
while (length $text < 50 * 65536) { $text .= ($page->next('TERMINAL_STREAM') // last)->{payload}{content} }
ok $text eq join('', @pieces), 'R18: a burst of 50 pieces of 64 KiB arrives once and in order';
$agent->output('much', "\x{fffd} bar 10%\rbar 20%\r\n", sequence => 51);
is $page->next('TERMINAL_STREAM')->{payload}{content}, "\x{fffd} bar 10%\rbar 20%\r\n",
    'R18: broken characters and lone carriage returns stay as they are';

$agent->output('much', "\n", sequence => 52, isBlank => JSON::PP::true);
my $blank = $page->next('TERMINAL_STREAM')->{payload};
is_deeply [@$blank{qw(isBlank sequence)}], [JSON::PP::true, 52],
    'B45: a dashboard is told of a blank line, with the number of its agent';

my %colours = (
	'the whole piece' => ["red and bold\n", "\e[31mred\e[0m and \e[1mbold\e[0m\n", "\e[31mred\e[0m and \e[1mbold\e[0m\n"],
	'one sequence' => ["plain\n", "\e[32m", "plain\n"],
	'no codes' => ["\e[1mown\e[0m\n", undef, "\e[1mown\e[0m\n"],
);
my $n = 52;
for my $name (sort keys %colours) {
	my ($content, $codes, $want) = @{ $colours{$name} };
	$agent->output('much', $content, sequence => ++$n, defined $codes ? (ansiCodes => $codes) : ());
	my $p = $page->next('TERMINAL_STREAM')->{payload};
	is $p->{content}, $want, "R12: output whose ansiCodes are $name has the colours that are known";
	ok !exists $p->{ansiCodes}, "R12: output whose ansiCodes are $name is shown without ansiCodes";
}

# A process of the agent that starts again counts from 1, also for a command that it knows.
$agent->vanish;
$agent = OnsAgent->new($host, id => 'one', user => 'ann');
$agent->output('much', "again $_\n", sequence => $_) for 1, 2;
is join('', map { $page->next('TERMINAL_STREAM')->{payload}{content} } 1, 2), "again 1\nagain 2\n",
    'R19: numbers of another process of the agent begin at 1';
$agent->complete('much');

# ---- pages of other origins ----

my $ws = $host->ws(path => '/ws/dashboard?token=' . Onsembl::token(user => 'ann'),
	headers => { origin => 'https://other.example' });
is $ws->status, 101, 'R21: a page of another origin opens its WebSocket';
my $r = $host->http(GET => '/api/agents', { origin => 'https://dashboard.example',
	authorization => 'Bearer ' . Onsembl::token(user => 'ann') });
is $r->{header}{'access-control-allow-origin'}, 'https://dashboard.example', 'R21: a page of an allowed origin may read the agents';
$ws->close;
$host->stop;
done_testing;
