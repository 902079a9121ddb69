#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A client that floods INPUT is answered each time, or cut; others go on.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for);
use Test::More;
use Time::HiRes qw(time);

my $host = CoHost->start(workers => 2);
my $calm = $host->ws(session => { session_id => 'calm' });
my $flood = $host->ws(session => { session_id => 'flood' });
my $n = 2000;
my $bytes = join '', map {
	WS::frame(WS::TEXT, qq({"type":"INPUT","prompt":"echo $_","input_id":"i$_"})) } 1 .. $n;
$flood->send_raw($bytes, 30);

my $start = time;
my $slowest = 0;
for my $k (1 .. 10) {
	my $t = time;
	is +($calm->turn("echo $k"))[-1]{result}, $k,
	    'another client is answered during the flood' if $k % 5 == 0;
	$calm->turn('echo x') if $k % 5;
	$slowest = time - $t if time - $t > $slowest;
}
note sprintf 'in %.0f ms at worst', 1000 * $slowest;

my %got;
my ($n_ends, $n_acks, $n_errors) = (0, 0, 0);
while ($n_ends + $n_acks + $n_errors < $n) {
	my $f = $flood->next(timeout => 20) or last;
	$n_ends++, $got{ $f->{input_id} // '' }++ if $f->{type} eq 'OUTPUT';
	$n_acks++ if $f->{type} eq 'RUNTIME_INPUT_ACK';
	$n_errors++ if $f->{type} eq 'ERROR';
}
ok defined $flood->closed || $n_ends + $n_acks + $n_errors == $n,
    "every input of the flood was answered ($n_ends ends, $n_acks joined, $n_errors refused)";
is_deeply [grep { $_ ne '' && $got{$_} > 1 } keys %got], [], 'no input of the flood has two ends';
ok wait_for(20, sub { $host->metric('cohostd_runs') == 0 }), 'no turn is left running';

my @bare = map { $host->ws } 1 .. 100;
$_->send_raw(WS::frame(WS::TEXT, '{"type":"INPUT","prompt":"echo bare"}')) for @bare;
is scalar(grep { $_->next(type => 'OUTPUT')->{result} eq 'bare' } @bare), 100,
    'a hundred bare inputs at once';
is scalar($host->workers), 2, 'no worker died';
$host->stop;
done_testing;
