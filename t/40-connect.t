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
is $f->{status}, 'new', 'a new session';
like $f->{session_id}, qr/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'with an id of ours';
is $f->{protocol}{name}, 'oip', 'the protocol is named';
is $f->{protocol}{version}, '0.1', 'with its version';
ok !exists $f->{server_newer}, 'the server has nothing newer';
my $profile = $ws->next(type => 'AGENT_PROFILE');
is $profile->{session_id}, $f->{session_id}, 'AGENT_PROFILE follows';
is $profile->{address}, $host->http(GET => '/info')->{json}{address}, 'with the address';

my $id = $f->{session_id};
for (1 .. 6) {
	is +(connected({ type => 'CONNECT', session_id => $id }))[0]{status}, 'connected',
	    'from any worker it is known';
}
is +(connected({ type => 'INIT', session_id => $id }))[0]{status}, 'new', 'INIT is always new';
isnt +(connected({ type => 'INIT', session_id => $id }))[0]{session_id}, $id, 'with a new id';
is +(connected({ type => 'ATTACH', session_id => 'who' }))[0]{status}, 'expired',
    'ATTACH to an unknown one: expired';
is +(connected({ type => 'ATTACH', session_id => $id }))[0]{status}, 'completed',
    'to an idle one: completed';
is +(connected({ type => 'ATTACH' }))[0]{message}, 'session_id required', 'to none: an error';

my ($attached, $old) = connected({ type => 'ATTACH', session_id => 'gone-long-ago' });
is $attached->{session_id}, 'gone-long-ago', 'an expired id is kept';
is +($old->turn('echo anew'))[-1]{result}, 'anew', 'and takes an input';

$ws->send_json({ type => 'INPUT', prompt => 'sleep 1000' });
ok $ws->next(type => 'user_input'), 'a turn runs';
for my $type (qw(CONNECT ATTACH)) {
	my ($f, $other) = connected({ type => $type, session_id => $id });
	is $f->{status}, 'running', "$type: running";
	is $other->next(type => 'OUTPUT')->{result}, 'Slept 1000 ms.', 'its end comes'
	    if $type eq 'ATTACH';
}
for my $wrong (17, 'x' x 257, "a\x01b", ['x']) {
	my ($f) = connected({ type => 'CONNECT', session_id => $wrong });
	is $f->{message}, 'session_id invalid', 'a wrong id is refused';
}
($f) = connected({ type => 'CONNECT', protocol => { name => 'oip', version => '9.9' } });
is $f->{code}, -32010, 'another protocol is refused';
is $f->{message}, 'Unsupported OIP protocol', 'in these words';
is +(connected({ type => 'CONNECT',
	protocol => { name => 'oip', version => '0.1' } }))[0]{status}, 'new', 'ours is fine';
$host->stop;
done_testing;
