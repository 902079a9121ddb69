#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Engine.IO 4 on four workers: handshakes, polls, POSTs and the upgrade, each request on a
# connection of its own, and the errors with their codes.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use SIO;
use Test::More;
use Time::HiRes qw(time);

my $host = CoHost->start(workers => 4);
my %in = (conversation_id => 'engine');

sub get { return $host->http(GET => $_[0]) }

# The next packet that is an ack.
sub ack {
	my ($client) = @_;
	while (defined(my $packet = $client->next)) {
		return $packet if $packet =~ /^43/;
	}
}

sub is_error {
	my ($r, $status, $code, $message, $title) = @_;
	is $r->{status}, $status, "$title: status $status";
	is $r->{body}, qq({"code":$code,"message":"$message"}), "$title: code $code";
}

# ---- handshakes ----

my $c = SIO->websocket($host, %in);
my $open = $c->open;
like $c->sid, qr/^[A-Za-z0-9_-]{20}$/, 'A03: a sid has 20 characters that are safe in a URL';
is_deeply $open, { sid => $c->sid, upgrades => [], pingInterval => 25000, pingTimeout => 20000,
	maxPayload => 4194304 }, 'A01, A02: a WebSocket begins with the open packet';
is $c->ws->{head}{header}{'sec-websocket-extensions'}, undef,
    'A04: an offer of compression is declined';
my $r = get('/socket.io/?EIO=4&transport=polling&conversation_id=x&t=abc');
is $r->{header}{'content-type'}, 'text/plain; charset=UTF-8',
    'A05: a handshake by polling is answered with text';
