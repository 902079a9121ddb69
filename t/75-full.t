#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Full of work is a clear 503; idle sessions give way.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Test::More;

my $host = CoHost->start(workers => 2, args => ['-o', 'max_sessions=16']);
is $host->input("echo $_", session => { session_id => "idle-$_" })->{status}, 200,
    "idle session $_" for 1 .. 40;
ok $host->metric('cohostd_evictions_total') > 0,
    'idle sessions are evicted when the registry is full';
is $host->http(GET => '/sessions/idle-1')->{json}{result}, '1',
    'results of evicted sessions are kept';
my $old = $host->ws(session => { session_id => 'idle-2' });
is +($old->turn('My name is Al'))[-1]{type}, 'OUTPUT', 'an evicted session can go on';
$old->close;

my @busy = map { $host->ws(session => { session_id => "busy-$_" }) } 1 .. 16;
$_->send_json({ type => 'INPUT', prompt => 'sleep 60000' }) for @busy;
$_->next(type => 'user_input') for @busy;
my $full = qr/server is full: max_sessions/;
my $r = $host->input('echo one more');
is $r->{status}, 503, 'an input that needs another session is refused when all are busy';
like $r->{json}{error}, $full, 'the refusal names max_sessions';
my $ws = $host->ws;
$ws->send_json({ type => 'INPUT', prompt => 'echo one more' });
my $f = $ws->next(type => ['ERROR', 'OUTPUT']);
like $f->{message}, $full, 'the refusal over WebSocket names max_sessions';
is $f->{retryable}, JSON::PP::true, 'the refusal over WebSocket is retryable';
is $host->http(GET => '/health')->{status}, 200,
    'the server is healthy while all sessions are busy';
is $host->http(GET => '/sessions/busy-1')->{json}{status}, 'running',
    'a running session is kept when the registry is full';

$busy[0]->send_json({ type => 'INTERRUPT' });
$busy[0]->next(type => 'OUTPUT');
$busy[0]->close;
ok wait_for(5, sub { $host->input('echo room')->{status} == 200 }),
    'a closed session makes room for another';
$host->stop('QUIT');
done_testing;
