#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A server that is started with standard descriptors closed writes into no file of its own.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program read_file wait_for);
use Test::More;

for my $closed ('<&-', '>&-', '2>&-', '<&- >&- 2>&-') {
	my $dir = CoHost::directory();
	my $sock = "$dir/sock";
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		$ENV{HOME} = "$dir/home";
		exec 'sh', '-c', "exec \"\$@\" $closed", 'sh', program('co-hostd'), '-w', 1,
		    '-d', "$dir", '-b', "unix:$sock", '-l', "$dir/log";
	}
	my $health = sub { eval { HTTP->once("unix:$sock", GET => '/health') } };
	ok wait_for(20, sub { $health->() }), "a server started with $closed serves";
	for my $file (glob "$dir/.co/store/* $dir/.co/*.txt $dir/.co/keys/*") {
		next unless -f $file;
		unlike read_file($file), qr/Waiting for tasks|Agent/, "$closed: no banner in " . (split m{/}, $file)[-1];
	}
	kill TERM => $pid;
	waitpid $pid, 0;
	is $?, 0, "a server started with $closed ends well";
}
done_testing;
