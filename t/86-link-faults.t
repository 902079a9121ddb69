#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A relay that misbehaves, refuses, restarts or does not exist: the link drops what is no
# frame, says what is wrong, comes back, and loses no session.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Relay;
use Sign qw(:all);
use Test::More;

sub start {
	my ($relay, %o) = @_;
	return CoHost->start(relay => $relay->url, workers => 2,
		args => ['-o', 'trust=open', @{ $o{args} || [] }], %o{ grep { $_ ne 'args' } keys %o });
}

sub says {
	my ($host, $what, $n) = @_;
	return wait_for(20, sub { (() = $host->words =~ /$what/mg) >= ($n // 1) });
}

# ---- frames that are none ----

my $relay = Relay->start;
my $host = start($relay);
my $address = host_address($host);
ok $relay->agent($address), 'the agent is announced';
my $ws = $relay->client($address, session => {});
my @bad = ('{', '[]', '"x"', '{"type":"INPUT","prompt":"no session"}', '{"session_id":5}',
	'{"session_id":"s","conn_id":{}}', '{"type":"close"}', '');
$relay->tell_agents($_) for @bad;
ok wait_for(10, sub { $host->metric('cohostd_relay_bad_frames_total') == @bad }),
    'frames that are none are counted';
is +($ws->turn('echo still here'))[-1]{result}, 'still here',
    'frames that are none do not end the link';
$relay->tell_agents('{"type":"PING","session_id":null,"conn_id":null}');
$relay->tell_agents('{"type":"ERROR","error":"you are \u001b[31mnoisy"}');
ok says($host, qr/relay error: you are \\x1b\[31mnoisy/), 'an ERROR of the relay is shown';
is $host->metric('cohostd_relay_bad_frames_total'), scalar @bad,
    "the relay's own PING and ERROR are no bad frames";

# ---- what a client may not do ----

my $first = $relay->client($address);
$first->send_json({ type => 'INPUT', prompt => 'echo hi' });
is $first->next(type => 'ERROR')->{message}, 'authenticate first (send CONNECT)',
    'INPUT as the first frame through the relay needs a CONNECT before it';
$first->send_json({ type => 'CONNECT' });
ok $first->next(type => 'CONNECTED'), 'a CONNECT after that is served';
$first->close;

# ---- the connection ends ----

my $session = $ws->session_id;
$ws->send_json({ type => 'INPUT', prompt => 'stream 50 40', input_id => 'long' });
my $seen = $ws->next(type => 'tool_call');
$relay->cut_agents;
is $ws->wait_close, 1012, 'clients are told when their agent is gone';
ok $relay->agent($address, 2), 'the agent is announced again';
ok says($host, qr/^\[host\] relay disconnected \(it ended the connection\); reconnecting in 1 s$/m),
    'the end of the connection is mentioned';
ok says($host, qr/^\[host\] relay reconnected$/m), 'the new connection is mentioned';
my $back = $relay->client($address,
	session => { session_id => $session, last_msg_id => $seen->{id} });
is $back->connected->{status}, 'running', 'a turn goes on while the relay is away';
my @rest = $back->all_until('OUTPUT');
like $rest[-1]{result}, qr/50/, 'a client that comes back gets the end of its turn';
my %twice;
$twice{ $_->{id} // '' }++ for grep { $_->{id} } @rest;
ok !(grep { $_ > 1 } values %twice) && !exists $twice{ $seen->{id} },
    'no event comes twice after a break';

my $direct = $host->ws(session => { session_id => $session });
is $direct->connected->{session_id}, $session, 'a session of the relay may go on directly';
is +($direct->turn('echo direct'))[-1]{result}, 'direct', 'a turn runs directly in it';
my $again = $relay->client($address, session => { session_id => $session });
is $again->connected->{session_id}, $session, 'a direct session may go on through the relay';

# ---- the relay is away ----

$relay->stop;
ok says($host, qr/relay connection error \(\S+ cannot be reached: Connection refused\); reconnecting in 1 s/),
    'a relay that is away is mentioned';
ok says($host, qr/relay connection error .*; reconnecting in [23] s/), 'the second wait is longer';
$relay->again;
ok $relay->agent($address, 3), 'an agent is announced when its relay is back';
ok says($host, qr/^\[host\] relay reconnected$/m, 2), 'the relay that came back is mentioned';
is $host->metric('cohostd_relay_connected'), 1, 'one connection is open';
cmp_ok $host->metric('cohostd_relay_failures_total'), '>=', 3, 'losses and failures are counted';
$host->stop;
$relay->stop;

# ---- two hosts of one address ----

$relay = Relay->start;
$host = start($relay);
ok $relay->agent(undef, 1), 'an agent is announced at a relay that knows another';
for my $n (2 .. 4) {
	$relay->close_agents(4001);
	ok $relay->agent(undef, $n), "an agent that was replaced comes back, attempt $n";
}
ok says($host, qr/has another host of this address\); reconnecting in [45] s/),
    'an agent that is replaced again and again waits longer each time';
$host->stop;
$relay->stop;

# ---- older relays: no id of the connection, no ANNOUNCE_OK ----

$relay = Relay->start(routes => 'session', quiet => 1);
$host = start($relay);
$address = host_address($host);
ok $relay->agent($address), 'the agent is announced to an older relay';
my ($one, $two) = map { $relay->client($address) } 1, 2;
$_->send_json({ type => 'CONNECT' }) for $one, $two;
my @routes = map { $_->next(type => 'CONNECTED')->{session_id} } $one, $two;
like "@routes", qr/^routed-\S+ routed-\S+$/, 'an older relay tells clients apart by session';
is +($_->turn('echo old'))[-1]{result}, 'old', 'a client of an older relay is served' for $one, $two;
unlike $host->words, qr/✓ relay/, 'a relay that does not accept is not said to have';
$host->stop;
$relay->stop;

# ---- the relay refuses ----

$relay = Relay->start(error => 'Invalid signature');
$host = start($relay);
ok says($host, qr/relay error: Invalid signature/), 'a refused announcement is mentioned';
is $host->metric('cohostd_relay_connected'), 0, 'a refused announcement is no connection';
$host->stop;
$relay->stop;
done_testing;
