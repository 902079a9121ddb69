#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# PING comes every 30 s; a client that never says PONG is not dropped.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(workers => 2, clock => 1);
my $silent = $host->ws(session => {});
my $fresh = $host->ws;
# The server takes a socket after it has answered the upgrade: its time begins then.
$fresh->send_json({ type => 'PING' });
is $fresh->next(type => 'PONG')->{type}, 'PONG', 'PING of a client without a session is answered';
for my $round (1 .. 5) {
	$host->pass(31);
	is $_->next(type => 'PING')->{type}, 'PING',
	    "PING $round comes after 30 s" for $silent, $fresh;
}
is $silent->closed, undef, 'a client that never says PONG is not closed';
is +($silent->turn('echo here'))[-1]{result}, 'here',
    'a client that never says PONG can run a turn';

my $busy = $host->ws(session => {});
$busy->send_json({ type => 'INPUT', prompt => 'sleep 40000' });
$busy->next(type => 'user_input');
$host->pass(31);
ok $busy->next(type => 'PING'), 'PING comes while a turn runs';
$host->pass(10);
is $busy->next(type => 'OUTPUT')->{result}, 'Slept 40000 ms.', 'PING does not disturb the turn';
$busy->send_json({ type => 'PONG' });
is_deeply [map { $_->{type} } $busy->settle], [], 'PONG needs no answer';
$host->stop;
done_testing;
