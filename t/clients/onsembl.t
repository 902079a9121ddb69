#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Wrappers and dashboards of Onsembl as its own programs are, written from the description of what
# those do on the wire (no registry has them): on four workers, while these are killed, and behind
# nginx. "make test-clients" runs this, for about three minutes.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin";

use Clients;
use CoHost qw(lacks source);
use Test::More;

my $SECRET = 'the secret of these stories, which is long';

my $home = Clients::onsembl()
    or lacks 'no WebSocket client: t/clients/install could not install it';

sub stories {
	my ($host, $url, @stories) = @_;
	Clients::stories(['node', source('t/clients/onsembl/stories.mjs'), $url, @stories],
		$host->dir . '/home', { NODE_HOME => $home, SECRET => $SECRET });
}

sub host { return CoHost->start(env => { ONSEMBL_JWT_SECRET => $SECRET }, @_) }

my @quick = qw(waits adopts reads labels chunks drops two ignores opens merges printed);
my @slow = qw(renews beats backs lives returns changes);
my $host = host(workers => 4);
stories($host, $host->url, @quick);
stories($host, $host->url, @slow);

# A worker dies every half second.
my $killer = fork // die "fork: $!";
if (!$killer) {
	while (1) {
		select undef, undef, undef, 0.5;
		$host->kill_worker if $host->workers == 4;
	}
}
stories($host, $host->url, 'killed');
kill KILL => $killer;
waitpid $killer, 0;
$host->stop;

$host = host(workers => 4, args => ['-o', 'trusted_proxies=127.0.0.1']);
my ($front, $nginx) = Clients::nginx($host);
SKIP: {
	skip 'no nginx', 1 unless $front;
	stories($host, "http://$front", @quick, 'renews');
	kill TERM => $nginx;
}
$host->stop;
done_testing;
