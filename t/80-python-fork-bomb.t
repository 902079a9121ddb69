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

my $host = PyAgent->start('unruly.py', workers => 1, yaml => "agent_processes: $OWN\n");

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

# Control groups refuse to fork; otherwise the tree is killed.
$host = PyAgent->start('unruly.py', workers => 1, yaml => "agent_processes: $OWN\n");
ending(begun('pid x'));
my $bred = ending(begun('breed 1000'));
like $bred, qr/^(?:\d+: Resource temporarily unavailable|killed|interrupted)$/,
    'a fork bomb beside few turns fails';
cmp_ok $bred =~ /^(\d+)/ ? $1 : 0, '<=', $OWN + $STEP,
    'a fork bomb has no more processes than its own and one step';
my @after = map { begun('say more') } 1 .. 20;
is_deeply [map { ending($_) } @after], [('more') x 20], 'turns after a fork bomb are not lost';
$host->stop;
done_testing;
