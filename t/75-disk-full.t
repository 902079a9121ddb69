#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# No room in the store: inputs are refused in clear words, what is there is served, and
# with more room all is well again.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Test::More;

my $host = CoHost->start(workers => 2,
	args => ['-o', 'store_size=1', '-o', 'drain_timeout=2']);
my $sleeper = $host->ws(session => { session_id => 'sleeper' });
$sleeper->send_json({ type => 'INPUT', prompt => 'sleep 1500' });
$sleeper->next(type => 'user_input');

# Ever smaller inputs, until the smallest finds no room.
my @kept;
my $refused;
for my $size (20000, 2000, 1) {
	for my $k (1 .. 200) {
		my $id = "size-$size-$k";
		my $r = $host->input('echo ' . 'x' x $size, session => { session_id => $id });
		$refused = $r;
		last if $r->{status} != 200;
		push @kept, [$id, $size];
	}
}
cmp_ok scalar(@kept), '>', 5, scalar(@kept) . ' inputs find room';
is $refused->{status}, 503, 'an input that finds no room is refused';
like $refused->{json}{error}, qr/store cannot take writes/,
    'the refusal says that the store cannot take writes';
is $refused->{json}{data}{retryable}, JSON::PP::true, 'the refusal for a full store is retryable';
like $host->words, qr/error .*store: \w+ facts\.mdb: .*store_size/,
    'the log names the full file and the setting';

is $host->http(GET => $_)->{status}, 200, "$_ is served" for
    qw(/health /metrics /sessions);
my $ready = $host->http(GET => '/readyz?verbose');
is $ready->{status}, 503, '/readyz is 503 while the store is full';
is $ready->{json}{checks}{disk}, 'failed', '/readyz names the disk as the reason';
is length($host->http(GET => "/sessions/$kept[0][0]")->{json}{result}), $kept[0][1],
    'stored results are served while the store is full';
like $sleeper->next(type => ['OUTPUT', 'ERROR'], timeout => 20)->{type}, qr/OUTPUT|ERROR/,
    'a running turn ends while the store is full';

is $host->http(GET => '/health')->{status}, 200, 'the server answers after the store was full';
$host->stop;

my $next = CoHost->start(dir => $host->dir, workers => 2, args => ['-o', 'store_size=64']);
my @lost = grep {
	length($next->http(GET => "/sessions/$_->[0]")->{json}{result} // '') != $_->[1]
} @kept;
is_deeply \@lost, [], 'a larger store has everything that was accepted';
is $next->input('echo room')->{json}{result}, 'room', 'a larger store takes inputs';
$next->stop;

# More events than the journal has room for, while the facts have some: the turns that lose
# some fail, and say so.
$host = CoHost->start(workers => 2,
	args => ['-o', 'store_size=1', '-o', 'drain_timeout=2']);
my @ws = map { $host->ws(session => { session_id => "stream-$_" }) } 1 .. 4;
$_->send_json({ type => 'INPUT', prompt => 'stream 3000' }) for @ws;
ok wait_for(10, sub { $host->words =~ /events lost: store: \w+ journal\.mdb: .*store_size/ }),
    'the log says which events are lost and why';
# One whose end itself finds no room is told when there is some (below).
my @ends = grep { $_ } map { $_->next(type => ['OUTPUT', 'ERROR'], timeout => 5) } @ws;
cmp_ok scalar(@ends), '>=', 1, scalar(@ends) . ' of four clients are told at once';
like $_->{reason} // $_->{message} // $_->{type}, qr/^(?:store$|the store cannot|OUTPUT$)/,
    'a turn in a full store is refused, fails for this reason, or is done' for @ends;
is $host->http(GET => '/health')->{status}, 200, 'the server answers after events were lost';
$host->stop;

$next = CoHost->start(dir => $host->dir, workers => 2, args => ['-o', 'store_size=64']);
is +($next->ws(session => { session_id => 'new' })->turn('stream 3000'))[-1]{result},
    'Streamed 3000 steps.', 'a long turn runs in a larger store';
for my $id (map { "stream-$_" } 1 .. 4) {
	ok wait_for(20, sub {
		my $r = $next->http(GET => "/sessions/$id");
		return $r->{status} == 404 || $r->{json}{status} ne 'running';
	}), "$id has come to an end";
}
ok wait_for(20, sub { $next->metric('cohostd_runs') == 0 }), 'no turn is left running';
$next->stop;
done_testing;
