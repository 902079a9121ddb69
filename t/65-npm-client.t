#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The ConnectOnion client from npm, unmodified: t/clients/npm.mjs has the stories. More of them,
# with one worker and nginx: t/clients/npm.t.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/clients";

use Clients;
use CoHost qw(lacks source);
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
my $host = Clients::host(workers => 4);
stories($host, $host->url, {}, @all);
$host->stop;

my $careful = Clients::host(trust => 'careful', env => { CO_INVITE_CODE => 'sesame' });
stories($careful, $careful->url, { INVITE => 'sesame' }, 'gate');
$careful->stop;

my $strict = Clients::host(trust => 'strict');
stories($strict, $strict->url, {}, 'strict');
$strict->stop;
done_testing;
