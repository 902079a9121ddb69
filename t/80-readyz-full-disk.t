#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# /readyz knows of a full disk before an input does, and when there is room again. The
# disk is a small one of its own, in memory.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Test::More;

if (!$ENV{HAS_OWN_MOUNTS}) {
	my @unshare = ('unshare', $> ? '-rm' : '-m');
	plan skip_all => 'no mounts of our own here'
	    if system "@unshare mount -t tmpfs -o size=1m none /mnt 2>/dev/null";
	$ENV{HAS_OWN_MOUNTS} = 1;
	exec @unshare, $^X, $0;
}

my $dir = File::Temp->newdir(TMPDIR => 1);
system('mount', '-t', 'tmpfs', '-o', 'size=8m', 'none', "$dir") == 0 or die "mount: $?";
END { system 'umount', '-l', "$dir" if $dir && $ENV{HAS_OWN_MOUNTS} }

my $host = CoHost->start(dir => "$dir", workers => 2);
my $ready = sub { return $host->http(GET => '/readyz?verbose') };
is $ready->()->{status}, 200, '/readyz is 200 with room on the disk';
is $host->input('echo before')->{json}{result}, 'before',
    'an input is taken with room on the disk';

my $zeroes = "\0" x 65536;
open my $fill, '>:raw', "$dir/fill" or die "fill: $!";
1 while syswrite $fill, $zeroes;
ok wait_for(5, sub { $ready->()->{status} == 503 }), '/readyz is 503 when the disk is full';
is $ready->()->{json}{checks}{disk}, 'failed', '/readyz names the disk as the reason';
is $host->input('echo ' . 'x' x 50000)->{status}, 503,
    'an input is refused when the disk is full';
is $ready->()->{status}, 503, '/readyz stays 503 while the disk is full';

truncate $fill, 0;
close $fill;
ok wait_for(5, sub { $ready->()->{status} == 200 }), '/readyz is 200 when there is room again';
is $host->input('echo after')->{json}{result}, 'after',
    'an input is taken when there is room again';
$host->stop;
done_testing;
