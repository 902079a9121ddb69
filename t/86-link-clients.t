#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The published clients reach the server through a relay: the stories of t/65-*-client.t,
# sealed (Python) and in clear (without keys, and JavaScript). More of them: t/clients/link.t.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/clients";

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

# By relay, a client without keys that answers on another connection is not recognised
# (doc/oip.txt 14), so it has no story with a question.
my $host = start(workers => 4);
python($host, {}, qw(talk sealed ask approve stop files owner));
python($host, { ANONYMOUS => 1 }, qw(talk approve));
python($host, {}, qw(roam missed_end killed));
javascript($host, qw(talk many ask interrupt come_back));
$host->stop;

my $strict = start(trust => 'strict');
python($strict, {}, 'strict');
$strict->stop;
$relay->stop;
done_testing;
