#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The processes of an isolated python: agent: limits hold for each turn, nothing of a turn
# outlives it, and an agent process that dies is replaced.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for read_file);
use PyAgent;
use Test::More;

PyAgent->need;
my $RUN_S = 600;
my $host = PyAgent->start('factory.py', workers => 1, clock => 1,
	yaml => "agent_state: isolated\nagent_memory: 1024\nagent_address_space: 1024\nagent_processes: 20\n"
	    . "run_timeout: $RUN_S\n");

# Processes with these words in their command line.
sub running {
	my ($words) = @_;
	return grep {
		read_file("/proc/$_/cmdline") =~ s/\0/ /gr =~ /\Q$words\E/
	} map { m{^/proc/(\d+)} } glob '/proc/[0-9]*';
}

# Ours of those that run the agent's file: other servers may do the same.
sub agents {
	return grep { (readlink("/proc/$_/cwd") // '') eq $host->dir }
	    running('co-agent-python --serve ');
}

# As often as this the package was loaded.
sub wait_loaded {
	my ($times) = @_;
	return wait_for(30, sub { my @n = $host->words =~ /loaded, its state/g; @n >= $times });
}
wait_loaded(1);
is $host->input("spawn 5151$$")->{status}, 200, 'a turn whose tool leaves a daemon ends well';
ok wait_for(10, sub { !running("sleep 5151$$") }),
    'a daemon that a tool leaves ends with the turn';

my $ws = $host->ws(session => {});
sub failure { my ($prompt) = @_; return ($ws->turn($prompt))[-1] }

is failure('die SIGKILL')->{reason}, 'killed', 'a killed turn has the reason killed';
is failure('die SIGSEGV')->{reason}, 'killed', 'a crashed turn has the reason killed';
$ws->send_json({ type => 'INPUT', prompt => 'nap 60' });
$ws->next(type => 'tool_call');
$host->pass($RUN_S + 1);
is $ws->next(type => ['OUTPUT', 'ERROR'])->{reason}, 'timeout',
    'a turn that takes too long has the reason timeout';
is failure('hello')->{type}, 'OUTPUT', 'a session takes inputs after killed turns';

my ($grown) = grep { $_->{type} eq 'tool_result' } $ws->turn('grow 4000');
is $grown->{status}, 'error', 'a tool cannot use more than agent_address_space';
is +($ws->turn('grow 10'))[-1]{result}, 10 << 20, 'a tool can use less than agent_address_space';

my $bomb = '[__import__("subprocess").Popen(["sleep", "6161' . $$ . '"]) for i in range(99)]'
    . ' and __import__("time").sleep(60)';
my $end = failure("calculate $bomb");
# The kernel refuses the next one, to the tool or to the package, or the tree is killed.
like $end->{reason} // $end->{result}, qr/^(?:killed|failed)$|Error/,
    'a tool cannot start more processes than the limit';
ok wait_for(10, sub { !running("sleep 6161$$") }), 'no process of a refused fork bomb is left';

my ($zygote) = grep { read_file("/proc/$_/stat") =~ /^\d+ \(.*\) \w (\d+)/
	    && read_file("/proc/$1/cmdline") =~ /^[^\0]*co-turn\0/ }
    agents();
$ws->send_json({ type => 'INPUT', prompt => "spawn 7171$$" });
$ws->next(type => 'OUTPUT');
my $other = $host->ws(session => {});
$other->send_json({ type => 'INPUT', prompt => 'nap 60' });
$other->next(type => 'tool_call');
kill KILL => $zygote;
is $other->next(type => 'ERROR')->{reason}, 'killed',
    'turns end when their fork server is killed';
wait_loaded(2);
is +($ws->turn('hello'))[-1]{type}, 'OUTPUT', 'a killed fork server is started again';

$ws->send_json({ type => 'INPUT', prompt => 'nap 60' });
$ws->next(type => 'tool_call');
my @tree = agents();
ok @tree > 1, 'a running turn has a tree of processes';
$host->kill_worker(($host->workers)[0]);
ok wait_for(10, sub { !grep { kill 0, $_ } @tree }), 'no process of a tree outlives its worker';
ok wait_for(20, sub { ($host->input('hello')->{json}{result} // '') =~ /hello/ }),
    'a new worker has a fork server of its own';
$host->stop;
ok wait_for(10, sub { !running($host->dir) }), 'no process is left after a stop';
done_testing;
