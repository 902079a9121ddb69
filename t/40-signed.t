#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Signed clients: sessions that belong to somebody, signatures that count once, on any worker.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use File::Temp qw(tempdir);
use JSON::PP;
use Sign qw(:all);
use Test::More;

my $dir = tempdir(CLEANUP => 1);
my @how = (dir => $dir, args => ['-o', 'trusted_proxies=127.0.0.1']);
my $host = CoHost->start(@how);
my ($anna, $bert) = (key_new(), key_new());

# Two CONNECTs of one second would have one signature.
my $n = 0;
sub hello { return connect_frame(@_, payload => { nonce => $n++ }) }

sub answer {
	my ($frame, @from) = @_;
	my $ws = $host->ws(@from);
	$ws->send_json($frame);
	return $ws->next(type => ['CONNECTED', 'ERROR', 'ONBOARD_REQUIRED']);
}

# ---- CONNECT ----

my $ws = $host->ws;
$ws->send_json(connect_frame($anna, $host, session_id => 'hers'));
is $ws->next(type => 'CONNECTED')->{status}, 'new', 'a signed CONNECT begins a session';
is +($ws->turn('echo mine'))[-1]{result}, 'mine', 'turns run on a socket with a signed CONNECT';

my $foreign = answer(hello($bert, $host, session_id => 'hers'));
isnt $foreign->{session_id}, 'hers', 'a CONNECT to the session of another client gets a new id';
is $foreign->{status}, 'new', 'a CONNECT to the session of another client gets a new session';
my $nobody = answer({ type => 'CONNECT', session_id => 'hers' });
isnt $nobody->{session_id}, 'hers',
    'an unsigned CONNECT to the session of a client gets another id';
like $nobody->{session_id}, qr/^[0-9a-f-]{36}$/,
    "an unsigned CONNECT to the session of a client gets an id of the server's own";
is answer(hello($anna, $host, session_id => 'hers'))->{status}, 'connected',
    'the owner finds a session through any worker';

my $frame = hello($anna, $host);
is answer($frame)->{type}, 'CONNECTED', 'a CONNECT with a fresh signature is accepted';
my @elsewhere = (headers => { 'x-forwarded-for' => '198.51.100.7' });
is answer($frame, @elsewhere)->{message}, 'unauthorized: this CONNECT was already used',
    'a CONNECT with a used signature is refused' for 1 .. 4;

my $wrong = hello($anna, $host);
substr($wrong->{signature}, 9, 1) =~ tr/0-9a-f/1-9a-f0/;
is answer($wrong)->{message}, 'unauthorized: invalid signature',
    'a CONNECT with a changed bit in its signature is refused';
is answer(connect_frame($anna, key_new()->{address}))->{message}, 'unauthorized: wrong recipient',
    'a CONNECT for another host is refused';

# ---- commands that are signed one by one ----

my $v2 = $host->ws;
$v2->send_json(connect_frame($anna, $host, session_id => 'v2', v2 => 1));
$v2->next(type => 'CONNECTED');
$v2->send_json({ type => 'INPUT', prompt => 'echo no' });
is $v2->next(type => 'ERROR')->{message}, 'unauthorized: signed command required',
    'an unsigned command on a v2 socket is refused';
my $command = command_frame($anna, $host, INPUT => prompt => 'echo yes');
$v2->send_json({ %$command, prompt => 'echo no' });
is $v2->next(type => 'OUTPUT')->{result}, 'yes', 'only the signed part of a command counts';
$v2->send_json($command);
is $v2->next(type => 'ERROR')->{message}, 'unauthorized: signed command already used',
    'the signature of a command counts once';
$v2->send_json(command_frame($bert, $host, INPUT => prompt => 'echo no'));
is $v2->next(type => 'ERROR')->{message},
    'unauthorized: command signer does not own this connection',
    'a command signed by another client is refused';

# ---- HTTP ----

my $body = signed_body($anna, { prompt => 'echo http', to => host_address($host) });
my $r = $host->http(POST => '/input', {}, $body);
is $r->{json}{result}, 'http', 'a signed POST runs';
is $r->{json}{session}{requester}{address}, $anna->{address},
    'the requester of a signed POST is in the session';
is $host->http(POST => '/input', {}, $body)->{json}{error},
    'unauthorized: signature already used',
    'the signature of a POST counts once, on any worker' for 1 .. 3;
my $id = $r->{json}{session_id};
is $host->http(GET => "/sessions/$id")->{status}, 404,
    'the record of a signed POST is hidden from unsigned requests';
is_deeply $host->http(GET => "/sessions/$id")->{json}, $host->http(GET => '/sessions/none')->{json},
    'a hidden record looks like one that does not exist';
my $whole = $host->http(GET => "/sessions/$id", signed_get_headers($anna, "/sessions/$id"))->{json};
is_deeply [sort keys %$whole],
    [sort qw(session_id status prompt result session created expires duration_ms)],
    'the owner sees the whole record';
is $host->http(GET => "/sessions/$id", signed_get_headers($bert, "/sessions/$id"))->{status}, 404,
    'the record of a signed POST is hidden from other clients';
my $headers = signed_get_headers($anna, '/sessions');
my @lists = map { $host->http(GET => '/sessions', $headers)->{json}{sessions} } 1, 2;
is scalar(@{ $lists[1] }), scalar(@{ $lists[0] }), 'a signed GET of the list may be repeated';
ok !(grep { my $who = $_->{session}{requester}{address}; $who && $who ne $anna->{address} }
	@{ $lists[0] }), 'a list has no sessions of other clients';
is $host->http(POST => '/input', {}, { %{ signed_body($bert, { prompt => 'echo x' }) },
	session => { session_id => 'hers' } })->{json}{code}, -32002,
    'an input to the session of another client is refused';

# ---- after all died ----

$host->stop;
$host = CoHost->start(@how);
is answer($frame, @elsewhere)->{message}, 'unauthorized: this CONNECT was already used',
    'a used signature stays used over a restart';
isnt answer(hello($bert, $host, session_id => 'hers'))->{session_id}, 'hers',
    'a session keeps its owner over a restart';
$host->stop;
done_testing;
