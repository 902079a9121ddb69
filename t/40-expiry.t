#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# An idle session is forgotten after 10 minutes; a stuck turn ends after an hour.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Test::More;

my $host = CoHost->start(clock => 1, args => ['-o', 'approval_timeout=604800']);
my $status = sub {
	my $ws = $host->ws(session => { session_id => $_[0] });
	my $s = $ws->connected->{status};
	$ws->close;
	return $s;
};

my $ws = $host->ws(session => { session_id => 'idle' });
$ws->turn('My name is Eve');
$ws->close;
is $status->('idle'), 'connected', 'just left: known';
$host->pass(590);
is $status->('idle'), 'connected', 'after 590 s, too';
$host->pass(700);
ok wait_for(5, sub { $host->metric('cohostd_expired_total') > 0 }), 'after 700 s it is swept';
my $back = $host->ws(session => { session_id => 'idle' });
is $back->connected->{status}, 'new', 'and new again';
is +($back->turn('What is my name?'))[-1]{result}, 'Your name is Eve',
    'what was said is still stored';

my $stuck = $host->ws(session => { session_id => 'stuck' });
$stuck->send_json({ type => 'INPUT', prompt => 'ask Anybody?' });
$stuck->next(type => 'ask_user');
$host->pass(3500);
is $host->http(GET => '/sessions/stuck')->{status}, 200, 'it may wait long';
$host->pass(200);
my $end = $stuck->next(type => ['OUTPUT', 'ERROR'], timeout => 10);
is $end->{type}, 'ERROR', 'after an hour without any event it ends';
is $end->{code}, -32603, 'in an error';
is $end->{reason}, 'stuck', 'with its reason';
is $host->http(GET => '/sessions/stuck')->{json}{status}, 'interrupted', 'the record says so';
is +($stuck->turn('echo free'))[-1]{result}, 'free', 'the session is free again';

my $chatty = $host->ws(session => { session_id => 'chatty' });
$chatty->send_json({ type => 'INPUT', prompt => 'stream 4 1800000' });
for (1 .. 3) {
	$chatty->next(type => 'tool_result');
	$host->pass(1801);
}
is $chatty->next(type => ['OUTPUT', 'ERROR'])->{result}, 'Streamed 4 steps.',
    'a turn that shows events may last longer';
$host->stop;
done_testing;
