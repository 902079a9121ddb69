#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Bad input to the doors of Onsembl: each case is refused or bounded, counted, and harms nobody else.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use CoHost qw(wait_for);
use OnsAgent;
use Onsembl;
use Socket qw(SO_RCVBUF SOL_SOCKET);
use Test::More;

$ENV{ONSEMBL_JWT_SECRET} = $OnsAgent::SECRET;
my $host = CoHost->start(workers => 4, args => ['-o', 'onsembl_issuer=us', '-o', 'slow_reader_timeout=3']);

sub token { return Onsembl::token(user => 'ann', iss => 'us', @_) }

# How far these counters moved while this was done.
sub moved {
	my ($do, @counters) = @_;
	my %before = map { $_ => $host->metric("cohostd_$_") } @counters;
	$do->();
	return map { $host->metric("cohostd_$_") - $before{$_} } @counters;
}

my $good = OnsAgent->new($host, id => 'good', token => token());
my $page = Onsembl->dashboard($host, token => token());
$page->next('AGENT_STATUS');

# ---- tokens ----

my ($head, $claims, $mac) = split /\./, token();
my (undef, $other) = split /\./, token(user => 'eve');
for (
	['is forged', "$head.$other.$mac"],
	['has another secret', token(secret => 'y' x 40)],
	['has expired', token(exp => time - 600)],
	['has the algorithm none', token(header => { alg => 'none' })],
	['has the algorithm none and no signature', "$head.$claims."],
	['has another issuer', token(iss => 'them')],
	['has no issuer', Onsembl::token(user => 'ann')],
	['is from a clock 10 minutes ahead', token(iat => time + 600, exp => time + 4000)],
	['is of a clock 10 minutes behind and has ended', token(iat => time - 4200, exp => time - 600)],
	['is not valid yet', token(nbf => time + 600)],
	['is longer than 8 KiB', token(more => 'x' x 9000)],
	['has no user', Onsembl::token(iss => 'us')],
	['is a token to refresh', token(type => 'cli_refresh')])
{
	my ($name, $token) = @$_;
	my ($a, $d);
	my ($n) = moved(sub { $a = OnsAgent->new($host, id => 'new', token => $token) }, 'agents_refused_total');
	is $a->{welcome}{payload}{code}, 'UNAUTHORIZED', "an agent whose token $name is refused";
	is $n, 1, "an agent whose token $name is counted";
	($n) = moved(sub {
		$d = Onsembl->dashboard($host, token => $token);
		is $d->ask(DASHBOARD_INIT => { userId => 'ann' })->{payload}{code}, 'UNAUTHORIZED',
		    "a dashboard whose token $name is refused";
	}, 'onsembl_refused_total');
	is $n, 1, "a dashboard whose token $name is counted";
	is $host->http(GET => '/api/agents', { authorization => "Bearer $token" })->{status}, 401,
	    "a request whose token $name is refused";
	$_->ws->close for $a, $d;
}
my $early = OnsAgent->new($host, id => 'new', token => token(iat => time + 600, exp => time + 4000));
like $early->{welcome}{payload}{details}{reason}, qr/\b(?:599|60\d) s/,
    'an agent whose token is from a clock 10 minutes ahead is told by how much';
my $ahead = Onsembl->dashboard($host, token => token(iat => time + 600, exp => time + 4000));
like $ahead->ask(DASHBOARD_INIT => { userId => 'ann' })->{payload}{details}{reason}, qr/\b(?:599|60\d) s/,
    'a dashboard whose token is from a clock 10 minutes ahead is told by how much';
$_->ws->close for $early, $ahead;

# ---- agents ----

my $thief;
my ($n) = moved(sub { $thief = OnsAgent->new($host, id => 'good', token => Onsembl::token(user => 'eve', iss => 'us')) },
	'agents_refused_total');
is "$thief->{welcome}{payload}{code} $n", 'UNAUTHORIZED 1', 'the agent id of another user is refused and counted';
for my $id ('', 'a b', 'x' x 201, '../x') {
	is(OnsAgent->new($host, id => 'x', silent => 1)->ask(AGENT_CONNECT => { agentId => $id, agentType => 'mock',
		token => token() })->{payload}{code}, 'INVALID_MESSAGE', 'the agent id "' . substr($id, 0, 5) . '" is refused');
}
for (['agent' => OnsAgent->new($host, id => 'large', token => token())],
	['dashboard' => Onsembl->dashboard($host, token => token())])
{
	my ($name, $client) = @$_;
	my $long = '{"type":"PING","payload":{"x":"' . 'x' x 1048576 . '"}}';
	($n) = moved(sub {
		$client->ws->send_text(substr $long, 0, 1048577);
		is $client->ws->wait_close, 1009, "a message of 1 MiB and a byte closes the connection of its $name";
	}, 'websockets_oversized_total');
	is $n, 1, "a message of 1 MiB and a byte of the $name is counted";
}

# A flood of heartbeats, whose answers are not read until it is over.
my $flood = OnsAgent->new($host, id => 'flood', token => token());
my $metrics = { cpuUsage => 1, memoryUsage => 2, uptime => 3 };
($n) = moved(sub {
	$flood->say(AGENT_HEARTBEAT => { agentId => 'flood', healthMetrics => $metrics }) for 1 .. 5000;
	$good->ws->send_text('{"type":"PING","payload":{"timestamp":1}}');
	ok $good->next('PONG'), 'an agent is served during the flood of another';
	my $answers = 0;
	$answers++ while $answers < 5000 && $flood->next('SERVER_HEARTBEAT');
	is $answers, 5000, 'each heartbeat of a flood is answered';
}, 'agents_heartbeats_dropped_total');
cmp_ok $n, '>', 2500, 'heartbeats of a flood that are not kept are counted';
$flood->ws->close;

# ---- a dashboard that never reads ----

my $deaf = Onsembl->dashboard($host, token => token(), sockopts => [[SOL_SOCKET, SO_RCVBUF, 4096]]);
$deaf->say(COMMAND_REQUEST => { commandId => 'ten', agentId => 'good', command => 'x' });
$good->command;
$good->ask(COMMAND_ACK => { commandId => 'ten', status => 'EXECUTING' });
($n) = moved(sub {
	for my $i (1 .. 160) {
		$good->ask(TERMINAL_OUTPUT => { commandId => 'ten', content => 'x' x 65535 . "\n", streamType => 'STDOUT',
			sequence => $i }) or last;
	}
	is $good->complete('ten')->{payload}{completed}, JSON::PP::true,
	    'a command that prints 10 MB ends though its dashboard never reads';
	ok wait_for(30, sub { $host->metric('cohostd_onsembl_dashboards') == 1 }),
	    'a dashboard that never reads is disconnected';
}, 'slow_readers_total');
is $n, 1, 'a dashboard that never reads is counted';
$page->say(PING => { timestamp => 9 });
ok $page->next('PONG'), 'another dashboard is served after that';
$host->stop;
done_testing;
