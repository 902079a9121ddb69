#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A slow-loris and half a frame: they cost a connection, and no more.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;
use Time::HiRes qw(time);

my $host = CoHost->start(workers => 2, args => ['-o', 'request_timeout=5']);
my $start = time;
my %slow = (
	'nothing at all' => '', 'half a request line' => 'GET /hea',
	'half a header' => "GET /health HTTP/1.1\r\nhost: x",
	'half a body' => "POST /input HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{",
);
my %clients = map { my $c = $host->client; $c->write($slow{$_}); $_ => $c } sort keys %slow;
my @crowd = map { my $c = $host->client; $c->write("GET / HTTP/1.1\r\n"); $c } 1 .. 200;

my $ws = $host->ws(session => { session_id => 'half' });
$ws->send_raw(substr WS::frame(WS::TEXT, '{"type":"INPUT","prompt":"echo slowly"}'), 0, 20);
my $half_handshake = $host->client;
$half_handshake->write("GET /ws HTTP/1.1\r\nupgrade: websocket\r\n");

my $drip = $host->client;
$drip->write("GET /health HTTP/1.1\r\nhost: x\r\n");
my $n_drips = 0;
until (time - $start > 60 || $drip->is_closed(0.1)) {
	is $host->http(GET => '/health')->{status}, 200,
	    'other clients are served beside slow senders' if $n_drips % 20 == 0;
	last unless $drip->write('x-' . $n_drips++ . ": y\r\n");
}
my $took = time - $start;
ok $drip->is_closed(5), sprintf 'a header a moment is cut after request_timeout (%.1f s)', $took;
cmp_ok $took, '>', 3, 'a slow header is not cut long before request_timeout';
for my $what (sort keys %clients) {
	ok $clients{$what}->is_closed(10), "$what: cut as well";
}
is scalar(grep { !$_->is_closed(5) } @crowd), 0, 'a crowd of slow senders is cut';
ok $half_handshake->is_closed(5), 'a half-sent handshake is cut';

# Half a frame may wait or be cut; either way it is its own affair.
my $twin = $host->ws(session => { session_id => 'half' });
is +($twin->turn('echo quick'))[-1]{result}, 'quick',
    'other clients of the session go on beside half a frame';
my $heard = $ws->next(type => 'OUTPUT', timeout => 5);
ok defined $ws->closed || $heard->{result} eq 'quick', 'half a frame waits, or is cut';
is $host->metric('cohostd_connections') < 10 ? 1 : 0, 1,
    'the connections of slow senders are gone';
$host->stop;
done_testing;
