#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The ConnectOnion client from npm, unmodified: what t/65-npm-client.t leaves out of its stories
# (npm.mjs). "make test-clients" runs this.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin";

use Clients;
use CoHost qw(lacks lacks_here source);
use Test::More;

my $home = Clients::node()
    or lacks 'no JavaScript client: scripts/setup --tests could not install it';
my $script = source('t/clients/npm.mjs');

sub stories {
	my ($host, $url, $env, @stories) = @_;
	Clients::stories(['node', $script, $url, @stories], $host->dir . '/home',
		{ NODE_HOME => $home, %$env });
}

my @all = qw(talk named many ask approve interrupt files status come_back modes lookup);
note '-w 1';
my $host = Clients::host(workers => 1);
stories($host, $host->url, {}, @all);
$host->stop;

# An agent of the Python package, unmodified as well.
SKIP: {
	my $python = Clients::python() or lacks_here 'no Python client is installed', 1;
	my $agent = Clients::host(agent => 'python:' . source('t/clients/agent.py'),
		args => ['-o', "python=$python"]);
	stories($agent, $agent->url, {}, qw(talk many ask come_back));
	$agent->stop;
}

SKIP: {
	my $host = Clients::host(args => ['-o', 'trusted_proxies=127.0.0.1']);
	my ($front, $pid) = Clients::nginx($host) or lacks_here 'nginx is not installed', 1;
	stories($host, "http://$front", {}, qw(talk many ask approve files status come_back));
	kill QUIT => $pid;
	$host->stop;
}
done_testing;
