#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A request that a proxy may have read differently is refused, and nothing that follows on
# its connection is a request.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program run);
use Test::More;

my $host = CoHost->start(workers => 1);
my $inner = "GET /health HTTP/1.1\r\nhost: h\r\n\r\n";
my $body = '{"prompt":"echo hi"}';
my $n = length $body;
my $chunked = sprintf("%x\r\n%s\r\n0\r\n\r\n", $n, $body);
my $post = 'POST /input HTTP/1.1';

# Name, head without its last empty line, what follows, and the words of the refusal.
my @cases = (
	['two lengths that differ', "$post\nhost: h\ncontent-length: $n\ncontent-length: 0",
		$body, 'Content-Length is there twice'],
	['two lengths, the shorter first', "$post\nhost: h\ncontent-length: 0\ncontent-length: $n",
		$inner, 'Content-Length is there twice'],
	['two lengths that are the same', "$post\nhost: h\ncontent-length: $n\nContent-Length: $n",
		$body, 'Content-Length is there twice'],
	['a list of lengths', "$post\nhost: h\ncontent-length: $n, $n", $body, undef],
	['a length and chunks', "$post\nhost: h\ncontent-length: 4\ntransfer-encoding: chunked",
		$chunked, 'Content-Length is there beside Transfer-Encoding'],
	['chunks and a length', "$post\nhost: h\ntransfer-encoding: chunked\ncontent-length: $n",
		$chunked, 'Content-Length is there beside Transfer-Encoding'],
	['gzip before chunks', "$post\nhost: h\ntransfer-encoding: gzip, chunked", $chunked, undef],
	['gzip and chunks in two lines',
		"$post\nhost: h\ntransfer-encoding: gzip\ntransfer-encoding: chunked", $chunked,
		'Transfer-Encoding is not chunked'],
	['chunks twice', "$post\nhost: h\ntransfer-encoding: chunked\ntransfer-encoding: chunked",
		$chunked, 'Transfer-Encoding is not chunked'],
	['identity', "$post\nhost: h\ntransfer-encoding: identity\ncontent-length: $n", $body, undef],
	['chunks in HTTP/1.0', "POST /input HTTP/1.0\nhost: h\ntransfer-encoding: chunked", $chunked,
		'HTTP/1.0 has no Transfer-Encoding'],
	['chunks in a folded line', "$post\nhost: h\ntransfer-encoding:\n chunked", $chunked, undef],
	['a space before a colon', "$post\nhost: h\ntransfer-encoding : chunked", $chunked, undef],
	['no host', 'GET /health HTTP/1.1', '', 'Host is missing'],
	['two hosts', "GET /health HTTP/1.1\nhost: h\nhost: i", '', 'Host is there twice'],
	['the same host twice', "GET /health HTTP/1.1\nhost: h\nHost: h", '', 'Host is there twice'],
	['two hosts for a WebSocket',
		"GET /ws HTTP/1.1\nhost: h\nhost: i\nupgrade: websocket\nconnection: upgrade\n"
		    . "sec-websocket-version: 13\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==", '',
		'Host is there twice'],
);

# After 2.2.5 the library drops the head of a request with a body or an upgrade: it may then
# be answered, but nothing behind it is.
my $keeps_heads = run([program('co-hostd'), '-V'])->{out} =~ /libh2o 2\.2\./;
sub is_seen { return $keeps_heads || $_[0] !~ /^(content-length|transfer-encoding|upgrade)/m }

for (@cases) {
	my ($name, $head, $follows, $words) = @$_;
	if ($words && !is_seen($head)) {
		is_alone($name, $head, $follows);
		next;
	}
	my $c = $host->client;
	$c->write(($head =~ s/\n/\r\n/gr) . "\r\n\r\n" . $follows . $inner);
	my $r = $c->reply(10);
	is $r->{status}, 400, "$name: 400" or diag explain $r;
	is $r->{json}{error}, $words, "$name: the reply says what is wrong" if $words;
	like $r->{header}{connection} // 'close', qr/close/, "$name: the reply announces the end";
	ok $c->is_closed(10), "$name: the connection ends";
	is $c->{in}, '', "$name: what follows is not answered";
}

# Whatever the reply is, it is the only one.
sub is_alone {
	my ($name, $head, $follows) = @_;
	my $c = $host->client;
	$c->write(($head =~ s/\n/\r\n/gr) . "\r\n\r\n" . $follows . $inner);
	my $r = $c->reply(10);
	like $r->{status}, qr/^(101|200|400)$/, "$name: the request is answered or refused";
	ok $c->is_closed(10), "$name: the connection ends after one reply";
	unlike "$r->{body}$c->{in}", qr/HTTP/, "$name: bytes after the body are not answered";
}

# What is right stays right.
for (['HTTP/1.0 without a host', "GET /health HTTP/1.0\r\n\r\n"],
    ['an empty line before a request', "\r\n$inner"],
    ['chunks', "$post\r\nhost: h\r\nTransfer-Encoding: Chunked\r\n\r\n$chunked"],
    ['a length', "$post\r\nhost: h\r\nContent-Length: $n\r\n\r\n$body"]) {
	my ($name, $bytes) = @$_;
	my $c = $host->client;
	$c->write($bytes);
	is $c->reply(10)->{status}, 200, "$name: 200";
}
my $c = $host->client;
$c->write($inner x 2 . "$post\r\nhost: h\r\ncontent-length: $n\r\n\r\n$body" . $inner);
is_deeply [map { ($c->reply(10) // {})->{status} } 1 .. 4],
    [200, 200, 200, $keeps_heads ? 200 : undef],
    'requests one behind the other are judged each by its own head';
$host->stop;
done_testing;
