#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# WebSocket messages that are too big cost no memory: 1009.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file);
use Test::More;

my $host = CoHost->start(workers => 1, args => ['-o', 'max_body=16']);
my ($worker) = $host->workers;
my $kb = sub { (read_file("/proc/$worker/status") =~ /^VmRSS:\s+(\d+)/m)[0] };
my $other = $host->ws(session => { session_id => 'bystander' });
$other->turn('echo warm');
my $before = $kb->();

for my $n (1 .. 5) {
	my $ws = $host->ws(session => {});
	$ws->send_raw(WS::frame(WS::TEXT, 'x' x 100, len => 100 * 2**20));
	is $ws->wait_close(10), 1009, 'the head of a 100 MB frame closes the socket with 1009';
}
my $ws = $host->ws(session => {});
$ws->send_raw(WS::frame(WS::TEXT, '', len => 2**63 - 1));
ok $ws->wait_close(10), 'a frame of 2^63 bytes closes the socket';
$ws = $host->ws(session => {});
$ws->send_raw(pack('CCQ>', 0x81, 255, 2**63 + 5) . 'mask');
ok $ws->wait_close(10), 'a frame of more than 2^63 bytes closes the socket';

$ws = $host->ws(session => {});
my $piece = WS::frame(0, 'x' x 2**20, fin => 0);
$ws->send_frame(WS::TEXT, '{', fin => 0);
my $n = 0;
while ($n < 100 && $ws->send_raw($piece, 5)) { $n++ }
is $ws->wait_close(10) // 1006, 1009, "fragments without end, cut after about $n MB"
    or diag $ws->closed // 'open';

# Many that stop in the middle of a big one that is allowed.
my @halves = map { $host->ws(session => {}) } 1 .. 20;
$_->send_raw(WS::frame(WS::TEXT, 'x' x 1000, len => 15 * 2**20)) for @halves;
$_->send_json({ type => 'PING' }) for $other;
$other->next(type => 'PONG');
cmp_ok $kb->() - $before, '<', 64 * 1024, sprintf 'memory stays (%d kB more)', $kb->() - $before;

my $big = $host->ws(session => {});
is +($big->turn('x' x 2**20 . 'y'))[-1]{type}, 'ERROR', 'a prompt over max_prompt is refused';
is +($big->turn('echo ' . 'z' x 100_000))[-1]{result}, 'z' x 100_000,
    'a prompt of 100 kB is accepted';
is +($other->turn('echo calm'))[-1]{result}, 'calm',
    'another client is served after the large frames';
is +($host->workers)[0], $worker, 'no worker died';
$host->stop;
done_testing;
