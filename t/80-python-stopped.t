#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A Python process that is stopped is replaced after hang_timeout; one whose interpreter is
# only held by a turn is not.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for write_file);
use PyAgent;
use Test::More;

PyAgent->need;

sub begun {
	my ($host, $prompt) = @_;
	my $ws = $host->ws(session => {});
	$ws->send_json({ type => 'INPUT', prompt => $prompt });
	$ws->next(type => 'tool_call');
	return $ws;
}

sub ending {
	my ($ws) = @_;
	my $end = $ws->next(type => ['OUTPUT', 'ERROR']);
	return $end->{result} // $end->{reason} // $end->{message};
}

sub pid_of { return ending(begun($_[0], 'pid x')) }

sub parent_of { return (read_file("/proc/$_[0]/stat") =~ /.*\) \S (\d+)/)[0] }

my $host = PyAgent->start('unruly.py', workers => 1,
	yaml => "interrupt_grace: 1\nhang_timeout: 2\nrestart: safe\n");
my $gate = $host->dir . '/gate';
my $pid = pid_of($host);
my $other = begun($host, "hold $gate");
kill STOP => parent_of($pid), $pid;
is $other->next(type => 'tool_call')->{name}, 'hold',
    'with restart: safe, a turn of a process that is stopped begins once more';
isnt pid_of($host), $pid, 'a process that is stopped is replaced';
ok wait_for(10, sub { !kill 0, $pid }), 'a process that is stopped with its co-turn is killed';
like read_file($host->log), qr/has not answered for 2 s \(hang_timeout\)/,
    'the log says that a process has not answered';
write_file($gate, '');
is ending($other), 'held', 'a turn that began once more ends as it likes';
unlink $gate;

# ---- the interpreter is held, but the process is alive ----

$pid = pid_of($host);
$other = begun($host, "hold $gate");
is ending(begun($host, 'clutch 3')), 'kept', 'a turn may hold the interpreter for long';
is pid_of($host), $pid, 'a process whose interpreter was held is not replaced';
my $clutch = begun($host, 'clutch 3');
$clutch->send_json({ type => 'INTERRUPT' });
is ending($clutch), 'What would you like me to do?',
    'the client of a turn that holds the interpreter has its end at once';
isnt pid_of($host), $pid, 'turns after one that holds the interpreter run elsewhere';
write_file($gate, '');
is ending($other), 'held', 'a turn beside one that held the interpreter ends as it likes';
$host->stop;
done_testing;
