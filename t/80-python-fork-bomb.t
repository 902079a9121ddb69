#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What a process with many turns may fork grows with the number of its turns: a fork bomb of
# one turn finds little, and many turns find enough.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file write_file);
use PyAgent;
use Test::More;

PyAgent->need;

my $OWN = 40;
my $STEP = 256; # TREE_MORE_PROCESSES
my $TURNS = 150;

my $host;

sub begun {
	my ($prompt) = @_;
	my $ws = $host->ws(session => {});
	$ws->send_json({ type => 'INPUT', prompt => $prompt });
	return $ws;
}

sub ending {
	my ($ws) = @_;
	my $end = $ws->next(type => ['OUTPUT', 'ERROR']);
	return $end->{result} // $end->{reason} // $end->{message};
}

sub bomb {
	my ($where) = @_;
	$host = PyAgent->start('unruly.py', workers => 1, yaml => "agent_processes: $OWN\n");
	my $gate = $host->dir . '/gate';
	my $other = begun("hold $gate");
	$other->next(type => 'tool_call');
	my $bred = ending(begun('breed 600'));
	like $bred, qr/^\d+$/, "$where: a turn that is a fork bomb ends";
	cmp_ok $bred, '<=', $OWN + $STEP,
	    "$where: a fork bomb has no more processes than its own and one step";
	cmp_ok $bred, '>=', $STEP / 2, "$where: up to this number a turn may fork";
	my @after = map { begun('say more') } 1 .. 20;
	is_deeply [map { ending($_) } @after], [('more') x 20],
	    "$where: turns after a fork bomb are not lost";
	write_file($gate, '');
	is ending($other), 'held', "$where: a turn beside a fork bomb goes on";
	$host->stop;
}

# Without control groups, root's processes wait until they have been counted.
my @hidden = ('unshare', '--mount', 'sh', '-c',
	'mount -t tmpfs -o ro none /sys/fs/cgroup && exec "$@"', 'sh');
if (@ARGV) {
	bomb(@ARGV);
	done_testing;
	exit;
}

$host = PyAgent->start('unruly.py', workers => 1, yaml => "agent_processes: $OWN\n");
my $gate = $host->dir . '/gate';
my $pid = ending(begun('pid x'));
my @held = map { begun("hold $gate") } 1 .. $TURNS;
$_->next(type => 'tool_call') for @held;
is ending(begun('pid x')), $pid, 'a process has room for the threads of many turns';
write_file($gate, '');
is_deeply [map { ending($_) } @held], [('held') x $TURNS], 'many turns in one process end well';
unlike read_file($host->log), qr/asks to be replaced|cannot begin/,
    'many turns are no reason to replace their process';
$host->stop;

SKIP: {
	skip 'only root can do without RLIMIT_NPROC, which counts all of its user', 2 if $> != 0;
	bomb('root');
	my $r = CoHost::run([@hidden, $^X, $0, 'root without control groups'], timeout => 60);
	skip "control groups cannot be hidden here: $r->{out}", 1 if $r->{out} =~ /^(?:unshare|mount):/;
	print map { "    $_\n" } split /\n/, $r->{out};
	ok !$r->{status}, 'a fork bomb of root is held without control groups';
}
done_testing;
