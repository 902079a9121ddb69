# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package LinkClients;

# The published clients reach servers through one relay, for t/86-link-clients.t and link.t.
#
#   LinkClients::begin();                          # or the test is skipped
#   my $host = LinkClients::start(workers => 4);
#   LinkClients::python($host, {}, qw(talk ask));
#   LinkClients::javascript($host, qw(talk));
#   $host->stop;
#   LinkClients::end();
use strict;
use warnings;

use Clients;
use CoHost qw(lacks source);
use HostRelay;
use Sign qw(host_address);

my ($python, $node, $relay, $via);

sub begin {
	$python = Clients::python()
	    or lacks 'no Python client: scripts/setup --tests could not install it';
	$node = Clients::node()
	    or lacks 'no JavaScript client: scripts/setup --tests could not install it';
	$relay = HostRelay->start(workers => 2);
	$via = $relay->url =~ s/^ws/http/r;
}

# A server that only the relay leads to: clients try the endpoints first, and there are none.
sub start {
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

sub end { $relay->stop }

1;
