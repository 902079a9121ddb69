#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What a file keeps outside its factory: shared by the turns of a worker, or not.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file);
use PyAgent;
use Test::More;

PyAgent->need;

# The state that a server says it has.
sub state_of {
	my ($host) = @_;
	wait_for(20, sub { PyAgent::logged($host) =~ /its state is (\w+)/ }) or return 'unknown';
	return PyAgent::logged($host) =~ /its state is (\w+)/ ? $1 : 'unknown';
}

# Turns that would take very long are all there at the same time, and then stopped.
sub are_parallel {
	my ($title, @ws) = @_;
	$_->send_json({ type => 'INPUT', prompt => 'nap 3600' }) for @ws;
	is scalar(grep { $_->next(type => ['tool_call', 'OUTPUT', 'ERROR'])->{type} eq 'tool_call' }
	    @ws), @ws, $title;
	$_->send_json({ type => 'INTERRUPT' }) for @ws;
	$_->next(type => ['OUTPUT', 'ERROR']) for @ws;
}

sub bumps { my ($host) = @_; return [map { $host->input('bump x')->{json}{result} } 1 .. 3] }

my $host = PyAgent->start('factory.py', workers => 1, yaml => "agent_state: isolated\n");
is state_of($host), 'isolated', 'agent_state: isolated gives a factory isolated state';
is_deeply bumps($host), [1, 1, 1], 'isolated state begins anew in each turn';
my @ws = map { $host->ws(session => {}) } 1 .. 4;
are_parallel('turns with isolated state run in parallel', @ws);
$host->stop;

$host = PyAgent->start('factory.py', workers => 1);
is state_of($host), 'shared', 'a factory has shared state where nothing is set';
is_deeply bumps($host), [1, 2, 3], 'shared state lasts from turn to turn';
@ws = map { $host->ws(session => {}) } 1 .. 4;
$_->send_json({ type => 'INPUT', prompt => 'nap 2' }) for @ws;
is $_->next(type => 'OUTPUT')->{result}, 'slept 2',
    'a turn with shared state gives its result beside others' for @ws;
are_parallel('turns with shared state run in parallel', @ws);
$ws[0]->send_json({ type => 'INPUT', prompt => 'nap 60' });
$ws[0]->next(type => 'tool_call');
$ws[0]->send_json({ type => 'INTERRUPT' });
is $ws[0]->next(type => 'OUTPUT')->{result}, 'What would you like me to do?',
    'one of several turns with shared state can be interrupted';
is +($ws[0]->turn('calculate 2+2'))[-1]{result}, '4',
    'a session takes inputs after an interrupt with shared state';
ok wait_for(10, sub { PyAgent::logged($host) =~ /calculating 2\+2/ }),
    'the log has what a tool of a shared agent prints';
$host->stop;

$host = PyAgent->start('instance.py', workers => 1);
is state_of($host), 'shared', 'a bare agent has shared state';
is_deeply bumps($host), [1, 2, 3], 'the tools of a bare agent keep their state';
my ($one, $two) = map { $host->ws(session => {}) } 1 .. 2;
is +($one->turn('hello'))[-1]{result}, 'hello (1 so far, 0 images)',
    'a session of a bare agent has its own messages';
is +($two->turn('hello'))[-1]{result}, 'hello (1 so far, 0 images)',
    'a second session of a bare agent has its own messages';
$one->send_json({ type => 'INPUT', prompt => 'nap 60' });
$one->next(type => 'tool_call');
$two->send_json({ type => 'INPUT', prompt => 'hello' });
$two->next(type => 'user_input');
$two->send_json({ type => 'INTERRUPT' });
is $two->next(type => 'OUTPUT')->{result}, 'What would you like me to do?',
    'a turn that waits for a bare agent can be interrupted';
$one->send_json({ type => 'INTERRUPT' });
$one->next(type => 'OUTPUT');
is +($two->turn('hello'))[-1]{type}, 'OUTPUT', 'a bare agent is free again after interrupts';
$host->stop;

$host = PyAgent->start('instance.py', workers => 1, yaml => "agent_state: isolated\n");
is_deeply bumps($host), [1, 1, 1], 'agent_state: isolated gives a bare agent isolated state';
$host->stop;

$host = PyAgent->start('threads.py', workers => 1);
is state_of($host), 'shared', 'a file with threads has shared state';
is $host->input('alive ?')->{json}{result}, 'yes', 'threads of a file go on between turns';
$host->stop;

$host = PyAgent->start(PyAgent::file('named.py') . ':second', workers => 1);
ok wait_for(20, sub { PyAgent::logged($host) =~ /agent second: loaded/ }), 'an agent may be named';
$host->stop;
done_testing;
