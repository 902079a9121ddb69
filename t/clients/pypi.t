#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The ConnectOnion client from PyPI, unmodified: what t/65-pypi-client.t leaves out of its stories
# (pypi.py). "make test-clients" runs this.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin";

use Clients;
use CoHost qw(lacks lacks_here source);
use Test::More;

my $python = Clients::python()
    or lacks 'no Python client: scripts/setup --tests could not install it';
my $script = source('t/clients/pypi.py');

sub stories {
	my ($host, $url, $env, @stories) = @_;
	Clients::stories([$python, $script, $url, @stories], $host->dir . '/home',
		{ MASTER => $host->pid, %$env });
}

my @all = qw(talk sealed talk_async ask approve stop files quick call_refused modes browser owner);
note '-w 1';
my $host = Clients::host(workers => 1);
stories($host, $host->url, {}, @all);
stories($host, $host->url, { ANONYMOUS => 1 }, qw(talk ask approve));
stories($host, $host->url, {}, qw(roam missed_end killed));
$host->stop;

# An agent of the same package, unmodified as well.
my $agent = Clients::host(trust => 'careful', env => { CO_INVITE_CODE => 'sesame' },
	agent => 'python:' . source('t/clients/agent.py'), args => ['-o', "python=$python"]);
stories($agent, $agent->url, { INVITE => 'sesame' }, 'call');
$agent->stop;
$agent = Clients::host(agent => 'python:' . source('t/clients/agent.py'),
	args => ['-o', "python=$python"]);
stories($agent, $agent->url, {}, qw(talk_async owner roam missed_end));
$agent->stop;

SKIP: {
	my $host = Clients::host(args => ['-o', 'trusted_proxies=127.0.0.1']);
	my ($front, $pid) = Clients::nginx($host) or lacks_here 'nginx is not installed', 1;
	stories($host, "http://$front", {}, qw(talk ask approve stop files quick roam missed_end));
	kill QUIT => $pid;
	$host->stop;
}
done_testing;
