#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A handshake that cannot be accepted is told why.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(workers => 1);

for my $version (undef, '', 8, 12, 14, '13, 8', 'x') {
	my $r = $host->ws(headers => { 'sec-websocket-version' => $version })->{head};
	my $name = defined $version ? "version \"$version\"" : 'no version';
	is $r->{status}, 426, "$name: 426";
	is $r->{header}{'sec-websocket-version'}, 13, "$name: the reply says which is spoken";
	is $r->{header}{upgrade}, 'websocket', "$name: and what to upgrade to";
}
my $words = 'Sec-WebSocket-Key must be 16 bytes in base64, once';
for my $key (undef, '', 'short', 'AAAAAAAAAAAAAAAAAAAAAAA=', 'A' x 24, '!' x 22 . '==',
    'AAAAAAAAAAAAAAAAAAAA====', 'AAAAAAAAAAAAAAAAAAAAAA==AAAA', 'AAAAAAAAAAAAAAAAAAAAAA=A') {
	my $ws = $host->ws(headers => { 'sec-websocket-key' => $key });
	my $name = defined $key ? "key \"$key\"" : 'no key';
	is $ws->status, 400, "$name: 400";
}
my $c = $host->client;
$c->write("GET /ws HTTP/1.1\r\nhost: h\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
	. "sec-websocket-version: 13\r\n" . "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" x 2
	. "\r\n");
my $r = $c->reply;
is $r->{status}, 400, 'two keys: 400';
is $r->{json}{error}, $words, 'two keys: the reply says what is wrong';
$c = $host->client;
$c->write("POST /ws HTTP/1.1\r\nhost: h\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
	. "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
is $c->reply->{status}, 400, 'a WebSocket begins with GET';
is $host->ws->status, 101, 'a good handshake is accepted';
$host->stop;
done_testing;
