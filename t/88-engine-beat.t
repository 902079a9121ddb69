#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Time in Engine.IO: pings, clients that do not answer them, upgrades that are not finished
# and clients that never connect. The test moves the clock.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use SIO;
use Test::More;

my $host = CoHost->start(workers => 4, clock => 1);
my %in = (conversation_id => 'beat');

# The next message of a WebSocket that is no event.
sub message {
	my ($c) = @_;
	while (defined(my $text = $c->ws->next_text)) {
		return $text unless $text =~ /^42/;
	}
	return 'closed';
}

# ---- WebSockets ----

my $c = SIO->websocket($host, %in);
$c->connect;
for my $n (1 .. 2) {
	$host->pass(25);
	is message($c), '2', "A22: ping $n comes after 25 seconds";
	$c->send('3');
	$c->send("42$n\[\"x\"]");
	is message($c), "43$n\[]", "A22: the session goes on after pong $n";
}
$host->pass(25);
is message($c), '2', 'A22: ping 3 comes after 25 seconds';
$c->send('424["x"]');
is message($c), '434[]', 'a client may send before its pong';
$host->pass(20);
ok defined $c->wait_close, 'A23: a client that does not answer a ping is cut';
ok CoHost::wait_for(10, sub { $host->metric('cohostd_socketio_silent_total') == 1 }),
    'A23: it is counted';

my $busy = SIO->websocket($host, conversation_id => 'busy');
$busy->connect;
$busy->emit(oh_user_action => { type => 'message', message => 'stream 2000 20' });
$busy->event(sub { ($_[0]{action} // '') eq 'call_tool_mcp' });
$host->pass(25);
is message($busy), '2', 'R24: a ping comes while events stream';
$busy->event(sub { ($_[0]{action} // '') eq 'call_tool_mcp' });
pass 'R24: events go on after the ping';
$busy->emit(oh_user_action => { action => 'change_agent_state', args => { agent_state => 'stopped' } });
$busy->event(sub { ($_[0]{extras}{agent_state} // '') eq 'stopped' });
$busy->ws->close;

# ---- polling ----

my $p = SIO->polling($host, %in);
$p->connect;
$p->event(sub { 1 });
$p->begin_poll;
$host->pass(25);
is join(' ', $p->poll), '2', 'A22: a poll that waits gets a ping after 25 seconds';
$p->send('3');
$p->begin_poll;
$host->pass(24);
ok $p->post('421["x"]')->{status} == 200, 'A22: a session that was answered lives on';
is join(' ', $p->poll), '431[]', 'A22: no second ping comes before its time';
$host->pass(1);
is join(' ', $p->poll), '2', 'A22: the second ping comes 25 seconds after the pong';
$host->pass(21);
ok CoHost::wait_for(20, sub { $host->http(GET => $p->path('polling'))->{status} == 400 }),
    'A23: a polling client that does not answer a ping is forgotten';
ok CoHost::wait_for(20, sub { $host->metric('cohostd_polling_silent_total') >= 1 }),
    'A23: a polling client that was forgotten is counted';

# ---- upgrades ----

$p = SIO->polling($host, %in);
$p->connect;
my $ws = $p->probe;
$host->pass(10);
ok defined WS::wait_close($ws), 'A21: an upgrade that is not finished in 10 seconds is closed';
$p->send('425["x"]');
my $got = '';
$got .= join ' ', $p->poll until $got =~ /43/;
like $got, qr/435\[\]/, 'A21: its session goes on polling';

$p = SIO->polling($host, %in);
$p->connect;
$p->upgrade;
# Until the server has read the end of the upgrade, its time limit is what passes.
$p->send('427["x"]');
is message($p), '437[]', 'A22: a client that upgraded is answered';
$host->pass(25);
is message($p), '2', 'A22: a client that upgraded is pinged';
$p->send('3', '428["x"]');
is message($p), '438[]', 'A22: a client that upgraded is answered after its pong';
$host->pass(30);
$p->send('3', '426["x"]');
like message($p), qr/^(?:2|436\[\])$/, 'A23: a client that upgraded and answers lives on';
$p->ws->close;

# ---- clients that never connect ----

$c = SIO->websocket($host);
$host->pass(20);
$host->pass(6);
is message($c), '2', 'a client without a conversation is pinged';
$c->send('3');
$host->pass(20);
ok defined $c->wait_close, 'a client that does not connect within 45 seconds is closed';

$p = SIO->polling($host, %in);
$p->begin_poll;
$host->pass(25);
is join('', $p->poll), '2', 'a polling client that does not connect is pinged';
$p->send('3');
$p->begin_poll;
$host->pass(21);
is join('', $p->poll), '6', 'a polling client that does not connect within 45 seconds is released';
is $host->http(GET => $p->path('polling'))->{status}, 400,
    'the session of a polling client that does not connect ends';

$host->pass(60);
ok CoHost::wait_for(20, sub { $host->metric('cohostd_polling_sessions') == 0 }),
    'the table of polling clients is empty in the end';
$host->stop;
done_testing;
