#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Control groups of agents: made where there are control groups and nowhere else, also if one
# of that name was left, and gone with the agent.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use PyAgent;
use CoHost qw(program read_file wait_for);
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

# The nests of these processes' zygotes.
sub nests_below {
	my @found = @_;
	for my $pid (@found) { # which grows meanwhile
		push @found, map { split ' ', read_file($_) } glob "/proc/$pid/task/*/children";
	}
	return grep { read_file("/proc/$_/comm") eq "co-nest\n" } @found;
}

# Turns of python: agents have groups of their own, made by processes that are killed at the end.
SKIP: {
	skip 'no Python client', 2 if !PyAgent::python();
	my $host = PyAgent->start('factory.py', workers => 1);
	my $ws = $host->ws(session => {});
	ok wait_for(20, sub { ($ws->turn('hello'))[-1]{type} eq 'OUTPUT' }), 'a python: agent works';
	my $pids = join '|', nests_below($host->workers);
	my $mine = sub { grep { m{/co-turn-(?:$pids)$} }
	    map { glob "$_/co-turn-*" } grep { -e "$_/cgroup.procs" }
	    map { "/sys/fs/cgroup$_" } '', '/unified', '/pids' };
	skip 'no control groups can be made here', 1 if !$mine->();
	$host->stop;
	ok wait_for(10, sub { !$mine->() }), 'a python: agent leaves no control group'
	    or diag join "\n", $mine->();
}
done_testing;
