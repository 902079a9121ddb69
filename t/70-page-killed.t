#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A turn of 200 steps is shown whole, with each row once, while a worker is killed every
# second: the story "killed" of web/test/running.mjs.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/clients";

use Clients;
use CoHost qw(lacks run);
use Page;
use POSIX ();
use Test::More;

run(['node', '--version'])->{status} == 0 or lacks 'there is no Node.js';
my $folder = Page::folder() or lacks 'the packages of web/package-lock.json are not there';

my $host = Clients::host(workers => 4);
my $pid = fork // die "fork: $!";
if (!$pid) {
	while (1) {
		select undef, undef, undef, 1;
		POSIX::_exit(0) if getppid() == 1;
		$host->kill_worker;
	}
}
Clients::stories(['node', "$folder/test/running.mjs", $host->url, 'killed'],
	$host->dir . '/home', {});
kill KILL => $pid;
waitpid $pid, 0;
$host->stop;
done_testing;
