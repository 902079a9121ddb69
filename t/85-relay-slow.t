#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# One client that does not read, or sends without an end, delays nobody else.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use CoRelay;
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Test::More;

my $MB = 1 << 20;

for my $workers (1, 4) {
	my $relay = CoRelay->start(workers => $workers, clock => 1,
		args => ['-o', 'max_output=4', '-o', 'max_clients=50', '-o', 'limit_frames=120',
			'-o', 'limit_bytes=20', '-o', 'slow_reader_timeout=30']);
	my $agent = $relay->agent;

	# A reader that has stopped.
	my $stalled = $relay->input_ws(sockopts => [[SOL_SOCKET, SO_RCVBUF, 4096]]);
	$stalled->send_json({ type => 'CONNECT', to => $agent->address });
	my $its = $agent->next_frame;
	my $other = $relay->client($agent);
	my $good = $agent->next_frame;
	my $piece = 'x' x ($MB / 2);
	for my $n (1 .. 24) {
		$agent->answer($its, type => 'OUTPUT', result => $piece);
		$agent->answer($good, type => 'OUTPUT', n => $n);
	}
	my @got = map { ($other->next_frame // {})->{n} } 1 .. 24;
	is "@got", "@{[1 .. 24]}", "-w $workers: a stalled client does not delay others of its agent";
	ok wait_for(10, sub { $relay->counter('slow_readers_total') == 1 }),
	    "-w $workers: a client with more than max_output waiting is disconnected and counted";
	is_deeply [@{ $agent->next_frame }{qw(type conn_id)}], ['close', $its->{conn_id}],
	    "-w $workers: its agent is told";

	# One that waits for little, but takes nothing.
	$stalled = $relay->input_ws(sockopts => [[SOL_SOCKET, SO_RCVBUF, 4096]]);
	$stalled->send_json({ type => 'CONNECT', to => $agent->address });
	$its = $agent->next_frame;
	$agent->answer($its, type => 'OUTPUT', result => $piece) for 1 .. 6;
	$agent->answer($good, type => 'OUTPUT', n => 0);
	is $other->next_frame->{n}, 0, "-w $workers: others are served meanwhile";
	$relay->pass(31);
	is_deeply [@{ $agent->next_frame // {} }{qw(type conn_id)}], ['close', $its->{conn_id}],
	    "-w $workers: a client that takes nothing for slow_reader_timeout is disconnected";

	# A client that floods.
	my $flood = $relay->client($agent);
	my $first = $agent->next_frame;
	$flood->send_json({ type => 'INPUT', n => $_ }) for 1 .. 200;
	my @n = map { ($agent->next_frame // {})->{n} } 1 .. 120;
	is "@n", "@{[1 .. 120]}", "-w $workers: a client may send a minute's frames at once";
	$other->send_json({ type => 'INPUT', n => 'other' });
	my $next = $agent->next_frame // {};
	$next = $agent->next_frame // {} while ($next->{n} // '') =~ /^\d+$/ && $next->{n} < 125;
	is $next->{n}, 'other', "-w $workers: a client that floods does not delay others";
	cmp_ok $relay->counter('client_frames_limited_total'), '>', 0,
	    "-w $workers: pauses of a client that floods are counted";
	$relay->pass(60);
	$flood->close(how => 'cut');
	1 while (($agent->next_frame // { type => 'close' })->{type} ne 'close');

	# Clients without an end.
	my @crowd = map { $relay->client($agent, n => $_) } 1 .. 60;
	ok wait_for(10, sub { $relay->counter('limited_sockets_total') == 11 }),
	    "-w $workers: an agent has at most max_clients clients, and those over it are counted";
	my @refused = grep { ($_->next(timeout => 0.02) // {})->{error} } @crowd;
	is $refused[0]->wait_close, 1013, "-w $workers: those over max_clients are told to try again";
	my %is_refused = map { $_ => 1 } @refused;
	@crowd = grep { !$is_refused{$_} } @crowd;
	$other->send_json({ type => 'INPUT', n => 'still' });
	my %seen = map { ($_->{n} // '') => 1 } map { $agent->next_frame // {} } 1 .. 50;
	ok $seen{still}, "-w $workers: the client before them is served";

	# Bytes without an end.
	my $long = { type => 'INPUT', prompt => 'x' x (2 * $MB) };
	for my $n (1 .. 12) {
		eval { $crowd[0]->send_json($long) };
		last if !defined $agent->next_text(1);
	}
	is $crowd[0]->wait_close, 1008, "-w $workers: a client that sends more than limit_bytes is closed";
	is $relay->counter('limited_bytes_total'), 1, "-w $workers: it is counted";
	$relay->stop;

	# Sockets without an end.
	$relay = CoRelay->start(workers => $workers, args => ['-o', 'limit_sockets=20']);
	my @status = map { $relay->ws(path => '/ws/input')->status } 1 .. 30;
	is "@status", join(' ', (101) x 20, (429) x 10),
	    "-w $workers: WebSockets over limit_sockets are refused";
	is $relay->counter('limited_sockets_total'), 10, "-w $workers: refused WebSockets are counted";
	$relay->stop;
}
done_testing;
