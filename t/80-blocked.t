#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Who is blocked while connected is cut, by every worker, without saying a word.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file);
use Sign qw(:all);
use Test::More;

for my $workers (1, 4) {
	my $dir = CoHost::directory(yaml => "blacklist: black.txt\n");
	write_file("$dir/black.txt", '');
	my $host = CoHost->start(dir => $dir, workers => $workers);
	my ($anna, $bert) = (key_new(), key_new());
	my $n = 0;
	my $join = sub {
		my ($key, $session) = @_;
		my $ws = $host->ws;
		$ws->send_json(connect_frame($key, $host, session_id => $session, payload => { nonce => $n++ }));
		$ws->next(type => 'CONNECTED') or die 'no CONNECTED';
		return $ws;
	};
	my @annas = map { $join->($anna, 'hers') } 1 .. 8;
	my $bert_ws = $join->($bert, 'his');
	my $plain = $host->ws;
	$plain->send_json({ type => 'CONNECT' });
	$plain->next(type => 'CONNECTED');

	# A stream, and a request that waits for its turn.
	my $path = '/sessions/hers/events';
	$annas[0]->send_json({ type => 'INPUT', prompt => 'sleep 4000' });
	my ($stream, $waiting) = (undef, $host->client);
	$waiting->send(POST => '/input', {}, signed_body($anna, { prompt => 'sleep 4000' }));
	ok wait_for(10, sub { ($host->metric('cohostd_runs') // 0) == 2 }), "-w $workers: two turns run";
	# A turn may run before its session is stored.
	ok wait_for(10, sub {
		$stream = $host->client;
		$stream->send(GET => "$path?follow=1", signed_get_headers($anna, $path));
		$stream->head->{status} == 200;
	}), "-w $workers: one of the turns is watched";
	write_file("$dir/.co/blocklist.txt", "$anna->{address}\n");
	for (@annas) {
		my $frame = $_->next(type => 'ERROR');
		is $frame->{message}, 'forbidden: blocked',
		    "-w $workers: a blocked caller gets an ERROR";
		$_->wait_close;
		is $_->closed, 1008, "-w $workers: and its socket is closed";
	}
	my ($event, $last);
	$last = $event while $event = $stream->event;
	is $last->{event}, 'error', "-w $workers: its event stream ends with an error";
	is $last->{data}, '{"error":"forbidden: blocked"}', "-w $workers: that says why";
	my $r = $waiting->reply;
	is "$r->{status} $r->{json}{error}", '403 forbidden: blocked',
	    "-w $workers: its request that waits is refused";
	write_file("$dir/black.txt", "$bert->{address}\n");
	is $bert_ws->next(type => 'ERROR')->{message}, 'forbidden: blocked',
	    "-w $workers: so is one whom host.yaml's blacklist gets";
	$plain->send_json({ type => 'PING' });
	ok $plain->next(type => 'PONG'), "-w $workers: others stay";
	$host->stop;
}
done_testing;
