#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Before CONNECT, and what nobody may do.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(workers => 2);
my $first = 'authenticate first (send CONNECT)';
my $unsigned = 'unauthorized: signed request required';

sub error_of {
	my ($ws, $frame) = @_;
	$ws->send_json($frame);
	my $f = $ws->next(type => ['ERROR', 'EXEC_RESULT', 'CONNECTED']);
	return $f->{message} // $f->{error} // $f->{type};
}

my $ws = $host->ws;
is error_of($ws, { type => 'NONSENSE' }), q(unknown message type: 'NONSENSE'),
    'an unknown type of frame is an error';
is error_of($ws, {}), 'unknown message type: None', 'a frame without a type is an error';
is error_of($ws, { type => 'INPUT', prompt => 'x' }), $first,
    'a bare INPUT after another frame is refused';
is error_of($ws, { type => 'EXEC', exec_id => '1', tool => 'bash', args => {} }), $first,
    'EXEC before CONNECT is refused';
is error_of($ws, { type => 'CONNECT' }), 'CONNECTED', 'CONNECT is accepted after refused frames';
is +($ws->turn('echo ok'))[-1]{result}, 'ok', 'INPUT is accepted after CONNECT';

is error_of($host->ws, { type => 'INPUT', prompt => 'x', session_id => 'y' }), $first,
    'a bare INPUT cannot name a session';
for my $member (qw(payload from signature)) {
	my $value = $member eq 'payload' ? {} : 'y';
	is error_of($host->ws, { type => 'CONNECT', $member => $value }), $unsigned,
	    "an unsigned CONNECT with $member is refused";
}
is error_of($host->ws, { type => 'INPUT', prompt => 'x', payload => { prompt => 'x' },
	from => '0x0', signature => '00' }), 'unauthorized: invalid signature',
    'a half-signed INPUT is refused';
like error_of($host->ws(session => {}), { type => 'ADMIN_PROMOTE', payload => {},
	from => 'x', signature => 'y' }), qr/unauthorized|forbidden|unknown/,
	    'an unsigned admin frame is refused';
like error_of($host->ws(session => {}), { type => 'EXEC', exec_id => '1', tool => 'bash',
	args => {} }), qr/forbidden: exec requires an authenticated caller/,
	    'EXEC by an unsigned client is refused';
is error_of($host->ws, { type => 'mode_change', mode => 'auto' }),
    'mode change is unavailable', 'mode_change without a session is refused';

$ws->send_json({ type => 'SESSION_STATUS', session => { session_id => 'none' } });
is $ws->next(type => 'SESSION_STATUS')->{status}, 'not_found',
    'SESSION_STATUS of an unknown session is not_found';
my $fresh = $host->ws;
$fresh->send_json({ type => 'SESSION_STATUS',
	session => { session_id => $host->ws(session => { session_id => 'here' })->session_id } });
is $fresh->next(type => 'SESSION_STATUS')->{status}, 'connected',
    'SESSION_STATUS of an existing session is connected';
$fresh->send_json({ type => 'PING' });
is $fresh->next(type => 'PONG')->{type}, 'PONG', 'PING is answered';
$host->stop;
done_testing;
