#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# /metrics is good Prometheus text and the same from every worker.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(run write_file);
use Test::More;

my $host = CoHost->start;
$host->input('echo one');
my $ws = $host->ws(session => {});
$ws->turn('stream 3');

my $r = $host->http(GET => '/metrics');
is $r->{status}, 200, 'GET /metrics is answered';
like $r->{header}{'content-type'}, qr{^text/plain; version=0\.0\.4},
    '/metrics has the content type of Prometheus';
my %type = $r->{body} =~ /^# TYPE (\S+) (\S+)$/mg;
my @samples = $r->{body} =~ /^([a-z_:]+)(?:\{[^}]*\})? \S+$/mg;
ok @samples > 20, '/metrics has more than 20 samples';
is_deeply [grep { !$type{ s/_(?:bucket|sum|count)$//r } && !$type{$_} } @samples], [],
    'each sample has a type';
is_deeply [grep { $type{$_} eq 'counter' && !/_total$/ } keys %type], [],
    'counters end in _total';
ok $type{$_}, "the metric $_ exists" for qw(cohostd_build_info process_start_time_seconds
    process_resident_memory_bytes process_open_fds);

my @tables = map { my $r = $host->http(GET => '/metrics'); $r->{body} } 1 .. 8;
my %accepted = map { /^cohostd_inputs_accepted_total (\d+)/m; $1 => 1 } @tables;
is_deeply [keys %accepted], [2], 'every worker tells the sum of all';
is $host->metric('cohostd_runs_done_total'), 2, 'two turns are done';
is $host->metric('cohostd_websockets'), 1, 'one WebSocket is open';
$ws->close;
ok CoHost::wait_for(5, sub { $host->metric('cohostd_websockets') == 0 }),
    'a closed WebSocket is no longer counted';
my $n = $host->metric('cohostd_inputs_accepted_total');
kill KILL => $host->workers;
ok CoHost::wait_for(10, sub {
	return eval { $host->metric('cohostd_inputs_accepted_total') } // 0 == $n;
}), 'counters survive the death of workers';

SKIP: {
	my ($promtool) = grep { -x } map { "$_/promtool" } split /:/, $ENV{PATH};
	skip 'promtool is not installed', 1 unless $promtool;
	my $file = $host->dir . '/metrics';
	write_file($file, $r->{body});
	my $check = run(['sh', '-c', "'$promtool' check metrics < '$file'"]);
	is $check->{status}, 0, 'promtool has nothing to say' or diag $check->{out};
}
$host->stop;
done_testing;
