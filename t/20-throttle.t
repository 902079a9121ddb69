#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A worker that cannot live is not started in a tight loop.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Test::More;
use Time::HiRes qw(time);

my $host = CoHost->start(workers => 1);
my %seen;
my $end = time + 3;
while (time < $end) {
	for my $pid ($host->workers) {
		$seen{$pid} = 1;
		kill KILL => $pid;
	}
	select undef, undef, undef, 0.002;
}
my $n = keys %seen;
cmp_ok $n, '>=', 2, "the worker was restarted ($n times in 3 s)";
cmp_ok $n, '<=', 60, 'restarts of a worker that dies at once are throttled';

ok wait_for(30, sub {
	my $r = eval { $host->http(GET => '/health') };
	return $r && $r->{status} == 200;
}), 'the server answers again when its worker may live';
$host->stop;
done_testing;
