#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# RFC 6455: fragments, control frames between them, close codes.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(workers => 2);
my $ws = $host->ws(session => {});

my $text = '{"type":"INPUT","prompt":"echo in pieces"}';
$ws->send_frame(WS::TEXT, substr($text, 0, 5), fin => 0);
$ws->send_frame(WS::PING, 'between');
$ws->send_frame(0, substr($text, 5, 10), fin => 0);
$ws->send_frame(0, '', fin => 0);
$ws->send_frame(0, substr($text, 15));
is +($ws->all_until('OUTPUT'))[-1]{result}, 'in pieces', 'fragments are put together';
is_deeply $ws->pongs, ['between'], 'a PING between fragments is answered';

my $bytes = WS::frame(WS::TEXT, '{"type":"INPUT","prompt":"echo byte by byte"}');
$ws->send_raw($_) for split //, $bytes;
is +($ws->all_until('OUTPUT'))[-1]{result}, 'byte by byte', 'a frame may come byte by byte';
$ws->send_raw(join '', map {
	WS::frame(WS::TEXT, qq({"type":"INPUT","prompt":"echo $_","input_id":"i$_"})) } 1);
$ws->all_until('OUTPUT');

my %wrong = (
	'a reserved opcode' => [WS::frame(3, 'x'), 1002],
	'a reserved bit' => [WS::frame(WS::TEXT, '{}', rsv => 4), 1002],
	'a frame without a mask' => [WS::frame(WS::TEXT, '{}', mask => 0), 1002],
	'a long control frame' => [WS::frame(WS::PING, 'x' x 126), 1002],
	'a PING in pieces' => [WS::frame(WS::PING, 'x', fin => 0), 1002],
	'a continuation of nothing' => [WS::frame(0, 'x'), 1002],
	'text that is not UTF-8' => [WS::frame(WS::TEXT, "{\"a\":\"\xff\"}"), 1007],
);
for my $what (sort keys %wrong) {
	my ($bytes, $code) = @{ $wrong{$what} };
	my $bad = $host->ws(session => { session_id => 'bad' });
	$bad->send_raw($bytes);
	is $bad->wait_close(5), $code, "$what: closed with $code";
}

$ws->close(code => 1000);
# Registered codes; 1012 to 1014 are newer than RFC 6455.
for my $code (1000, 1001, 1011 .. 1014, 3000, 4999) {
	my $polite = $host->ws(session => {});
	$polite->send_frame(WS::CLOSE, pack('n', $code) . 'bye');
	my $answer = $polite->wait_close(5) // 'none';
	ok $answer == $code || $answer == 1000, "a close with $code is answered with a close"
	    or diag "answer: $answer";
	ok $polite->{http}->is_closed(5), "the connection ends after both closes with $code";
}
for my $code (999, 1004, 1005, 1006, 1015, 2999, 5000) {
	my $rude = $host->ws(session => {});
	$rude->send_frame(WS::CLOSE, pack('n', $code));
	is $rude->wait_close(5), 1002, "a close with $code, which is no code, is refused";
}

my $offer = $host->ws(headers => {
	'sec-websocket-extensions' => 'permessage-deflate; client_max_window_bits' });
is $offer->status, 101, 'a client may offer compression';
is +($offer->turn('echo plain'))[-1]{result}, 'plain', 'the offered compression is not used';
is $host->ws(headers => { 'sec-websocket-version' => 12 })->status, 426,
    'another version of the WebSocket protocol is refused';
$host->stop;
done_testing;
