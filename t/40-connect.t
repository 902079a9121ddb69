#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# CONNECT, INIT and ATTACH: who is there, and in which words.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start;

sub connected {
	my ($frame) = @_;
	my $ws = $host->ws;
	$ws->send_json($frame);
	return ($ws->next(type => ['CONNECTED', 'ERROR']), $ws);
}

my ($f, $ws) = connected({ type => 'CONNECT' });
is $f->{status}, 'new', 'CONNECT without session_id begins a new session';
like $f->{session_id}, qr/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    "a new session has an id of the server's own";
is $f->{protocol}{name}, 'oip', 'CONNECTED names the protocol';
is $f->{protocol}{version}, '0.1', 'CONNECTED names the version of the protocol';
ok !exists $f->{server_newer}, 'a new session has nothing newer on the server';
my $profile = $ws->next(type => 'AGENT_PROFILE');
is $profile->{session_id}, $f->{session_id}, 'AGENT_PROFILE follows CONNECTED';
is $profile->{address}, $host->http(GET => '/info')->{json}{address},
    'AGENT_PROFILE has the address';

my $id = $f->{session_id};
for (1 .. 6) {
	is +(connected({ type => 'CONNECT', session_id => $id }))[0]{status}, 'connected',
	    'every worker knows the new session';
}
is +(connected({ type => 'INIT', session_id => $id }))[0]{status}, 'new',
    'INIT always begins a new session';
isnt +(connected({ type => 'INIT', session_id => $id }))[0]{session_id}, $id,
    'INIT gives the session a new id';
is +(connected({ type => 'ATTACH', session_id => 'who' }))[0]{status}, 'expired',
    'ATTACH to an unknown session is expired';
is +(connected({ type => 'ATTACH', session_id => $id }))[0]{status}, 'completed',
    'ATTACH to an idle session is completed';
is +(connected({ type => 'ATTACH' }))[0]{message}, 'session_id required',
    'ATTACH without session_id is an error';

my ($attached, $old) = connected({ type => 'ATTACH', session_id => 'gone-long-ago' });
is $attached->{session_id}, 'gone-long-ago', 'ATTACH keeps the id of an expired session';
is +($old->turn('echo anew'))[-1]{result}, 'anew', 'an expired session takes an input';

$ws->send_json({ type => 'INPUT', prompt => 'sleep 1000' });
ok $ws->next(type => 'user_input'), 'a turn runs';
for my $type (qw(CONNECT ATTACH)) {
	my ($f, $other) = connected({ type => $type, session_id => $id });
	is $f->{status}, 'running', "$type to a running session says running";
	is $other->next(type => 'OUTPUT')->{result}, 'Slept 1000 ms.',
	    'ATTACH to a running turn gets its OUTPUT'
	    if $type eq 'ATTACH';
}
for my $wrong (17, 'x' x 257, "a\x01b", ['x']) {
	my ($f) = connected({ type => 'CONNECT', session_id => $wrong });
	is $f->{message}, 'session_id invalid', 'CONNECT with an invalid session_id is refused';
}
($f) = connected({ type => 'CONNECT', protocol => { name => 'oip', version => '9.9' } });
is $f->{code}, -32010, 'CONNECT with another protocol version is refused';
is $f->{message}, 'Unsupported OIP protocol',
    'the refusal of another protocol version says unsupported';
is +(connected({ type => 'CONNECT',
	protocol => { name => 'oip', version => '0.1' } }))[0]{status}, 'new',
	    'CONNECT with our protocol version is accepted';
$host->stop;
done_testing;
