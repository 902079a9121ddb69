#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Administration over a WebSocket, and what becomes of a client that is blocked.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Sign qw(:all);
use Test::More;

my $host = CoHost->start(workers => 2, yaml => "trust: open\n");
my $own = key_of($host);
my ($admin, $client) = (key_new(), key_new());
my $id = $client->{address};
my $ws = $host->ws;

# The answer to a frame.
sub answer {
	my ($socket, $frame) = @_;
	$socket->send_json($frame);
	return $socket->next(type => ['ADMIN_RESULT', 'ERROR']);
}

# An ADMIN_ frame of a client that signs nothing else.
sub ask {
	my ($key, $type, %payload) = @_;
	return answer($ws, { type => $type,
		%{ sign_payload($key, { type => $type, %payload }) } });
}

sub says {
	my ($frame, $text, $name) = @_;
	is $frame->{message}, $text, $name;
	is $frame->{type}, 'ERROR', "$name: the answer is an ERROR";
}

# ---- the actions ----

my $done = ask($own, 'ADMIN_ADD', admin_id => $admin->{address});
is_deeply $done, { type => 'ADMIN_RESULT', action => 'add_admin',
	success => JSON::PP::true, message => "$admin->{address} added as admin." },
    'our own key makes an admin';
my @story = (
	[PROMOTE => "$id promoted to contact.", 'contact'],
	[PROMOTE => "$id promoted to whitelist.", 'whitelist'],
	[DEMOTE => "$id demoted to contact.", 'contact'],
	[BLOCK => "$id blocked. Reason: spam", 'blocked'],
	[UNBLOCK => "$id unblocked.", 'contact'],
);
my $n = 0;
for (@story) {
	my ($what, $message, $level) = @$_;
	my $r = ask($admin, "ADMIN_$what", client_id => $id, reason => 'spam', n => $n++);
	is_deeply $r, { type => 'ADMIN_RESULT', action => lc $what,
		success => JSON::PP::true, message => $message, level => $level },
	    "an admin is told: $message";
}
is_deeply ask($admin, 'ADMIN_GET_LEVEL', client_id => $id),
    { type => 'ADMIN_RESULT', action => 'get_level', client_id => $id,
	level => 'contact' }, 'a level is told';

# ---- what is refused ----

says(ask($client, 'ADMIN_PROMOTE', client_id => $id), 'forbidden: admin only',
	'a contact promotes nobody');
says(ask($admin, 'ADMIN_REMOVE', admin_id => $admin->{address}),
	'forbidden: super admin only', 'an admin cannot remove admins');
says(ask($admin, 'ADMIN_BLOCK'), 'client_id required', 'a block without client_id is refused');
says(ask($admin, 'ADMIN_NONSENSE'), 'Unknown admin action: ADMIN_NONSENSE',
	'an unknown admin action is refused');
my $signed = sign_payload($admin, { type => 'ADMIN_PROMOTE', client_id => $id, n => 'x' });
says(answer($ws, { type => 'ADMIN_BLOCK', %$signed }),
	'unauthorized: signed command type mismatch',
	'what was signed to promote does not block');
is answer($ws, { type => 'ADMIN_PROMOTE', %$signed })->{level}, 'whitelist',
    'what was signed to promote promotes';
says(answer($ws, { type => 'ADMIN_PROMOTE', %$signed }),
	'unauthorized: signature already used', 'the signature of a command counts once');
$signed = sign_payload($admin, { client_id => $id });
says(answer($ws, { type => 'ADMIN_GET_LEVEL', %$signed }),
	'unauthorized: wrong recipient', 'a signed command without type and address is refused');
$signed = sign_payload($admin, { client_id => $id, to => host_address($host) });
is answer($ws, { type => 'ADMIN_GET_LEVEL', %$signed })->{level}, 'whitelist',
    'a signed command without type but with our address is answered';
$signed = sign_payload($admin, { client_id => $id, to => $id, type => 'ADMIN_GET_LEVEL' });
says(answer($ws, { type => 'ADMIN_GET_LEVEL', %$signed }),
	'unauthorized: wrong recipient', 'a signed command for another address is refused');

# ---- a socket whose commands are signed ----

my $v2 = $host->ws(session => connect_frame($admin, $host, v2 => 1));
is answer($v2, command_frame($admin, $host, 'ADMIN_GET_LEVEL', client_id => $id))->{level},
    'whitelist', 'a signed command of a v2 socket is answered';
says(answer($v2, { type => 'ADMIN_GET_LEVEL', client_id => $id }),
	'unauthorized: signed command required', 'an unsigned command of a v2 socket is refused');

# ---- blocked while connected ----

my $open = $host->ws(session => connect_frame($client, $host));
is(($open->turn('hello'))[-1]{type}, 'OUTPUT', 'a client has a conversation');
is ask($admin, 'ADMIN_BLOCK', client_id => $id)->{level}, 'blocked',
    'a client is blocked while its socket is open';
$open->send_json({ type => 'INPUT', prompt => 'more' });
says($open->next(type => ['OUTPUT', 'ERROR']), 'forbidden: blocked',
	'a blocked client can do nothing more on its open socket');
$host->stop;
done_testing;
