#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What the Socket.IO libraries for JavaScript, Python, Java, Go and Rust send, in the bytes and
# the order in which they send it, on four workers: each request has a connection of its own.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use HTTP;
use SIO;
use Test::More;
use Time::HiRes qw(time);

my $host = CoHost->start(workers => 4);
my $n = 0;

sub query { return (conversation_id => 'lib-' . ++$n, @_) }

sub both {
	my ($test) = @_;
	for my $kind (qw(websocket polling)) {
		$test->($kind, sub { return SIO->$kind($host, query(@_)) });
	}
}

sub get {
	my ($path, %header) = @_;
	return $host->http(GET => $path, \%header);
}

sub say_to {
	my ($c, $text) = @_;
	$c->emit(oh_user_action => { type => 'message', source => 'user', message => $text });
}

sub idle { return ($_[0]{extras}{agent_state} // '') eq 'awaiting_user_input' }

# All packets up to one that fits; dies at the deadline.
sub until_packet {
	my ($c, $fits) = @_;
	my @packets;
	while (defined(my $p = $c->next)) {
		push @packets, $p;
		return @packets if $p =~ $fits;
	}
	die "no packet like $fits: @packets\n";
}

# ---- connecting ----

my $old = SIO->websocket($host, conversation_id => 'history');
$old->connect;
say_to($old, 'echo one');
$old->event(sub { $_[0]{id} > 0 && idle($_[0]) });
for my $kind (qw(websocket polling)) {
	my $c = SIO->$kind($host, conversation_id => 'history');
	$c->send('40{}');
	like $c->next, qr/^40\{"sid"/, "R1, R25b: the acceptance comes before the replay ($kind)";
	like $c->next, qr/^42\["oh_event"/, "R1: the replay follows it ($kind)";
}

my $p = SIO->polling($host, query());
is $p->post('3')->{status}, 200, 'R4: a pong is taken before CONNECT, and before any ping';
like $p->connect, qr/^40\{/, 'R4: that client connects';

my $r = get('/socket.io/?latest_event_id=-1&t=1764360000.25&transport=polling&conversation_id=q&EIO=4');
like $r->{body}, qr/^0\{/, 'R6: the parameters may come in any order';
is get('/socket.io/?EIO=4&b64=1&conversation_id=q&t=123456789&transport=polling')->{status}, 200,
    'R6: the parameters b64 and t are ignored';
is $r->{header}{'cache-control'}, 'no-store', 'R6: the answer to a poll without t must not be cached';

# /socket.io, without the slash, for all three kinds of requests.
$r = get('/socket.io?EIO=4&transport=polling&conversation_id=slash');
is $r->{status}, 200, 'R7: a handshake without a slash is answered, not redirected';
my ($sid) = $r->{body} =~ /"sid":"([^"]+)"/;
my $bare = "/socket.io?EIO=4&sid=$sid";
is $host->http(POST => "$bare&transport=polling", {}, '40')->{status}, 200,
    'R7: a POST without a slash is answered, not redirected';
is $host->ws(path => "$bare&transport=websocket")->status, 101,
    'R7: a WebSocket without a slash is answered, not redirected';

# Python and Rust upgrade first; the CONNECT comes over the WebSocket alone.
$p = SIO->polling($host, query());
$p->upgrade;
$p->send('3', '40', '42["oh_user_action",{"type":"message","message":"echo early"}]');
like $p->next, qr/^40\{/, 'R8: a client may connect after its upgrade';
$p->event(sub { ($_[0]{message} // '') eq 'early' });
pass 'R8: what it sends right behind its CONNECT is done';

# Java posts an event after its probe was answered; the next one comes over the WebSocket.
$p = SIO->polling($host, query());
$p->connect;
my $ws = $p->probe;
is $p->post('420["oh_user_action",{"type":"message","message":"stream 5 20"}]')->{status}, 200,
    'R8: a POST between probe and upgrade is answered';
$p->poll if $p->{get};
$ws->send_text('5');
$p->{ws} = $ws;
$p->send('421["oh_user_action",{"type":"message","message":"second"}]');
$p->event(sub { ($_[0]{message} // '') eq 'second' });
my @said = map { $_->{message} } grep { $_->{source} eq 'user' } $p->events;
is_deeply \@said, ['stream 5 20', 'second'], 'R8: what was posted comes before what the WebSocket brings';

# The probe releases the poll, with 6 or with the packets that are there.
$p = SIO->polling($host, query());
$p->begin_poll;
$p->post('40');
$ws = $p->probe;
like join("\x1e", $p->poll), qr/^(?:40\{.*|6$)/, 'R9: the probe is answered and the poll is released';

# ---- bodies ----

sub chunked {
	my ($path, @chunks) = @_;
	my $c = $host->client;
	$c->write("POST $path HTTP/1.1\r\nhost: h\r\naccept-encoding: zstd, br, gzip, deflate\r\n"
		. "user-agent: engine.io-go/1.0\r\ntransfer-encoding: chunked\r\n\r\n"
		. join('', map { sprintf "%x\r\n%s\r\n", length, $_ } @chunks) . "0\r\n\r\n");
	return $c->reply;
}

$p = SIO->polling($host, query());
is chunked($p->path('polling'), '4', '0', '{}')->{status}, 200,
    'R10: a packet that is cut into chunks is taken';
like $p->next, qr/^40\{/, 'R10: it is the packet that was sent';
is chunked($p->path('polling'), map { 'x' x 65536 } 0 .. 64)->{status}, 413,
    'R10, R15: chunks of more than 4 MiB are refused';
is get($p->path('polling'))->{body}, '{"code":1,"message":"Session ID unknown"}',
    'R15: the session of a larger body is over, so that its client connects again';

$p = SIO->polling($host, query());
$p->connect;
$r = $host->http(POST => $p->path('polling'), {}, '427["x"]');
is $r->{status}, 200, 'R14: a POST is answered';
my $poll = HTTP->new($host->address);
$poll->send(GET => $p->path('polling'), { 'accept-encoding' => 'zstd, br, gzip, deflate' });
$r = $poll->reply;
is $r->{header}{'content-encoding'}, undef, 'R14: a poll is never compressed';
like $r->{body}, qr/^4[023]/, 'R14: a poll is text as it is';

$p = SIO->polling($host, query());
$p->connect;
$p->send('451-9["x",{"_placeholder":true,"num":0}]');
$p->send('b' . ('QUJD' x 19) . "\n" . ('QUJD' x 5) . "\n");
like join(' ', until_packet($p, qr/^43/)), qr/439\[\]$/,
    'R11, R12: base64 in lines of 76 characters is one attachment, and may come in a POST of its own';
is $p->post("bQUJD")->{status}, 400, 'R12: the session knows that no attachment is missing';

$p = SIO->polling($host, query());
$p->connect;
is $p->post('40', map { '42["oh_user_action",{"type":"message","message":"echo ' . $_ . '"}]' } 1 .. 40)
	->{status}, 200, 'R13: a body of 40 events is taken';
$p->event(sub { ($_[0]{message} // '') eq 'echo 40' });
is scalar(grep { $_->{source} eq 'user' } $p->events), 40, 'R13: each of its events is done';

# ---- acks ----

both(sub {
	my ($kind, $new) = @_;
	my $c = $new->();
	$c->connect;
	$c->send("42$_\[\"x\"]") for qw(7 7 0 1 999 007);
	my $acks = join ' ', grep { /^43/ } until_packet($c, qr/^43007/);
	is $acks, '437[] 437[] 430[] 431[] 43999[] 43007[]',
	    "R17: ack ids are echoed as they came, whatever their order, and may repeat ($kind)";
});

# One write, so that the retries come while the first waits for its ack.
my $c = SIO->websocket($host, query());
$c->connect;
my @forms = ('{"type":"message","message":"h\u00e9 <"}', '{"message":"h\u00e9 \u003c","type":"message"}',
	"{\"type\":\"message\",\"message\":\"h\xc3\xa9 <\"}");
$c->ws->send_raw(join '', map { WS::frame(1, '4242' . $_ . '["oh_user_action",' . $forms[$_] . ']') } 0 .. 2);
$c->send('42["oh_user_action",{"type":"message","message":"echo last"}]');
my @packets = until_packet($c, qr/"message":"last"/);
is scalar(grep { /^4342[012]\[\]$/ } @packets), 3,
    'R18: each retry of a message that waits for its ack is answered';
is scalar(grep { /"action":"message"/ && /"source":"user"/ && !/echo last/ } @packets), 1,
    'R16, R18: it is one message, in whatever bytes it is written';
ok CoHost::wait_for(20, sub { $host->metric('cohostd_socketio_retries_total') == 2 }),
    'R18: retries are counted';
# ---- clients that leave ----

my %leave = (
	websocket => {
		'41 and a close frame (JavaScript, Java)' => sub { $_[0]->send('41'); $_[0]->ws->close },
		'41, 1 and the end of TCP (Rust)' => sub { $_[0]->send('41', '1'); $_[0]->ws->close(how => 'cut') },
		'a close frame (Python)' => sub { $_[0]->ws->close },
		'the end of TCP (Go)' => sub { $_[0]->ws->close(how => 'cut') },
	},
	polling => {
		'41 and 1 in two POSTs (JavaScript, Java, Rust)' => sub { $_[0]->send('41'); $_[0]->send('1') },
		'41 and 1 in one POST (Python)' => sub { $_[0]->send('41', '1') },
	});
$_->close for grep { $_ && $_->socket->opened } @{ $host->{sockets} };
for my $kind (sort keys %leave) {
	for my $how (sort keys %{ $leave{$kind} }) {
		my $gone = SIO->$kind($host, query());
		$gone->connect;
		$gone->event(sub { 1 });
		$leave{$kind}{$how}->($gone);
		is $host->http(GET => $gone->path('polling'))->{status}, 400,
		    "R22: a client that polls has left by $how" if $kind eq 'polling';
	}
}
ok CoHost::wait_for(30, sub { $host->metric('cohostd_websockets') == 0 }),
    'R22: no WebSocket of a client that left is open, however it left';
ok CoHost::wait_for(30, sub { $host->metric('cohostd_sessions_attached') == 0 }),
    'R22: no client that left is attached to its conversation';

# ---- the Go client sends one packet for each poll that is answered ----

$r = get('/socket.io/?EIO=4&conversation_id=go&transport=polling', 'user-agent' => 'engine.io-go/1.0');
($sid) = $r->{body} =~ /"sid":"([^"]+)"/;
is get("/socket.io/?EIO=4&conversation_id=go&sid=$sid&transport=polling")->{body}, '6',
    'R25: a poll of the client for Go is released though there is nothing';
is chunked("/socket.io/?EIO=4&conversation_id=go&sid=$sid&transport=polling", '40{}')->{status}, 200,
    'R25: it posts then';
like get("/socket.io/?EIO=4&conversation_id=go&sid=$sid&transport=polling")->{body}, qr/^40\{/,
    'R25: it is connected';
is chunked("/socket.io/?EIO=4&conversation_id=go&sid=$sid&transport=polling", '40{}')->{status}, 200,
    'R3: a second CONNECT of the client for Go is ignored';
unlike get("/socket.io/?EIO=4&conversation_id=go&sid=$sid&transport=polling")->{body}, qr/40\{/,
    'R3: it is not answered';

# ---- headers ----

$c = SIO->websocket($host, query());
is $c->ws->{head}{header}{'set-cookie'}, undef, 'R26: no cookie is set by a WebSocket';
is get('/socket.io/?EIO=4&transport=polling&conversation_id=q')->{header}{'set-cookie'}, undef,
    'R26: no cookie is set by a poll';

for my $header ([origin => 'http://' . $host->address], ['sec-fetch-mode' => 'websocket'], []) {
	is $host->ws(path => '/socket.io/?EIO=4&transport=websocket&conversation_id=q',
		headers => { host => $host->address, @$header })->status, 101,
	    'R27: a WebSocket is accepted with ' . ($header->[0] // 'neither') . ' of a library';
}

# ---- other protocols ----

$p = SIO->polling($host, query());
is $p->post('bg6R0eXBlAKRkYXRhgKNuc3ChLw==')->{status}, 400,
    'R28: a client that polls in the format msgpack is refused by a status';
is get($p->path('polling'))->{status}, 400, 'R28: its session is over';
my $before = length $host->words;
for (1 .. 20) {
	get('/socket.io/?EIO=3&transport=polling&conversation_id=v2');
	$host->ws(path => '/socket.io/?EIO=3&transport=websocket&conversation_id=v2');
}
$r = get('/socket.io/?EIO=3&transport=polling&conversation_id=v2');
is $r->{body}, '{"code":5,"message":"Unsupported protocol version"}',
    'R29: a client of version 2 is told what it is';
unlike substr($host->words, $before), qr/version|EIO|socket\.io/i,
    'R29: its attempts write no line of the log';
both(sub {
	my ($kind, $new) = @_;
	my $v3 = $new->();
	is $v3->connect({ pid => 'gone', offset => 'x' }) =~ /pid/ || 0, 0,
	    "R30: an offer to recover is answered without one ($kind)";
});

# ---- workers that end ----

# A client that never answers a close, as that for Java, and one that polls.
my $java = SIO->websocket($host, query());
$java->connect;
$p = SIO->polling($host, query());
$p->connect;
$p->event(sub { 1 });
$p->begin_poll;
ok !$p->{get}->fill(time + 0.3), 'a poll waits while the workers are replaced';
my @old = $host->workers;
$host->signal('HUP');
# After a close frame that for Java would read nothing more, not even the end (1006: no frame).
is $java->wait_close, 1006,
    'R19: a connection ends without a close frame when its worker leaves, and no packet 1 is sent';
ok CoHost::wait_for(20, sub { $java->ws->{http}->is_closed }),
    'R20: the connection of a client that answers no close ends when its worker leaves';
is join('', $p->poll), '6', 'R19: a poll is released when its worker leaves';
$p->send('424["x"]');
is +(until_packet($p, qr/^43/))[-1], '434[]', 'R19: a client that polls goes on with the new workers';
my %old = map { $_ => 1 } @old;
ok CoHost::wait_for(40, sub { !grep { $old{$_} } $host->workers }),
    'R20: a worker does not wait for a client that ignores its close';

# All workers die: who connects meanwhile waits for the next ones.
my @workers = $host->workers;
kill KILL => @workers;
my $early = SIO->websocket($host, query());
like $early->connect, qr/^40\{/, 'R23: a client that comes while there is no worker waits for one';

$host->stop;

# A restart forgets the table: clients that poll are told to connect again.
my $dir = $host->{dir};
$host = CoHost->start(workers => 4, dir => $dir);
is get($p->path('polling'))->{body}, '{"code":1,"message":"Session ID unknown"}',
    'R19: a poll after a restart is answered by code 1, so that its client connects again';
$host->stop;
done_testing;
