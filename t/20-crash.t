#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A worker or keeper that dies is replaced at once; nobody waits for it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Test::More;
use Time::HiRes qw(time);

my $host = CoHost->start;
my @before = $host->workers;

my $victim = $host->kill_worker;
my $start = time;
my $n_failed = 0;
my $replaced = wait_for(5, sub {
	my $r = eval { $host->http(GET => '/health') };
	$n_failed++ unless $r && $r->{status} == 200;
	my %now = map { $_ => 1 } $host->workers;
	return !$now{$victim} && keys %now == 4;
});
ok $replaced, sprintf 'a killed worker was replaced (%.0f ms)',
    1000 * (time - $start);
cmp_ok $n_failed, '<=', 1, 'the other workers answered while one was replaced';
my %after = map { $_ => 1 } $host->workers;
is scalar(grep { $after{$_} } @before), 3, 'a killed worker does not take the others with it';
like $host->words, qr/worker.*(?:signal 9|Killed)/i, 'the log says which worker died, and how';

my ($keeper) = $host->keepers;
kill KILL => $keeper;
ok wait_for(5, sub {
	my @k = $host->keepers;
	return @k == 1 && $k[0] != $keeper;
}), 'a killed keeper is replaced';
is $host->input('echo still here')->{json}{result}, 'still here',
    'inputs are taken after the keeper was replaced';

for my $round (1 .. 5) {
	my @all = $host->workers;
	kill KILL => @all;
	my %old = map { $_ => 1 } @all;
	ok wait_for(10, sub {
		my @now = grep { !$old{$_} } $host->workers;
		return @now == 4;
	}), "all workers killed, round $round: all are replaced";
	ok wait_for(10, sub {
		my $r = eval { $host->http(GET => '/health') };
		return $r && $r->{status} == 200;
	}), 'the replaced workers answer requests';
}
$host->stop;
done_testing;
