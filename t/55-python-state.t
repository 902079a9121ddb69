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
use Time::HiRes qw(time);

PyAgent->need;

# The state that a server says it has.
sub state_of {
	my ($host) = @_;
	wait_for(20, sub { PyAgent::logged($host) =~ /its state is (\w+)/ }) or return 'unknown';
	return PyAgent::logged($host) =~ /its state is (\w+)/ ? $1 : 'unknown';
}

sub bumps { my ($host) = @_; return [map { $host->input('bump x')->{json}{result} } 1 .. 3] }

my $host = PyAgent->start('factory.py', workers => 1);
is state_of($host), 'isolated', 'a factory has isolated state';
is_deeply bumps($host), [1, 1, 1], 'which each turn has for itself';
my @ws = map { $host->ws(session => {}) } 1 .. 4;
my $began = time;
$_->send_json({ type => 'INPUT', prompt => 'nap 2' }) for @ws;
$_->next(type => 'OUTPUT') for @ws;
cmp_ok time - $began, '<', 6, 'turns run beside each other';
$host->stop;

$host = PyAgent->start('factory.py', workers => 1, yaml => "agent_state: shared\n");
is state_of($host), 'shared', 'unless the settings say otherwise';
is_deeply bumps($host), [1, 2, 3], 'then turns count together';
@ws = map { $host->ws(session => {}) } 1 .. 4;
$began = time;
$_->send_json({ type => 'INPUT', prompt => 'nap 2' }) for @ws;
is $_->next(type => 'OUTPUT')->{result}, 'slept 2', 'a turn beside others' for @ws;
cmp_ok time - $began, '<', 6, 'they run beside each other, too';
$ws[0]->send_json({ type => 'INPUT', prompt => 'nap 60' });
$ws[0]->next(type => 'tool_call');
$ws[0]->send_json({ type => 'INTERRUPT' });
is $ws[0]->next(type => 'OUTPUT')->{result}, 'What would you like me to do?',
    'one of them can be interrupted';
is +($ws[0]->turn('calculate 2+2'))[-1]{result}, '4', 'and its session goes on';
ok wait_for(10, sub { PyAgent::logged($host) =~ /calculating 2\+2/ }),
    'what a tool prints is in the log';
$host->stop;

$host = PyAgent->start('instance.py', workers => 1);
is state_of($host), 'shared', 'a bare agent has shared state';
is_deeply bumps($host), [1, 2, 3], 'with what its tools keep';
my ($one, $two) = map { $host->ws(session => {}) } 1 .. 2;
is +($one->turn('hello'))[-1]{result}, 'hello (1 so far, 0 images)', 'each session';
is +($two->turn('hello'))[-1]{result}, 'hello (1 so far, 0 images)', 'has its own messages';
$one->send_json({ type => 'INPUT', prompt => 'nap 60' });
$one->next(type => 'tool_call');
$two->send_json({ type => 'INPUT', prompt => 'hello' });
$two->next(type => 'user_input');
$two->send_json({ type => 'INTERRUPT' });
is $two->next(type => 'OUTPUT')->{result}, 'What would you like me to do?',
    'a turn that waits for the agent can be interrupted';
$one->send_json({ type => 'INTERRUPT' });
$one->next(type => 'OUTPUT');
is +($two->turn('hello'))[-1]{type}, 'OUTPUT', 'and the agent is free again';
$host->stop;

$host = PyAgent->start('instance.py', workers => 1, yaml => "agent_state: isolated\n");
is_deeply bumps($host), [1, 1, 1], 'it can be isolated as well';
$host->stop;

$host = PyAgent->start('threads.py', workers => 1);
is state_of($host), 'shared', 'a file with threads has shared state';
is $host->input('alive ?')->{json}{result}, 'yes', 'so that they go on';
$host->stop;

$host = PyAgent->start(PyAgent::file('named.py') . ':second', workers => 1);
is state_of($host), 'isolated', 'an agent may be named';
$host->stop;
done_testing;
