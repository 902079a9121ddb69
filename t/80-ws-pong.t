#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A pong stands where its ping stood: before the answers to messages that came after it, and
# behind those that came before.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;
use Time::HiRes qw(time);

my $host = CoHost->start(workers => 1);
my $ws = $host->ws;
# One write, so that the server reads all of it at once.
my $status = '{"type":"SESSION_STATUS","session":{"session_id":"%s"}}';
$ws->send_raw(join '', WS::frame(WS::TEXT, sprintf $status, 'one'), WS::frame(WS::PING, 'a'),
	WS::frame(WS::TEXT, sprintf $status, 'two'), WS::frame(WS::PING, 'b'),
	WS::frame(WS::PING, 'c'), WS::frame(WS::TEXT, sprintf $status, 'three'),
	WS::frame(WS::CLOSE, pack 'n', 1000));
my $http = $ws->{http};
my @order;
my $end = time + 20;
while (time < $end) {
	while (my (undef, $op, $data) = WS::take_frame(\$http->{in})) {
		push @order, $op == WS::TEXT ? $data =~ /"session_id":"(\w+)"/ : $op == WS::PONG ? $data
		    : $op == WS::CLOSE ? 'close' : "opcode $op";
	}
	last unless $http->fill($end);
}
is "@order", 'one a two b c three close', 'pongs stand in line with messages';
$host->stop;
done_testing;
