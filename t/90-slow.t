#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Slow ones, with TEST_SLOW=1: a thousand sockets, and memory over many sessions.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for);
use Test::More;
use Time::HiRes qw(time);

plan skip_all => 'set TEST_SLOW=1 to run it' unless $ENV{TEST_SLOW};

my $host = CoHost->start;
# Memory that is not pages of files, in kB.
my $kb = sub {
	my %children = $host->children;
	my $sum = 0;
	for (map { read_file("/proc/$_/smaps_rollup") } keys %children) {
		$sum += $1 while /^Pss_(?:Anon|Shmem):\s+(\d+)/mg;
	}
	return $sum;
};

my @ws = map { $host->ws(session => { session_id => "s$_" }) } 1 .. 1000;
is $host->metric('cohostd_websockets'), 1000, 'a thousand sockets are open';
my $start = time;
$_->send_json({ type => 'INPUT', prompt => 'sleep 2000' }) for @ws;
my $n = grep { ($_->next(type => ['OUTPUT', 'ERROR'])->{result} // '') eq 'Slept 2000 ms.' } @ws;
is $n, 1000, sprintf 'a thousand turns at once, in %.1f s', time - $start;
$_->close for @ws;
ok wait_for(10, sub { $host->metric('cohostd_websockets') == 0 }), 'a thousand sockets close';

my $warm;
for my $round (1 .. 10) {
	for my $k (1 .. 1000) {
		my $r = $host->input("echo $k", session => { session_id => "r$round-$k" });
		die "round $round, $k: $r->{status}" if $r->{status} != 200;
	}
	$warm = $kb->() if $round == 3;
	note sprintf 'round %d: %d kB', $round, $kb->();
}
cmp_ok $kb->(), '<', 1.1 * $warm + 2048, 'ten thousand sessions later memory is flat';

my $long = $host->ws(session => { session_id => 'long' });
$long->turn("echo turn $_") for 1 .. 300;
is +($long->turn('echo last'))[-1]{session}{turn}, 301, 'a session can have 301 turns';

my $t = WS->roam($host->address, prompt => 'stream 3000 2', cuts => 200, frames => 6002);
is $t->{end}{result}, 'Streamed 3000 steps.', "a turn ends well over a line cut $t->{cuts} times";
is_deeply $t->{problems}, [], 'replays over 200 cuts keep to the protocol';
is scalar(@{ $t->{events} }), 6002, 'no event is lost over 200 cuts';
$host->stop;
done_testing;
