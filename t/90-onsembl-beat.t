#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Signs of life of Onsembl's clients: which keep a connection, and what their absence does. The
# clock is moved, so nothing waits.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use OnsAgent;
use Onsembl;
use Test::More;

local $ENV{ONSEMBL_JWT_SECRET} = $OnsAgent::SECRET;
my $host = CoHost->start(clock => 1, args => ['-w', 4]);

sub token { return OnsAgent::token($_[0], exp => time + 100000) }

# Let time pass for an agent that gives its sign of life and reads nothing.
my %signs = (
	'WebSocket pings' => sub { $_[0]->ws->send_frame(9, 'here') },
	'JSON PONGs' => sub { $_[0]->say(PONG => { timestamp => 1 }) },
);
my %alive = map { $_ => OnsAgent->new($host, id => 'by-' . s/\W/-/gr, token => token('ann')) } keys %signs;
my $silent = OnsAgent->new($host, id => 'silent', token => token('ann'));
my $dash = Onsembl->dashboard($host, token => token('ann'));
$dash->next('DASHBOARD_CONNECTED');

# A dashboard as the known page has it: it says PING each 30 s and answers PING, and it gives up
# when no message came for 30 s.
my $page = Onsembl->dashboard($host, token => token('ann'));
$page->next('DASHBOARD_CONNECTED');
my (@pauses, @pongs);
for my $i (1 .. 15) {
	$host->pass(20);
	$signs{$_}->($alive{$_}) for keys %signs;
	push @pauses, 20 * $i unless $page->next('PING');
	$page->say(PONG => { timestamp => 1, latency => 1 });
	if ($i % 2) {
		$page->say(PING => { timestamp => $i, sequence => $i });
		push @pongs, $page->next('PONG')->{payload}{timestamp};
	}
	$dash->say(PONG => { timestamp => 1, latency => 1 });
	is $host->metric('cohostd_agents_dialed_in'), 3, 'B24: an agent that is silent for 80 s is kept' if $i == 4;
}
is "@pauses", '', 'B64: a page gets a message in every 20 s of five minutes';
is "@pongs", '1 3 5 7 9 11 13 15', 'B64: each PING of the page is answered';
is $page->ws->closed, undef, 'B64: a page that is idle for five minutes stays connected';

my $gone;
while (my $f = $dash->next('AGENT_DISCONNECT')) { $gone = $f->{payload}; last }
is $gone->{agentId}, 'silent', 'B24: an agent without any sign of life is reported as gone';
ok $silent->ws->wait_close, 'B24: the connection of a silent agent ends';
is $host->metric('cohostd_agents_silent_total'), 1, 'B24: silent agents are counted';
my %is_there = map { $_->{agent_id} => $_->{status} }
    @{ $host->http(GET => '/api/agents', { authorization => 'Bearer ' . token('ann') })->{json}{agents} };
is $is_there{'by-WebSocket-pings'}, 'online', 'B25: WebSocket pings alone keep an agent';
is $is_there{'by-JSON-PONGs'}, 'online', 'B26: JSON PONGs alone keep an agent';
is $is_there{silent}, 'offline', 'B24: a silent agent is offline';

# ---- an agent that never reports ends ----

sub status_of { my ($d, $agent) = @_; while (my $f = $d->next('AGENT_STATUS')) {
	return $f->{payload}{status} if $f->{payload}{agentId} eq $agent } }
my $start = OnsAgent->new($host, id => 'start', token => token('ann'));
$page->next('AGENT_CONNECTED');
$page->say(COMMAND_REQUEST => { commandId => 'one', agentId => 'start', command => 'x' });
$start->command;
1 until status_of($page, 'start') ne 'ONLINE';
$start->ask(TERMINAL_OUTPUT => { commandId => 'one', content => "a\n", streamType => 'STDOUT', sequence => 1 });
$host->pass(31);
is status_of($page, 'start'), 'ONLINE', 'R11: an agent that never reports ends is not busy after 30 s of silence';
$start->ask(TERMINAL_OUTPUT => { commandId => 'one', content => "b\n", streamType => 'STDOUT', sequence => 2 });
is status_of($page, 'start'), 'BUSY', 'R11: such an agent is busy again when it writes';
$page->say(COMMAND_REQUEST => { commandId => 'two', agentId => 'start', command => 'x' });
my @all = $page->until('COMMAND_COMPLETE');
is $all[-1]{payload}{commandId}, 'one', 'R10: a command of such an agent ends with the next one';
$host->stop;
done_testing;
