#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# HTTP that is wrong or too much gets its status, and nobody else notices.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(workers => 2, args => ['-o', 'max_body=16']);
my $other = $host->ws(session => { session_id => 'bystander' });

sub raw {
	my ($bytes) = @_;
	my $c = $host->client;
	$c->write($bytes);
	my $r = $c->reply(10);
	return ($r ? $r->{status} : 'closed', $c);
}

is +(raw("GET /health HTTP/1.1\r\nhost: x\r\n" . join('', map { "x-$_: y\r\n" } 1 .. 10_000)
    . "\r\n"))[0] =~ /^(?:431|400|closed)$/ ? 1 : 0, 1, '10,000 headers are refused';
is +(raw("GET /health HTTP/1.1\r\nhost: x\r\nx: " . 'y' x 2**20 . "\r\n\r\n"))[0]
    =~ /^(?:431|400|413|closed)$/ ? 1 : 0, 1, 'a header of 1 MB is refused';
is +(raw('GET /' . 'a' x 2**17 . " HTTP/1.1\r\nhost: x\r\n\r\n"))[0]
    =~ /^(?:414|431|400|closed)$/ ? 1 : 0, 1, 'a path of 128 kB is refused';

for my $bad ("GARBAGE\r\n\r\n", "GET\r\n\r\n", "GET /health HTTP/9.9\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "GET /health HTTP/1.1\r\nno colon\r\n\r\n",
    "POST /input HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
    "POST /input HTTP/1.1\r\nhost: x\r\ncontent-length: ten\r\n\r\n",
    "POST /input HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n") {
	my ($status, $c) = raw($bad);
	like $status, qr/^(?:4\d\d|closed|505)$/,
	    'a malformed request is refused: ' . ($bad =~ s/[^ -~]+/./gr =~ s/(.{40}).*/$1/r)
	    or diag $status;
	ok $c->is_closed(10),
	    'the connection of a malformed request is closed' unless $status eq 'closed';
}

my $c = $host->client;
$c->write("POST /input HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n"
    . "expect: 100-continue\r\n\r\n");
my $r = $c->reply(10);
is $r->{status}, 413, 'a body that is too long is refused before it is sent';
is $r->{json}{error}, 'Request body too large',
    'the refusal of a body that is too long has its text';
$r = $host->http(POST => '/input', {}, 'x' x (18 * 2**20));
ok !$r || $r->{status} == 413, 'a body that is too long is refused while it is sent';
$c = $host->client;
$c->write("POST /input HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
for (1 .. 40) { last unless $c->write(sprintf("%x\r\n", 2**20) . 'x' x 2**20 . "\r\n", 5) }
$r = $c->reply(5);
ok !$r || $r->{status} == 413, 'endless chunks are refused';

$c = $host->client;
$c->write("POST /input HTTP/1.1\r\nhost: x\r\ncontent-length: 40\r\nexpect: 100-continue\r\n\r\n");
is $c->head(5)->{status}, 100, 'Expect: 100-continue is answered with 100';
$c->write('{"prompt":"echo continued"}' . ' ' x 13);
is $c->reply->{json}{result}, 'continued', 'a body sent after 100 Continue is read';

is +($other->turn('echo calm'))[-1]{result}, 'calm',
    'other clients are served after malformed requests';
is scalar($host->workers), 2, 'no worker died';
$host->stop;
done_testing;
