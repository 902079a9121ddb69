#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Tools that are interrupted in a loop without an end keep no processor busy for long: no
# thread can be stopped, so their process is replaced.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use PyAgent;
use Test::More;

PyAgent->need;

my $host = PyAgent->start('unruly.py', workers => 1, yaml => "interrupt_grace: 1\n");

sub begun {
	my ($prompt, $when) = @_;
	my $ws = $host->ws(session => {});
	$ws->send_json({ type => 'INPUT', prompt => $prompt });
	$ws->next(type => $when // 'tool_call');
	return $ws;
}

sub ending {
	my ($ws) = @_;
	my $end = $ws->next(type => ['OUTPUT', 'ERROR']);
	return $end->{result} // $end->{message};
}

my $pid = ending(begun('pid x'));
my $gate = $host->dir . '/gate';
my $other = begun("hold $gate");
for (1 .. 3) {
	my $ws = begun('spin x', 'spinning');
	$ws->send_json({ type => 'INTERRUPT' });
	is ending($ws), 'What would you like me to do?', "turn $_ of a tool in an endless loop ends";
}
ok wait_for(30, sub { ending(begun('pid x')) != $pid }),
    'turns after tools in endless loops run in another process';
ok kill(0, $pid), 'a process with endless loops stays until its other turns have ended';
CoHost::write_file($gate, '');
is ending($other), 'held', 'a turn beside endless loops ends as it likes';
ok wait_for(10, sub { !kill 0, $pid }), 'the process of the endless loops is gone then';
is $host->metric('cohostd_agent_turns_lost_total'), 0, 'endless loops cost no other turn';
$host->stop;
done_testing;
