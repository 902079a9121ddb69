#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The page's modules at a running server: web/test/running.mjs has the stories.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/clients";

use Clients;
use CoHost qw(lacks run);
use Page;
use Test::More;

run(['node', '--version'])->{status} == 0 or lacks 'there is no Node.js';
my $folder = Page::folder() or lacks 'the packages of web/package-lock.json are not there';

sub stories {
	my ($host, $env, @stories) = @_;
	Clients::stories(['node', "$folder/test/running.mjs", $host->url, @stories],
		$host->dir . '/home', $env);
}

my $host = Clients::host(workers => 4);
stories($host, {}, qw(hello ask approve plan interrupt join files tabs clock
	sessions cuts unsent seal sealed_sessions));
$host->stop;

my $one = Clients::host(workers => 1);
stories($one, {}, qw(hello tabs join unsent));
$one->stop;

my $careful = Clients::host(trust => 'careful', env => { CO_INVITE_CODE => 'sesame' });
stories($careful, { INVITE => 'sesame' }, 'gate');
$careful->stop;

my $strict = Clients::host(trust => 'strict');
stories($strict, {}, 'strict');
$strict->stop;
done_testing;
