#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A turn that starts too many threads fails by itself. If no thread can be started all the
# same, the process is replaced, and no turn is lost.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file);
use PyAgent;
use Test::More;

PyAgent->need;

my $host = PyAgent->start('unruly.py', workers => 1, yaml => "agent_processes: 50\n");

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

my $pid = ending(begun('pid x'));
like ending(begun('crowd 1000')), qr/^50: can't start new thread: the turn has 50/,
    'a turn cannot start more threads than agent_processes';
is ending(begun('shout x')), 'shouted', 'other turns can start threads after a thread bomb';
is ending(begun('pid x')), $pid, 'a thread bomb does not cost its process';

my $gate = $host->dir . '/gate';
my $other = begun("hold $gate");
$other->next(type => 'tool_call');
is ending(begun('exhaust x')), 'exhausted', 'a turn makes threads impossible in its process';
my @held = map { begun("hold $gate") } 1 .. 8;
isnt ending(begun('pid x')), $pid, 'turns for which there is no thread run in another process';
write_file($gate, '');
is_deeply [map { ending($_) } $other, @held], [('held') x 9],
    'no turn is lost for lack of threads';
ok wait_for(10, sub { !kill 0, $pid }), 'a process without further threads ends after its turns';
$host->stop;
done_testing;
