#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Time: pings, idle sessions and stuck turns. The clock is moved, so nothing waits.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Sign qw(:all);
use Test::More;
use Time::HiRes qw(time);

my $host = CoHost->start(clock => 1, env => { CO_INVITE_CODE => 'sesame' });
my ($own, $stranger) = (key_of($host), key_new());
my $n_hellos = 0;

sub hello {
	my ($key, %o) = @_;
	my $ws = $host->ws;
	$ws->send_json(connect_frame($key, $host, %o, payload => { nonce => $n_hellos++ }));
	$ws->{connected} = $ws->next(type => ['CONNECTED', 'ONBOARD_REQUIRED']);
	return $ws;
}

# One look through a connection that neither speaks for the session nor stays in it.
my $probe = hello($own);
sub status {
	my ($id) = @_;
	$probe->send_json({ type => 'SESSION_STATUS', session => { session_id => $id } });
	return $probe->next(type => 'SESSION_STATUS')->{status};
}

sub leave {
	my ($ws) = @_;
	my $n = $host->metric('cohostd_sessions_attached');
	$ws->close;
	wait_for(10, sub { $host->metric('cohostd_sessions_attached') < $n });
}

# ---- PING ----

my $idle = hello($own);
my $fresh = $host->ws;
my $gated = hello($stranger);
is $gated->connected->{type}, 'ONBOARD_REQUIRED',
    'the CONNECT of a stranger is answered by ONBOARD_REQUIRED';
my $busy = hello($own, session_id => 'busy');
$busy->send_json({ type => 'INPUT', prompt => 'ask Well?' });
$busy->next(type => 'ask_user');
my %socket = (idle => $idle, fresh => $fresh, gated => $gated, running => $busy);
for my $round (1 .. 3) {
	$host->pass(30);
	for my $kind (sort keys %socket) {
		ok $socket{$kind}->next(type => 'PING'), "PING $round after 30 s on a socket that is $kind";
	}
}
is_deeply [grep { defined } map { $_->closed } values %socket], [],
    'no socket is closed for never saying PONG';
$busy->send_json({ type => 'ASK_USER_RESPONSE', answer => 'well' });
$busy->all_until('OUTPUT');

# ---- idle for 600 s ----

# Real time goes on as well, so a round counts only if it took less than a second.
my $kept;
for (1 .. 10) {
	my $began = time;
	leave(hello($own, session_id => 'idle'));
	$host->pass(599);
	$kept = status('idle');
	last if time - $began < 0.9;
}
is $kept, 'connected', 'a session idle for 599 s is connected';
$host->pass(2);
ok wait_for(10, sub { status('idle') eq 'not_found' }), 'a session idle for 601 s is not found';
is hello($own, session_id => 'idle')->connected->{status}, 'new',
    'a session idle for 601 s is new when it comes back';

# ---- a turn of 50 minutes ----

leave(hello($own, session_id => 'witness'));
my $long = hello($own, session_id => 'long');
$long->send_json({ type => 'INPUT', prompt => 'sleep 3000000' });
$long->next(type => 'user_input');
leave($long);
is status('long'), 'running', 'a turn goes on when its socket is closed';
$host->pass(2450);
ok wait_for(10, sub { status('witness') eq 'not_found' }),
    'idle sessions expire while a turn runs';
is status('long'), 'running', 'a running session does not expire';
leave(hello($own, session_id => 'witness'));
$host->pass(551);
my $record = sub {
	return $host->http(GET => '/sessions/long',
		signed_get_headers($own, '/sessions/long', timestamp => now($host)))->{json};
};
ok wait_for(10, sub { $record->()->{status} eq 'done' }), 'the turn ends after 50 minutes';
is $record->()->{result}, 'Slept 3000000 ms.',
    'a turn that ended with no socket open has its result';
$host->pass(60);
ok wait_for(10, sub { status('witness') eq 'not_found' }),
    'other sessions expire a minute after a turn of 50 minutes';
is status('long'), 'connected', 'the idle time of a session begins with the end of its turn';

# ---- a turn that is silent for an hour ----

my $silent = hello($own, session_id => 'silent');
$silent->send_json({ type => 'INPUT', prompt => 'ask Anybody?' });
$silent->next(type => 'ask_user');
my $chatty = hello($own, session_id => 'chatty');
$chatty->send_json({ type => 'INPUT', prompt => 'stream 4 1800000' });
$chatty->next(type => 'tool_result');
$host->pass(1801);
$chatty->next(type => 'tool_result');
$host->pass(1759);
is_deeply [grep { $_->{type} eq 'ERROR' } $silent->settle], [],
    'a turn silent for 3560 s gets no ERROR';
is status('silent'), 'running', 'a turn silent for 3560 s is running';
$host->pass(42);
my $end = $silent->next(type => ['OUTPUT', 'ERROR']);
is "$end->{type} $end->{code} $end->{reason}", 'ERROR -32603 stuck',
    'a turn silent for 3601 s ends as stuck';
is $host->http(GET => '/sessions/silent', signed_get_headers($own, '/sessions/silent',
	timestamp => now($host)))->{json}{status}, 'interrupted',
	    'the record of a stuck turn is interrupted';
$chatty->next(type => 'tool_result');
$host->pass(1801);
is $chatty->next(type => ['OUTPUT', 'ERROR'])->{result}, 'Streamed 4 steps.',
    'a turn with events in between lasts more than an hour';
$host->stop;
done_testing;
