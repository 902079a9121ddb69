#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Between the host and its relay is a proxy that closes connections on which nothing moves:
# sooner here than the pings that keep such connections open, so that it happens.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use HostRelay;
use IdleProxy;
use Sign qw(host_address);
use Test::More;

my $relay = HostRelay->start(workers => 2);
my $proxy = IdleProxy->start(idle => 1.2);
my $host = CoHost->start(relay => $relay->url, workers => 2, args => ['-o', 'trust=open'],
	env => { ws_proxy => $proxy->url, no_proxy => '' });
my $address = host_address($host);

ok $relay->agent($address), 'an agent is listed through a proxy';
my $session;
for my $n (1 .. 3) {
	my $closed = $proxy->closed;
	my $ws = $relay->client($address, session => $session ? { session_id => $session } : {});
	is $ws->session_id, $session, "a session goes on after an idle connection, time $n" if $session;
	$session //= $ws->session_id;
	is +($ws->turn("echo $n"))[-1]{result}, "$n", "a client is served after a loss, time $n";
	my $announces = $relay->counter('announces_total');
	is $ws->wait_close, 1012, "the client is told that its agent is away, time $n";
	ok wait_for(10, sub { $proxy->closed > $closed }), "the proxy has closed an idle connection, time $n";
	ok $relay->agent($address, $announces + 1), "the agent is back, time $n";
}
unlike $host->words, qr/relay connection error/, 'each first attempt after a loss succeeds';
$host->stop;
$relay->stop;
done_testing;
