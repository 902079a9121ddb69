#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# TERM lets turns end; QUIT does not wait; INT is TERM. All end well.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Test::More;

for my $signal (qw(TERM INT)) {
	my $host = CoHost->start(workers => 2);
	my $c = $host->client;
	$c->send(POST => '/input', {}, { prompt => 'sleep 1200',
		session => { session_id => 'patient' } });
	ok wait_for(5, sub { $host->metric('cohostd_runs') == 1 }),
	    "a turn runs when $signal comes";
	$host->signal($signal);
	my $r = $c->reply;
	is $r && $r->{json}{result}, 'Slept 1200 ms.', "$signal lets a running turn end";
	$host->stop($signal);
	ok !eval { $host->http(GET => '/health'); 1 }, "no port is open after $signal";
}

my $host = CoHost->start(workers => 2, args => ['-o', 'drain_timeout=3600']);
my $ws = WS->connect($host->address, session => { session_id => 'cut-off' });
$ws->send_json({ type => 'INPUT', prompt => 'sleep 3600000' });
ok wait_for(5, sub { $host->metric('cohostd_runs') == 1 }), 'a long turn runs';
$host->stop('QUIT'); # which does not wait for the turn
ok defined $ws->wait_close(5), 'QUIT cuts the client of a running turn';

$host = CoHost->start(workers => 2, args => ['-o', 'drain_timeout=1']);
$ws = WS->connect($host->address, session => { session_id => 'too-long' });
$ws->send_json({ type => 'INPUT', prompt => 'sleep 3600000' });
ok wait_for(5, sub { $host->metric('cohostd_runs') == 1 }),
    'a turn longer than drain_timeout runs';
$host->stop; # which waits for drain_timeout and no longer
my $code = $ws->wait_close(5) // 0;
ok $code == 1012 || $code == 1001, "clients are told of the restart ($code)";
done_testing;