like $r->{body}, qr/^0\{.*"upgrades":\["websocket"\]/, 'A05: it offers the upgrade';
is $r->{header}{'cache-control'}, 'no-store', 'R6: a poll must not be cached';
like get('/socket.io?EIO=4&transport=polling')->{body}, qr/^0\{/,
    'A27: /socket.io is the same without a slash at its end';
like get('/socket.io/?conversation_id=x&EIO=4')->{body}, qr/^0\{/,
    'a handshake without transport polls';
is $host->ws(path => '/socket.io?EIO=4&conversation_id=x')->status, 101,
    'a WebSocket without transport is one';

# ---- errors ----

is_error(get('/socket.io/?EIO=4&transport=polling&sid=nope'), 400, 1, 'Session ID unknown',
	'A12: an unknown sid');
is_error(get('/socket.io/?EIO=4&transport=foo'), 400, 0, 'Transport unknown',
	'A13: an unknown transport');
is_error(get('/socket.io/?EIO=3&transport=polling'), 400, 5, 'Unsupported protocol version',
	'A14: a client of version 3');
is $host->ws(path => '/socket.io/?EIO=3&transport=websocket')->status, 400,
    'A14: a WebSocket of version 3 is refused before it is one';
is_error($host->http(POST => '/socket.io/?EIO=4&transport=polling', {}, '40'), 400, 2,
	'Bad handshake method', 'A15: a POST without a sid');
is_error(get('/socket.io/?EIO=4&transport=websocket'), 400, 3, 'Bad request',
	'A16: transport=websocket without a WebSocket');
is $host->ws(path => '/socket.io/?EIO=4&transport=websocket&sid=' . 'x' x 20)->status, 400,
    'an upgrade of an unknown session is refused before it is a WebSocket';
is $host->http(OPTIONS => '/socket.io/', { origin => 'http://localhost:1' })->{status}, 204,
    'A26: a page may ask whether it may ask';
is $host->http(GET => '/socket.io/?EIO=4', { origin => 'http://localhost:1' })
	->{header}{'access-control-allow-origin'}, 'http://localhost:1', 'A26: a page may read the answer';

# ---- polling ----

my $p = SIO->polling($host, %in);
$p->begin_poll;
ok !$p->{get}->fill(time + 1), 'A07: a poll without packets waits';
$r = $p->post('40');
is $r->{status}, 200, 'A06: a POST is answered with 200';
like join(' ', $p->poll), qr/^40\{"sid":"[^"]+"\}/, 'A07: a poll that waits gets what comes';
$r = $p->post('3', '421["x"]', '422["x"]', "423[\"x\"]\n");
my $got = '';
$got .= join ' ', $p->poll, '' until $got =~ /433/;
like $got, qr/431\[\] 432\[\] 433\[\] /, 'A08, A09: packets of one body are taken in order';
my $raw = $host->client;
$raw->write('POST ' . $p->path('polling') . " HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked"
	. "\r\n\r\n9\r\n424[\"y\"]\n\r\n0\r\n\r\n");
$r = $raw->reply;
is $r->{status}, 200, 'R10: a chunked POST is taken';
is join(' ', $p->poll), '434[]', 'R10: its packets are those of the decoded body';
is $p->post(map { "42$_\[\"x\"]" } 1 .. 40)->{status}, 200, 'R13: a client sends its whole queue';
my @polls;
push @polls, [$p->poll] while @polls < 20 && (@polls ? $polls[-1][-1] : '') ne '4340[]';
is join(' ', map { @$_ } @polls), join(' ', map { "43$_\[]" } 1 .. 40), 'R13: each is answered, in order';
is scalar(grep { @$_ > 16 } @polls), 0, 'a poll has 16 packets at most, as a client for Python wants';
is_error($p->post('x'), 400, 3, 'Bad request', 'a POST that is no packet');
is_error(get($p->path('polling')), 400, 1, 'Session ID unknown',
	'a session that broke the rules is over');

$p = SIO->polling($host, %in);
$p->begin_poll;
ok !$p->{get}->fill(time + 0.3), 'a first poll waits';
is_error(get($p->path('polling')), 400, 3, 'Bad request', 'A17: a second poll at the same time');
is join('', $p->poll), '6', 'A17: the first poll is released';
is get($p->path('polling'))->{status}, 400, 'A17: the session of two polls is over';

$p = SIO->polling($host, %in);
$p->begin_poll;
ok !$p->{get}->fill(time + 0.3), 'a poll waits before its client leaves';
is $p->post('41', '1')->{status}, 200, 'A11, R22: a client leaves by one POST';
is join('', $p->poll), '6', 'A11: its poll that waits is released';
is_error(get($p->path('polling')), 400, 1, 'Session ID unknown', 'A11: a session that was left');

$p = SIO->polling($host, %in);
is $p->post('4' x (4 * 1024 * 1024 + 1))->{status}, 413, 'A25: a body over 4 MiB is refused';
is get($p->path('polling'))->{status}, 400, 'A25: the session of a larger body is over';
$p = SIO->polling($host, %in);
is_error($p->post(('3') x 10001), 400, 3, 'Bad request', 'a body of more than 10,000 packets');
$p = SIO->polling($host, %in);
is $p->post(('3') x 10000)->{status}, 200, 'R13: a body of 10,000 packets is taken';

# A client that goes away releases its place.
$p = SIO->polling($host, %in);
$p->begin_poll;
ok !$p->{get}->fill(time + 0.3), 'a poll waits before its client goes';
delete($p->{get})->{socket}->close;

CoHost::wait_for(5, sub {
	$p->begin_poll;
	return 1 unless $p->{get}->fill(time + 0.3);
	delete $p->{get};
	$p = SIO->polling($host, %in);
	return 0;
});
ok $p->{get}, 'a client whose poll broke may poll again';

# ---- the upgrade ----

$p = SIO->polling($host, %in);
like $p->connect, qr/^40\{/, 'a client connects before its upgrade';
$p->begin_poll;
ok !$p->{get}->fill(time + 0.3), 'a poll waits for the upgrade' or diag $p->{get}{in};
my $began = time;
my $ws = $p->probe;
is join('', $p->poll), '6', 'A18, A19: the probe is answered, and the poll is released';
is $p->post('421["late"]')->{status}, 200, 'R8: a POST between probe and upgrade is taken';
$ws->send_text('5');
is $ws->next_text, '431[]', 'A20: what waited for the upgrade comes over the WebSocket';
$p->{ws} = $ws;
$p->emit('x');
$p->send('422["x"]');
is ack($p), '432[]', 'A20: a client goes on over its WebSocket';
is $p->post('423["late"]')->{status}, 200, 'R8: a POST that comes after the upgrade is taken';
is ack($p), '433[]', 'R8: it is answered over the WebSocket';
is_error(get($p->path('polling')), 400, 3, 'Bad request', 'a poll after the upgrade');
is $host->ws(path => $p->path('websocket'))->status, 400, 'a second upgrade is refused';
$ws->close;
ok CoHost::wait_for(5, sub { get($p->path('polling'))->{body} =~ /"code":1/ }),
    'the session ends with its WebSocket';

$p = SIO->polling($host, %in);
$ws = $host->ws(path => $p->path('websocket'));
$ws->send_text('42["x"]');
is $ws->wait_close, 1008, 'a WebSocket that begins without a probe is closed';
$p->begin_poll;
ok !$p->{get}->fill(time + 0.3), 'the session goes on polling after that';

$p = SIO->polling($host, %in);
$p->upgrade;
like $p->connect, qr/^40\{/, 'R8: a client may connect after its upgrade';

# ---- WebSockets ----

$c->send("3\n", '3', '2');
like $c->connect, qr/^40\{/, 'A24, R4: a pong nobody asked for and a ping are ignored';
$c = SIO->websocket($host, %in);
$c->ws->send_frame(2, "\x83\xa4type\0");
is $c->wait_close, 1001, 'R28: a client that begins with a binary message is closed';
for (1 .. 20) {
	$c = SIO->websocket($host, %in);
	$c->ws->send_frame(2, "\x83\xa4type\0");
	$c->wait_close;
}
my $n_lines = () = CoHost::read_file($host->log) =~ /sent a binary message first/g;
ok $n_lines >= 1 && $n_lines <= 4,
    "R28: a client that tries again and again has a line in the log for each worker"
    or diag "$n_lines lines";
$c = SIO->websocket($host, %in);
$c->ws->send_text('4' x (4 * 1024 * 1024 + 1));
is $c->wait_close, 1009, 'A25: a message over 4 MiB closes its connection';
ok CoHost::wait_for(20, sub { $host->metric('cohostd_websockets_oversized_total') == 1 }),
    'a WebSocket that was closed with 1009 is counted';
$c = SIO->websocket($host, %in);
$c->ws->send_text("42[\"\xff\"]");
is $c->wait_close, 1007, 'A43: invalid UTF-8 closes its connection';
$c = SIO->websocket($host, %in);
$began = time;
$c->send('9');
ok $c->wait_close, 'a message that is no packet closes its connection';
ok CoHost::wait_for(5, sub { $c->ws->{http}->is_closed }),
    'R20: a client that does not answer a close is cut';

ok CoHost::wait_for(20, sub { $host->metric('cohostd_socketio_failed_total') >= 4 }),
    'clients that broke a rule are counted';

# ---- how sessions ended ----

sub ended {
	my $sum = 0;
	$sum += $host->metric("cohostd_polling_${_}_total")
	    for qw(left broken oversized full silent lost idle);
	return $sum;
}

ok $host->metric("cohostd_polling_${_}_total") > 0, "sessions that polled and ended so are counted: $_"
    for qw(left broken oversized);
ok CoHost::wait_for(20, sub { $host->metric('cohostd_polling_opened_total')
	    == ended() + $host->metric('cohostd_polling_sessions') }),
    'each session that polled is there or has ended for a reason that is counted';
$host->stop;
done_testing;
