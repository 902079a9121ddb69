#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Clients of OpenHands that sign, on four workers: where a signature may be, whose conversations
# they reach, and what others are told.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(run wait_for write_file);
use JSON::PP ();
use MIME::Base64 qw(encode_base64url);
use SIO;
use Sign qw(:all);
use Test::More;

my ($anna, $bert) = (key_new(), key_new());
my $n = 0;

# What a client signs: as CONNECT of the other protocol.
sub signed {
	my ($key, $host, %payload) = @_;
	return sign_payload($key, { to => host_address($host), timestamp => now($host), nonce => $n++, %payload });
}

sub token { return encode_base64url(JSON::PP->new->canonical->encode(signed(@_))) }

sub say_to { $_[0]->emit(oh_user_action => { type => 'message', message => $_[1] }) }

sub idle { return ($_[0]{extras}{agent_state} // '') eq 'awaiting_user_input' }

sub like_packet {
	my ($c, $auth, $like, $title) = @_;
	return like $c->connect($auth), $like, $title;
}

my $yes = qr/^40\{"sid"/;
my $not_yours = qr/^44\{"message":"Failed to join conversation","data":\{\}\}$/;

my $host = CoHost->start(workers => 4);

for my $kind (qw(websocket polling)) {
	my $c = SIO->$kind($host, conversation_id => "of-anna-$kind");
	like_packet($c, signed($anna, $host), $yes, "a client may sign the credentials of CONNECT ($kind)");
	say_to($c, 'echo private');
	$c->event(sub { $_[0]{id} > 0 && idle($_[0]) });
	$c = SIO->$kind($host, conversation_id => "of-anna-$kind");
	like_packet($c, undef, $not_yours, "an anonymous client does not get into an owned conversation ($kind)");
	$c = SIO->$kind($host, conversation_id => "of-anna-$kind");
	like_packet($c, signed($bert, $host), $not_yours,
		"another caller does not get into an owned conversation ($kind)");
	for my $name (qw(token session_api_key)) {
		$c = SIO->$kind($host, conversation_id => "of-anna-$kind");
		like_packet($c, { $name => token($anna, $host) }, $yes,
			"the owner gets in by a token in the member $name of CONNECT ($kind)");
	}
	$c->event(sub { ($_[0]{message} // '') eq 'private' });
	pass "the owner sees the conversation ($kind)";
	$c = SIO->$kind($host, conversation_id => "of-anna-$kind", session_api_key => token($anna, $host));
	like_packet($c, undef, $yes, "the owner gets in by a token in the query ($kind)");
	my $used = signed($anna, $host);
	for my $again ($yes, qr/^44\{"message":"unauthorized: this CONNECT was already used","data":\{\}\}$/) {
		$c = SIO->$kind($host, conversation_id => "of-anna-$kind");
		like_packet($c, $used, $again, "a signature is good for one CONNECT: $again ($kind)");
	}
	my $bad = signed($anna, $host);
	$bad->{payload}{nonce} = 'other';
	$c = SIO->$kind($host, conversation_id => "open-$kind");
	like_packet($c, $bad, qr/^44\{"message":"[^"]*signature/,
		"a client with a bad signature is refused, not taken as anonymous ($kind)");
	$c = SIO->$kind($host, conversation_id => "open-$kind");
	like_packet($c, signed($anna, '0x' . '7' x 64), qr/^44\{"message":"unauthorized/,
		"a signature for another server is refused ($kind)");
	$c = SIO->$kind($host, conversation_id => "open-$kind");
	like_packet($c, { token => 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln' }, $yes,
		"a token of another kind is no signature ($kind)");
}

# Headers of the first request, on both transports.
for my $header ([authorization => 'Bearer '], [cookie => 'a=b; session_api_key=']) {
	my $ws = $host->ws(path => '/socket.io/?EIO=4&transport=websocket&conversation_id=of-anna-polling',
		headers => { $header->[0] => $header->[1] . token($anna, $host) });
	$ws->next_text;
	$ws->send_text('40');
	like $ws->next_text, $yes, "the owner gets in by a token in the header $header->[0] of a WebSocket";
	my $r = $host->http(GET => '/socket.io/?EIO=4&transport=polling&conversation_id=of-anna-polling',
		{ $header->[0] => $header->[1] . token($anna, $host) . '==' });
	my $c = SIO->new($host, conversation_id => 'of-anna-polling');
	$c->take_open($r->{body});
	like $c->connect, $yes, "the owner gets in by a padded token in the header $header->[0] of a poll";
}
my $ws = $host->ws(path => '/socket.io/?EIO=4&transport=websocket&conversation_id=of-anna-polling',
	headers => { authorization => 'Bearer ' . token($anna, $host) });
$ws->next_text;
like $ws->next_text(20), $yes, 'the owner gets in by a token alone, without CONNECT';

# ---- with the other protocol ----

my $oip = $host->ws;
$oip->send_json(connect_frame($anna, $host, session_id => 'of-anna-oip'));
ok $oip->next(type => 'CONNECTED'), 'a caller begins a conversation over the ConnectOnion protocol';
$oip->send_json({ type => 'INPUT', prompt => 'echo over there' });
ok $oip->next(type => 'OUTPUT'), 'the conversation of a caller has a turn';
my $c = SIO->polling($host, conversation_id => 'of-anna-oip');
like_packet($c, undef, $not_yours, 'an anonymous client of OpenHands does not get into a conversation of the other protocol');
$c = SIO->polling($host, conversation_id => 'of-anna-oip');
like_packet($c, signed($anna, $host), $yes, 'an owner reaches a conversation of the other protocol over Socket.IO');
$c->event(sub { ($_[0]{message} // '') eq 'over there' });
pass 'an owner sees the turn of the other protocol';
say_to($c, 'ask Which?|red|green');
$c->event(sub { ($_[0]{args} || {})->{wait_for_response} && $_[0]{message} =~ /^Which/ });
say_to($c, '2');
$c->event(sub { ($_[0]{message} // '') eq 'green' });
pass 'an owner answers a question by the number of its option';
$host->stop;

# ---- trust: strict, and who is blocked ----

$host = CoHost->start(workers => 4, yaml => "trust: strict\n");
my $list = $host->dir . '/.co/whitelist.txt';
write_file($list, "$anna->{address}\n");
for my $kind (qw(websocket polling)) {
	$c = SIO->$kind($host, conversation_id => "strict-$kind");
	like_packet($c, undef, qr/^44\{"message":"invalid_session_api_key","data":\{"detail":"[^"]+"\}\}$/,
		"trust: strict says what an anonymous client lacks ($kind)");
	$c = SIO->$kind($host, conversation_id => "strict-$kind");
	like_packet($c, signed($bert, $host), qr/^44\{"message":"forbidden[^"]*","data":\{\}\}$/,
		"trust: strict refuses a stranger that signs ($kind)");
}
ok wait_for(20, sub {
	$c = SIO->websocket($host, conversation_id => 'strict');
	return $c->connect(signed($anna, $host)) =~ $yes;
}), 'trust: strict admits a caller of the whitelist';
my $p = SIO->polling($host, conversation_id => 'strict');
like_packet($p, signed($anna, $host), $yes, 'trust: strict admits a caller of the whitelist that polls');
$_->event(sub { idle($_[0]) }) for $c, $p;
write_file($host->dir . '/.co/blocklist.txt', "$anna->{address}\n");
$_->event(sub { ($_[0]{message} // '') eq 'forbidden: blocked' }) for $c, $p;
pass 'a caller that is blocked meanwhile is told';
is $c->next, '41', 'a caller that is blocked meanwhile is disconnected';
ok $c->wait_close, 'the WebSocket of a caller that is blocked is closed';
ok wait_for(20, sub { $host->http(GET => $p->path('polling'))->{status} == 400 }),
    'the session of a caller that is blocked and polls is over';
$c = SIO->websocket($host, conversation_id => 'strict');
like_packet($c, signed($anna, $host), qr/^44\{"message":"forbidden/, 'a caller that is blocked does not come back');
$host->stop;

# ---- a server with a key ----

$host = CoHost->start(workers => 4, env => { SESSION_API_KEY => 'open sesame' });
$c = SIO->websocket($host, conversation_id => 'keyed');
like_packet($c, signed($bert, $host), qr/^44\{"message":"invalid_session_api_key","data":\{"detail":"[^"]*SESSION_API_KEY/,
	'a stranger that signs and shows no key is refused by a server with a key');
$c = SIO->websocket($host, conversation_id => 'keyed', session_api_key => 'open%20sesame');
like_packet($c, signed($bert, $host), $yes, 'a stranger that signs and shows the key is let in');
$c = SIO->polling($host, conversation_id => 'keyed', session_api_key => 'open%20sesame');
like_packet($c, undef, $not_yours, 'the key alone does not open the conversation of a caller');
$c = SIO->polling($host, conversation_id => 'free', session_api_key => 'open%20sesame');
like_packet($c, undef, $yes, 'the key alone opens a conversation without an owner');
$c = SIO->polling($host, conversation_id => 'admins');
like_packet($c, signed(key_of($host), $host), $yes, 'an admin that signs needs no key');
$host->stop;
done_testing;
