#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# CONNECT, INIT and ATTACH: whose session it is, in which state, and what is sent.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(write_file);
use JSON::PP;
use Sign qw(:all);
use Test::More;

my $json = JSON::PP->new->utf8->canonical;
my $UUID = qr/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
my $host = CoHost->start(clock => 1, args => ['-o', 'name=translator'],
	yaml => "trusted_proxies: 127.0.0.1\n");
my ($anna, $bert) = (key_new(), key_new());

# Two CONNECTs of one second would have one signature.
my $n_hellos = 0;
sub hello { return connect_frame(@_, payload => { nonce => $n_hellos++ }) }

# Every frame but PING that comes before the server has answered a PING of ours.
sub frames {
	my ($ws) = @_;
	$ws->send_json({ type => 'PING' });
	my @all;
	while (defined(my $text = $ws->next_text)) {
		my $f = $json->decode($text);
		return @all if $f->{type} eq 'PONG';
		push @all, $f if $f->{type} ne 'PING';
	}
	die "the socket was closed\n";
}

# The first frames of a new socket, and the socket.
sub greet {
	my ($frame, %o) = @_;
	my $ws = $host->ws(%o);
	$ws->send_json($frame);
	my @all = frames($ws);
	return ($ws, @all);
}

sub answer { return (greet(@_))[1] }
sub types { return join ' ', map { $_->{type} } @_ }
sub say_wrong { my ($frame, %o) = @_; return answer($frame, %o)->{message} // 'no error' }

# ---- the five answers ----

my ($ws, @all) = greet(hello($anna, $host));
is types(@all), 'CONNECTED AGENT_PROFILE',
    'a signed CONNECT without session_id gets CONNECTED and AGENT_PROFILE';
is $all[0]{status}, 'new', 'a signed CONNECT without session_id begins a new session';
like $all[0]{session_id}, $UUID, 'a new session has a UUID';
is $all[1]{session_id}, $all[0]{session_id}, 'AGENT_PROFILE names the new session';

my $new = answer(hello($anna, $host, session_id => 'annas'));
is "$new->{status} $new->{session_id}", 'new annas',
    'a CONNECT with an unknown session_id begins a session of this id';
is answer(hello($anna, $host, session_id => 'annas'))->{status}, 'connected',
    'a CONNECT to an idle session is connected';

# It was looked at after 400 s and again after 400 more: it never was idle for 600.
for (1 .. 3) {
	$host->pass(400);
	is answer(hello($anna, $host, session_id => 'annas'))->{status}, 'connected',
	    'each CONNECT begins the idle time anew';
}

my ($first) = greet(hello($anna, $host, session_id => 'long'));
$first->send_json({ type => 'INPUT', prompt => 'stream 4 1000000' });
my @seen = map { $first->next } 1 .. 3;
my ($second, @come) = greet(hello($anna, $host, session_id => 'long'));
is $come[0]{status}, 'running', 'a CONNECT to a running session is running';
is_deeply [@come[2 .. $#come]], \@seen,
    'a CONNECT to a running session replays its events as they were first sent';
for (1 .. 3) {
	$host->pass(1001);
	my @live = map { $second->next } 1 .. 2;
	is types(@live), 'tool_call tool_result', 'live events follow the replay';
}
is types($second->all_until('OUTPUT')), 'turn_result OUTPUT', 'OUTPUT follows the live events';

# ---- a session of somebody else ----

my $record = sub {
	return $host->http(GET => '/sessions/annas',
		signed_get_headers($anna, '/sessions/annas', timestamp => now($host)))->{json};
};
my ($hers) = greet(hello($anna, $host, session_id => 'annas'));
$hers->turn('My name is Anna Secret');
my $before = $record->();
is $before->{result}, 'Nice to meet you, Anna Secret!',
    'a signed turn leaves a record for its owner';
for my $kind ('another', 'nobody') {
	my $frame = $kind eq 'nobody' ? { type => 'CONNECT', session_id => 'annas' }
	    : hello($bert, $host, session_id => 'annas');
	my ($his, @all) = greet($frame);
	like $all[0]{session_id}, $UUID, "the CONNECT of $kind to Anna's session gets another id";
	is $all[0]{status}, 'new', "the CONNECT of $kind to Anna's session gets a new session";
	my @turn = $his->turn('What is my name?');
	is $turn[-1]{result}, 'You have not told me your name.',
	    "the session of $kind has no memory of Anna's";
	unlike $json->encode([@all, @turn]), qr/annas|Secret/,
	    "nothing of Anna's session leaks to $kind";
}
is_deeply $record->(), $before, "Anna's record is not changed by foreign CONNECTs";

# ---- the order ----

write_file($host->dir . '/.co/dashboard.html', '<p>Hello</p>');
$first->send_json({ type => 'INPUT', prompt => 'ask Well?' });
$first->next(type => 'ask_user');
(undef, @all) = greet(hello($anna, $host, session_id => 'long'));
is types(@all),
    'CONNECTED AGENT_PROFILE DASHBOARD_SNAPSHOT user_input ask_user',
    'CONNECTED, AGENT_PROFILE, DASHBOARD_SNAPSHOT, then events';
$first->send_json({ type => 'ASK_USER_RESPONSE', answer => 'yes' });
$first->all_until('OUTPUT');

# ---- who it is for ----

for my $to (undef, key_new()->{address}, '0x12', 'somebody', '', 5) {
	my $name = $to // 'nobody';
	my $frame = connect_frame($anna, $host, payload => { to => $to, nonce => $n_hellos++ });
	is say_wrong($frame), 'unauthorized: wrong recipient',
	    "a CONNECT for $name is refused";
}
is answer(connect_frame($anna, $host, payload => { to => 'translator' }))->{type},
    'CONNECTED', 'a v1 CONNECT for the name of the host is accepted';
is say_wrong(connect_frame($anna, $host, v2 => 1, payload => { to => 'translator' })),
    'unauthorized: wrong recipient', 'a v2 CONNECT for the name of the host is refused';

# ---- once ----

my $once = hello($anna, $host);
is answer($once)->{type}, 'CONNECTED', 'a v1 CONNECT is accepted the first time';
my %from = map { $_ => { headers => { 'x-forwarded-for' => $_ } } } '10.1.1.1', '10.1.1.2';
is say_wrong($once, %{ $from{'10.1.1.2'} }), 'unauthorized: this CONNECT was already used',
    'a used v1 CONNECT is refused by every worker' for 1 .. 8;
my $twice = connect_frame($anna, $host, v2 => 1, payload => { nonce => $n_hellos++ });
is answer($twice, %{ $from{'10.1.1.1'} })->{type}, 'CONNECTED',
    'a v2 CONNECT of the same second is accepted again' for 1 .. 2;
is say_wrong($twice, %{ $from{'10.1.1.2'} }), 'unauthorized: this CONNECT was already used',
    'a used v2 CONNECT is refused from another address';
$host->pass(3);
is say_wrong($twice, %{ $from{'10.1.1.1'} }), 'unauthorized: this CONNECT was already used',
    'a used v2 CONNECT is refused three seconds later';

# ---- the protocol ----

my ($odd, $refused) = greet({ type => 'CONNECT', protocol => { name => 'oip', version => '9' } });
is $refused->{code}, -32010, 'a CONNECT with another protocol has an error code of its own';
is $refused->{retryable}, JSON::PP::false, 'the refusal of another protocol is not retryable';
$odd->send_json({ type => 'CONNECT' });
is +(frames($odd))[0]{type}, 'CONNECTED',
    'a CONNECT without a protocol succeeds on a socket that was refused';

# ---- INIT and ATTACH ----

my $init = answer({ %{ hello($anna, $host, session_id => 'annas') }, type => 'INIT' });
is $init->{status}, 'new', 'INIT begins a new session';
like $init->{session_id}, $UUID, 'INIT gives a new id whatever session it names';

$first->send_json({ type => 'INPUT', prompt => 'ask Again?' });
$first->next(type => 'ask_user');
my $attach = sub { return { %{ hello($anna, $host, @_) }, type => 'ATTACH' } };
(undef, @all) = greet($attach->(session_id => 'long'));
is $all[0]{status}, 'running', 'ATTACH to a running session is running';
is types(@all[3 .. $#all]), 'user_input ask_user',
    'ATTACH to a running session replays its events so far';
$first->send_json({ type => 'ASK_USER_RESPONSE', answer => 'yes' });
$first->all_until('OUTPUT');
is answer($attach->(session_id => 'annas'))->{status}, 'completed',
    'ATTACH to an idle session is completed';
is answer($attach->(session_id => 'nowhere'))->{status}, 'expired',
    'ATTACH to an unknown session is expired';
is say_wrong($attach->()), 'session_id required', 'ATTACH without session_id is an error';

# ---- a second CONNECT ----

my ($v2, @hello) = greet(connect_frame($anna, $host, v2 => 1, session_id => 'two',
	payload => { nonce => $n_hellos++ }));
my @again = (
	['the same session', 'CONNECTED AGENT_PROFILE DASHBOARD_SNAPSHOT', session_id => 'two',
		v2 => 1],
	['another session', undef, session_id => 'other', v2 => 1],
	['no signed_commands', undef, session_id => 'two'],
);
for (@again) {
	my ($what, $types, %o) = @$_;
	$v2->send_json(connect_frame($anna, $host, %o, payload => { nonce => $n_hellos++ }));
	my @all = frames($v2);
	is types(@all), $types // 'ERROR', "a second CONNECT with $what";
	is $all[0]{message}, $types ? undef : 'already authenticated: open a new connection',
	    $types ? 'is greeted again' : 'is refused';
}
$v2->send_json(command_frame($anna, $host, INPUT => prompt => 'echo still'));
is +($v2->all_until('OUTPUT', 'ERROR'))[-1]{result}, 'still',
    'the socket of a refused second CONNECT still runs turns';

# ---- after an error ----

my ($try, $error) = greet(connect_frame($anna, $bert->{address}));
is $error->{type}, 'ERROR', 'a CONNECT for another host is answered by an ERROR';
$try->send_json(hello($anna, $host));
is +(frames($try))[0]{type}, 'CONNECTED', 'a new CONNECT on the same socket succeeds';

# ---- the dashboard ----

my ($look) = greet({ type => 'CONNECT' });
sub pages {
	my ($after) = @_;
	$look->send_json({ type => 'INPUT', prompt => $after });
	$look->next(type => 'OUTPUT');
	return map { $_->{html} } grep { $_->{type} eq 'DASHBOARD_SNAPSHOT' } frames($look);
}
is_deeply [pages('echo same')], [], 'a page that did not change is not sent after OUTPUT';
$host->pass(2);
write_file($host->dir . '/.co/dashboard.html', '<p>Changed</p>');
is_deeply [pages('echo other')], ['<p>Changed</p>'], 'a page that changed is sent after OUTPUT';
for my $bytes (2 * 1024 * 1024, 2 * 1024 * 1024 + 1) {
	write_file($host->dir . '/.co/dashboard.html', 'x' x $bytes);
	(undef, @all) = greet({ type => 'CONNECT' });
	is scalar(grep { $_->{type} eq 'DASHBOARD_SNAPSHOT' } @all), $bytes % 2 ? 0 : 1,
	    "a page of up to 2 MiB is sent, a larger one is not: $bytes bytes";
}
unlink $host->dir . '/.co/dashboard.html';
(undef, @all) = greet({ type => 'CONNECT' });
is types(@all), 'CONNECTED AGENT_PROFILE', 'CONNECT sends no page when there is none';

# ---- who has the newer conversation ----

my $mine = $record->()->{session};
my @copies = (
	[{ iteration => 0, updated => 1 }, 1, 'an older copy of the client'],
	[{ iteration => $mine->{iteration}, updated => $mine->{updated} }, 0, 'an equal one'],
	[{ iteration => $mine->{iteration} + 1, updated => 1, messages => [] }, 0, 'a newer one'],
	[undef, 1, 'none'],
);
for (@copies) {
	my ($copy, $is_newer, $what) = @$_;
	my $f = answer(hello($anna, $host, session_id => 'annas', session => $copy));
	is_deeply [map { exists $f->{$_} ? 1 : 0 } qw(server_newer session chat_items)],
	    [($is_newer) x 3], "$what: " . ($is_newer ? 'the stored copy is sent' : 'nothing is');
}
$host->stop;

# ---- strict ----

$host = CoHost->start(args => ['--trust', 'strict']);
is say_wrong({ type => 'CONNECT' }), 'unauthorized: signed request required',
    'under strict, an unsigned CONNECT is refused';
$host->stop;
$host = CoHost->start(args => ['--trust', 'open']);
is answer({ type => 'CONNECT' })->{type}, 'CONNECTED',
    'under open, an unsigned CONNECT is accepted';
$host->stop;
done_testing;
