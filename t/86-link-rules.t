#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What the host does with clients of a real relay: whose session is whose, what a stranger may
# not do, and two hosts with one key.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for write_file);
use HostRelay;
use Sign qw(:all);
use Test::More;

# The host at a relay: -w 1 and -w 4 alike.
for my $workers (1, 4) {
	my $relay = HostRelay->start(workers => $workers);
	my $host = CoHost->start(relay => $relay->url, workers => $workers,
		args => ['-o', 'trust=open']);
	my $address = host_address($host);
	$relay->agent($address);

	# Two sockets of one session, side by side.
	my $key = key_new();
	my $one = $relay->client($address);
	$one->send_json(connect_frame($key, $host, session_id => 'ours'));
	is $one->next(type => 'CONNECTED')->{session_id}, 'ours',
	    "-w $workers: a client names its session through the relay";
	my $two = $relay->client($address);
	$two->send_json(connect_frame($key, $host, session_id => 'ours',
		payload => { n => '1.0', text => "Zoë \x{1f600} \"\\" }));
	is $two->next(type => 'CONNECTED')->{session_id}, 'ours',
	    "-w $workers: a second socket of its owner has the same session";
	$one->send_json({ type => 'INPUT', %{ sign_payload($key, { prompt => 'echo both' }) } });
	my @both = map { ($_->all_until('OUTPUT'))[-1] } $one, $two;
	is join(' ', map { $_->{result} } @both), 'both both',
	    "-w $workers: both sockets of a session get the end of its turn";
	is join(' ', map { $_->{session_id} } @both), 'ours ours',
	    "-w $workers: answers name the host's session, not the relay's route";

	# A stranger names it.
	my $stranger = $relay->client($address);
	$stranger->send_json(connect_frame(key_new(), $host, session_id => 'ours'));
	my $connected = $stranger->next(type => 'CONNECTED');
	isnt $connected->{session_id}, 'ours',
	    "-w $workers: a stranger who names the session gets another one";
	$one->send_json({ type => 'INPUT', %{ sign_payload($key, { prompt => 'echo private' }) } });
	is +($one->all_until('OUTPUT'))[-1]{result}, 'private', "-w $workers: its owner goes on";
	my @seen = $stranger->turn('echo mine');
	is $seen[-1]{result}, 'mine', "-w $workers: the stranger has a session of its own";
	ok !(grep { ($_->{result} // '') eq 'private' } @seen),
	    "-w $workers: no event of the owner reaches the stranger";

	# A direct client and one of the relay.
	my $direct = $host->ws;
	$direct->send_json(connect_frame($key, $host, session_id => 'ours', payload => { n => 2 }));
	ok $direct->next(type => 'CONNECTED'), "-w $workers: the session is reached directly";
	$direct->send_json({ type => 'INPUT', %{ sign_payload($key, { prompt => 'echo here' }) } });
	is +($two->all_until('OUTPUT'))[-1]{result}, 'private',
	    "-w $workers: a client that did not read has what it missed";
	is +($two->all_until('OUTPUT'))[-1]{result}, 'here',
	    "-w $workers: a client of the relay sees the turn of a direct one";

	# A client without a key: no network address tells it from others behind the relay.
	my $nobody = $relay->client($address, session => {});
	$nobody->send_json({ type => 'INPUT', prompt => 'ask Which?|red|green' });
	ok $nobody->next(type => 'ask_user'), "-w $workers: a client without a key is asked";
	my %where = (session_id => $nobody->session_id);
	my $answer = { type => 'ASK_USER_RESPONSE', answer => 'green' };
	my $other = $relay->client($address, session => { %where });
	$other->send_json($answer);
	like $other->next(type => 'ERROR')->{message}, qr/^forbidden: nobody owns this session/,
	    "-w $workers: who only names the session of a client without a key may not answer";
	my $same = $relay->client($address, session => { %where,
		session => { continuation => $nobody->connected->{continuation} } });
	$same->send_json($answer);
	is +($same->all_until('OUTPUT'))[-1]{result}, 'You answered: green',
	    "-w $workers: a client without a key answers on another connection by its continuation";
	$_->close for $nobody, $other, $same;

	# Many CONNECTs.
	my $flood = $relay->client($address);
	$flood->send_json({ type => 'CONNECT', session_id => "flood$_" }) for 1 .. 500;
	my @others = map { $relay->client($address) } 1 .. 50;
	$_->send_json({ type => 'CONNECT' }) for @others;
	is scalar(grep { $_->next(type => 'CONNECTED') } @others), 50,
	    "-w $workers: clients beside a flood of CONNECT are served";
	is $host->metric('cohostd_relay_bad_frames_total'), 0,
	    "-w $workers: the relay has sent no bad frame";
	$_->close for @others, $flood, $stranger;
	ok wait_for(10, sub { $host->metric('cohostd_relay_clients') == 2 }),
	    "-w $workers: clients that left are gone";
	$host->stop;
	$relay->stop;
}

# ---- two hosts with one key ----

my $relay = HostRelay->start(workers => 2);
my $first = CoHost->start(relay => $relay->url, workers => 1, args => ['-o', 'trust=open']);
my $address = host_address($first);
$relay->agent($address);
my $old = $relay->client($address, session => {});

my $dir = CoHost::directory();
mkdir "$dir/.co/keys", 0700;
write_file("$dir/.co/keys/agent.key", read_file($first->dir . '/.co/keys/agent.key'));
chmod 0600, "$dir/.co/keys/agent.key";
my $second = CoHost->start(dir => $dir, relay => $relay->url, workers => 1,
	args => ['-o', 'trust=open']);
ok wait_for(10, sub { $second->metric('cohostd_relay_connected') == 1 }),
    'a second host with the same key is announced';
is key_of($second)->{address}, $address, 'both hosts have one address';
my $new = $relay->client($address, session => {});
is $second->metric('cohostd_relay_clients'), 1, 'a new client gets the host that came last';
is +($_->turn('echo on'))[-1]{result}, 'on', 'the clients of two hosts are served' for $old, $new;
is $first->metric('cohostd_relay_failures_total') + $second->metric('cohostd_relay_failures_total'),
    0, 'two hosts with one key do not disconnect each other';
$second->stop;
is $new->wait_close, 1012, 'clients of the host that left are told';
my $back = $relay->client($address, session => {});
is +($back->turn('echo first'))[-1]{result}, 'first', 'the first host has new clients again';
is +($old->turn('echo still'))[-1]{result}, 'still', 'the first host has kept its client';
$_->close for $back, $old;
$first->stop;
$relay->stop;
done_testing;
