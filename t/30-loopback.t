#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Unsigned GET /sessions lists only for a loopback peer by its real address, and for none
# behind a proxy.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $dir = CoHost::directory();
my $host = CoHost->start(workers => 2, dir => "$dir");
$host->input('echo x', session => { session_id => 'secret' });
my $r = $host->http(GET => '/sessions');
is $r->{status}, 200, 'an unsigned loopback peer may list sessions';
for my $header ('x-forwarded-for', 'x-real-ip', 'forwarded') {
	for my $value ('203.0.113.9', '127.0.0.1') {
		$r = $host->http(GET => '/sessions', { $header => $value });
		is $r->{status}, 401, "a proxy whose only sign is $header: $value makes nobody local";
	}
}
like $host->http(GET => '/sessions')->{body}, qr/secret/, 'an unsigned loopback peer sees the sessions';
$host->stop;

$host = CoHost->start(workers => 2, dir => "$dir",
	args => ['-o', 'trusted_proxies=127.0.0.1']);
for my $from ('203.0.113.9', '127.0.0.1, 203.0.113.9', '2001:db8::1') {
	$r = $host->http(GET => '/sessions', { 'x-forwarded-for' => $from });
	is $r->{status}, 401,
	    "behind a trusted proxy, the unsigned peer $from may not list sessions";
	is $r->{json}{error}, "unauthorized: 'from' field required",
	    "the refusal for $from says that a signature is missing";
	unlike $r->{body}, qr/secret/, "the peer $from sees no session";
}
$r = $host->http(GET => '/sessions/secret', { 'x-forwarded-for' => '203.0.113.9' });
is $r->{status}, 200, 'a peer behind a proxy may read a session whose id it knows';
$host->stop;

$host = CoHost->start(workers => 2, dir => "$dir",
	args => ['-o', 'trusted_proxies=10.0.0.0/8']);
$r = $host->http(GET => '/sessions', { 'x-forwarded-for' => '127.0.0.1' });
isnt $r->{status}, 200, 'an untrusted proxy makes nobody loopback'
    or diag $r->{body};
$host->stop;
done_testing;
