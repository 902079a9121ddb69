#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The ConnectOnion client from PyPI, unmodified: t/clients/pypi.py has the stories. More of them,
# with one worker, an agent of the package and nginx: t/clients/pypi.t.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/clients";

use Clients;
use CoHost qw(lacks source);
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
my $host = Clients::host(workers => 4);
stories($host, $host->url, {}, @all);
stories($host, $host->url, { ANONYMOUS => 1 }, qw(talk ask approve));
stories($host, $host->url, {}, qw(roam missed_end killed));
$host->stop;

my $careful = Clients::host(trust => 'careful', env => { CO_INVITE_CODE => 'sesame' });
stories($careful, $careful->url, { INVITE => 'sesame' }, qw(gate call));
$careful->stop;

my $strict = Clients::host(trust => 'strict');
stories($strict, $strict->url, {}, 'strict');
$strict->stop;

# An agent of the same package, unmodified as well.
my $agent = Clients::host(agent => 'python:' . source('t/clients/agent.py'),
	args => ['-o', "python=$python"]);
stories($agent, $agent->url, {}, qw(talk ask stop quick));
$agent->stop;
done_testing;
