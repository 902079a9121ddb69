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
is $status->('idle'), 'connected', 'a session just left is connected';
$host->pass(590);
is $status->('idle'), 'connected', 'a session idle for 590 s is connected';
$host->pass(700);
ok wait_for(5, sub { $host->metric('cohostd_expired_total') > 0 }),
    'a session idle for more than 600 s is swept';
my $back = $host->ws(session => { session_id => 'idle' });
is $back->connected->{status}, 'new', 'a swept session is new when it comes back';
is +($back->turn('What is my name?'))[-1]{result}, 'Your name is Eve',
    'the conversation of a swept session is still stored';

my $stuck = $host->ws(session => { session_id => 'stuck' });
$stuck->send_json({ type => 'INPUT', prompt => 'ask Anybody?' });
$stuck->next(type => 'ask_user');
$host->pass(3500);
is $host->http(GET => '/sessions/stuck')->{status}, 200,
    'a turn that is silent for 3500 s is still kept';
$host->pass(200);
my $end = $stuck->next(type => ['OUTPUT', 'ERROR'], timeout => 10);
is $end->{type}, 'ERROR', 'a turn without any event for an hour ends';
is $end->{code}, -32603, 'a stuck turn ends with the code of an internal error';
is $end->{reason}, 'stuck', 'a stuck turn ends with the reason stuck';
is $host->http(GET => '/sessions/stuck')->{json}{status}, 'interrupted',
    'the record of a stuck turn is interrupted';
is +($stuck->turn('echo free'))[-1]{result}, 'free', 'a session takes inputs after a stuck turn';

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
