#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The published clients reach a server through a relay: what t/86-link-clients.t leaves out of
# their stories. "make test-clients" runs this.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin";

use Clients;
use CoHost qw(lacks source);
use HostRelay;
use Sign qw(host_address);
use Test::More;

my $python = Clients::python() or lacks 'no Python client: scripts/setup --tests could not install it';
my $node = Clients::node() or lacks 'no JavaScript client: scripts/setup --tests could not install it';

my $relay = HostRelay->start(workers => 2);
my $via = $relay->url =~ s/^ws/http/r;

sub start {
	# Clients try the endpoints first: there are none.
	my $host = Clients::host(relay => $relay->url, args => ['-o', 'announce_loopback=never'], @_);
	$relay->agent(host_address($host));
	return $host;
}

sub python {
	my ($host, $env, @stories) = @_;
	Clients::stories([$python, source('t/clients/pypi.py'), $host->url, @stories],
		$host->dir . '/home', { MASTER => $host->pid, RELAY => $via, %$env });
}

sub javascript {
	my ($host, @stories) = @_;
	Clients::stories(['node', source('t/clients/npm.mjs'), $host->url, @stories],
		$host->dir . '/home', { NODE_HOME => $node, RELAY => $via });
}

note '-w 1';
my $host = start(workers => 1);
python($host, {}, qw(talk sealed ask approve stop files killed));
javascript($host, qw(talk ask files come_back));
$host->stop;

note '-w 4';
$host = start(workers => 4);
python($host, {}, qw(talk_async quick modes));
javascript($host, qw(approve files status modes));
$host->stop;
$relay->stop;
done_testing;
