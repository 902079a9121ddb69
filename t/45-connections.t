#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Connections at accept: how many an address may have, and which worker gets them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(lacks_here wait_for write_file);
use HTTP;
use IO::Socket::INET;
use Test::More;

# An address of this machine that is not loopback; nothing is sent to find it.
sub own_address {
	my $s = IO::Socket::INET->new(Proto => 'udp', PeerAddr => '192.0.2.1', PeerPort => 9) or return;
	return $s->sockhost;
}

# ---- the limit ----

SKIP: {
	my $own = own_address();
	lacks_here('no network address but loopback', 7) unless $own;
	my $host = CoHost->start(bind => '0.0.0.0', workers => 2, yaml => "limit_peer_connections: 3\n");
	my ($port) = $host->address =~ /:(\d+)$/;
	$host->{address} = "127.0.0.1:$port";
	my @few = map { HTTP->new("$own:$port") } 1 .. 3;
	$_->send(GET => '/health') for @few;
	is join(' ', map { $_->reply->{status} } @few), '200 200 200', 'an address has as many connections as the limit says';
	my $more = HTTP->new("$own:$port");
	my $r = $more->reply;
	is $r->{status}, 429, 'one connection too many of an address is refused';
	like $r->{body}, qr/limit_peer_connections/, 'the refusal of a connection names the setting';
	is $host->metric('cohostd_limited_connections_total'), 1, 'a refused connection is counted';
	is scalar(grep { $host->http(GET => '/health')->{status} == 200 } 1 .. 5), 5, 'loopback has no limit of connections';
	undef $few[0];
	ok wait_for(10, sub {
		my $c = HTTP->new("$own:$port");
		$c->send(GET => '/health');
		return $c->reply->{status} == 200;
	}), 'an address may connect again when it has closed a connection';
	write_file($host->dir . '/.co/host.yaml', "limit_peer_connections: 1\ntrusted_proxies: \"$own\"\n");
	$host->signal('HUP');
	ok wait_for(20, sub {
		my @many = map { HTTP->new("$own:$port") } 1 .. 4;
		$_->send(GET => '/health') for @many;
		return 4 == grep { eval { $_->reply->{status} } // 0 == 200 } @many;
	}), 'a trusted proxy has no limit of connections';
	$host->stop;
}

# ---- the balance ----

my $host = CoHost->start(workers => 2);
ok wait_for(20, sub { $host->metric('cohostd_workers') == 2 }), 'two workers serve';
my @sockets = map { $host->ws } 1 .. 40;
my %has;
$has{$_}++ for $host->words =~ /worker\[(\d+)\] pid=\d+: \S+ ws\+/g;
is scalar(keys %has), 2, 'both workers of a quiet server get WebSockets';
my ($least) = sort { $a <=> $b } values %has;
cmp_ok $least, '>=', 12, 'a quiet server does not give most of 40 WebSockets to one worker'
    or diag join ' ', %has;
my ($worker) = $host->workers;
kill STOP => $worker;
is scalar(grep { $host->http(GET => '/health')->{status} == 200 } 1 .. 20), 20,
    'a worker that hangs with few connections holds up no new one';
kill CONT => $worker;
$host->stop;
done_testing;
