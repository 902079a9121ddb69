#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The page's modules at a running server: web/test/running.mjs has the stories, and
# web/test/compare.mjs tells those of the client from npm beside them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/clients";

use Clients;
use CoHost qw(lacks lacks_here run);
use Page;
use POSIX ();
use Test::More;

run(['node', '--version'])->{status} == 0 or lacks 'there is no Node.js';
my $folder = Page::folder() or lacks 'the packages of web/package-lock.json are not there';

sub stories {
	my ($host, $script, $env, @stories) = @_;
	Clients::stories(['node', "$folder/test/$script", $host->url, @stories],
		$host->dir . '/home', $env);
}

# Kill a worker every half second while a function runs.
sub under_fire {
	my ($host, $act) = @_;
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		while (1) {
			select undef, undef, undef, 0.5;
			POSIX::_exit(0) if getppid() == 1;
			$host->kill_worker;
		}
	}
	$act->();
	kill KILL => $pid;
	waitpid $pid, 0;
}

my $host = Clients::host(workers => 4);
stories($host, 'running.mjs', {}, qw(hello ask approve plan interrupt join files tabs clock
	sessions cuts unsent seal));
SKIP: {
	my $home = Clients::node()
	    or lacks_here 'no JavaScript client: scripts/setup --tests could not install it', 1;
	stories($host, 'compare.mjs', { NODE_HOME => $home });
}
under_fire($host, sub { stories($host, 'running.mjs', {}, 'killed') });
$host->stop;

my $one = Clients::host(workers => 1);
stories($one, 'running.mjs', {}, qw(hello tabs join unsent));
$one->stop;

my $careful = Clients::host(trust => 'careful', env => { CO_INVITE_CODE => 'sesame' });
stories($careful, 'running.mjs', { INVITE => 'sesame' }, 'gate');
$careful->stop;

my $strict = Clients::host(trust => 'strict');
stories($strict, 'running.mjs', {}, 'strict');
$strict->stop;
done_testing;
