#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Control groups of agents: made where there are control groups and nowhere else, also if one
# of that name was left.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program);
use Test::More;

plan skip_all => 'only root can mount' if $> != 0;

# What a program under co-turn prints: a shell does this before it becomes co-turn.
sub under_co_turn {
	my ($before, $program) = @_;
	my $fifo = File::Temp->newdir(TMPDIR => 1);
	my $r = CoHost::run(['unshare', '--mount', 'sh', '-c', "mkfifo $fifo/3; exec 3<>$fifo/3; "
		. "$before; exec " . program('co-turn') . ' $PPID 0 0 20 - sh -c "$1"', 'sh', $program]);
	return $r->{out};
}

my $plain = 'mount -t tmpfs none /sys/fs/cgroup && mkdir /sys/fs/cgroup/unified /sys/fs/cgroup/pids';
SKIP: {
	my $out = under_co_turn($plain, 'find /sys/fs/cgroup | sort');
	skip "nothing can be mounted here: $out", 1 if $out =~ /unshare|mount/;
	is $out, join('', map { "/sys/fs/cgroup$_\n" } '', '/pids', '/unified'),
	    'plain folders are not taken for control groups';
}

my $free = under_co_turn(':', 'cat /proc/self/cgroup');
SKIP: {
	skip 'no control groups can be made here', 1 if $free !~ /co-turn/;
	my $left = 'for p in "" /unified /pids; do mkdir -p /sys/fs/cgroup$p/co-turn-$$; done 2>/dev/null';
	my $out = under_co_turn($left, 'cat /proc/self/cgroup');
	s/co-turn-\d+/co-turn-N/g for $free, $out;
	is $out, $free, 'a group that was left with the name of a new one does not keep it away';
}

done_testing;
