#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A client that connects or speaks twice within a second signs the same text twice.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Sign qw(:all);
use Test::More;

my $host = CoHost->start(clock => 1,
	args => ['-o', 'trust=open', '-o', 'trusted_proxies=127.0.0.1']);
my ($home, $elsewhere) = map { { headers => { 'x-forwarded-for' => $_ } } }
    '203.0.113.1', '198.51.100.7';
my $anna = key_new();
my $n_inputs = 0;

# A socket, the frame sent on it, and what comes back.
sub say_at {
	my ($from, $frame) = @_;
	my $ws = $host->ws(%$from);
	$ws->send_json($frame);
	return ($ws, $ws->next(type => [qw(CONNECTED ERROR)]));
}

# INPUT as clients before version 2 of the protocol sign it.
sub input {
	my ($prompt, $time) = @_;
	return { type => 'INPUT', prompt => $prompt, input_id => 'i' . ++$n_inputs,
		%{ sign_payload($anna, { prompt => $prompt, timestamp => $time }) } };
}

# CONNECT as they sign it; each call makes another one.
my $n_hellos = 0;
sub hello { return connect_frame($anna, $host, payload => { nonce => ++$n_hellos }) }

sub end_of {
	my ($ws) = @_;
	my $f = $ws->next(type => [qw(OUTPUT ERROR)]);
	return $f->{type} eq 'OUTPUT' ? $f->{result} : $f->{message};
}

# ---- CONNECT ----

my $frame = hello();
my ($ws, $first) = say_at($home, $frame);
my ($again, $new) = say_at($home, $frame);
is $first->{type}, 'CONNECTED', 'a v1 CONNECT is accepted';
is $new->{type}, 'CONNECTED', 'an equal CONNECT of the same second is accepted';
isnt $new->{session_id}, $first->{session_id}, 'an equal CONNECT gets a session of its own';
is +($again->turn('echo here'))[-1]{result}, 'here', 'a turn runs after an equal CONNECT';
my $id = $first->{session_id};
$ws->turn('My name is Zoe');
$frame = hello();
say_at($home, $frame);
($again, my $back) = say_at($home, { %$frame, session_id => $id });
is $back->{session_id}, $id, 'an equal CONNECT may name a session of its caller';
is +($again->turn('What is my name?'))[-1]{result}, 'Your name is Zoe',
    'a session named by an equal CONNECT has its conversation';
my $used = 'unauthorized: this CONNECT was already used';
is +(say_at($elsewhere, $frame))[1]{message}, $used,
    'an equal CONNECT from another address is refused';
$host->pass(3);
is +(say_at($home, $frame))[1]{message}, $used,
    'an equal CONNECT is refused after more than two seconds';

# ---- INPUT ----

($ws) = say_at($home, hello());
my ($other) = say_at($elsewhere, hello());
my $time = now($host);
for my $which (qw(first second)) {
	$ws->send_json(input('echo yes', $time));
	is end_of($ws), 'yes', "the $which of two equal INPUTs of one second is accepted";
}
$other->send_json(input('echo yes', $time));
is end_of($other), 'unauthorized: signature already used',
    'an equal INPUT from another address is refused';
my @bare = map { (say_at($home, input('echo alone', $time)))[0] } 1 .. 2;
is end_of($_), 'alone', 'an equal INPUT as the first frame of a socket is accepted' for @bare;
$host->pass(3);
$ws->send_json(input('echo yes', $time));
is end_of($ws), 'unauthorized: signature already used',
    'an equal INPUT is refused three seconds later';
$host->stop;

# ---- a proxy that is not trusted ----

$host = CoHost->start(args => ['-o', 'trust=open']);
$frame = hello();
is +(say_at($home, $frame))[1]{type}, 'CONNECTED',
    'a CONNECT through an untrusted proxy is accepted';
is +(say_at($home, $frame))[1]{type}, 'CONNECTED',
    'an equal CONNECT of one client of an untrusted proxy is accepted';
is +(say_at($elsewhere, $frame))[1]{message}, $used,
    'an equal CONNECT of another client of an untrusted proxy is refused';
$host->stop;
done_testing;
