#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Whoever watches over the processes of a turn may be killed, alone or with its worker:
# nothing of the turn is left, the turn fails, and the next one is done.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file read_file);
use PyAgent;
use Test::More;

my $MARK = '86419.97';
my $dir = CoHost::directory();

sub marked {
	return grep { read_file("/proc/$_/cmdline") =~ /^(?:sleep|co-turn)\x00\Q$MARK\E/ }
	    map { m{(\d+)} } glob '/proc/[0-9]*';
}

sub stat_of { return read_file("/proc/$_[0]/stat") =~ /^\d+ \((.*)\) (\S) (\d+)/ }

# Processes below this one that have the name.
sub below {
	my ($name, @parents) = @_;
	my (%is_below, @found);
	$is_below{$_} = 1 for @parents;
	for (1 .. 6) {
		for my $pid (map { m{(\d+)} } glob '/proc/[0-9]*') {
			my ($comm, $state, $parent) = stat_of($pid) or next;
			next if $is_below{$pid} || !$is_below{$parent} || $state eq 'Z';
			$is_below{$pid} = 1;
			push @found, $pid if $comm eq $name;
		}
	}
	return @found;
}

# Whatever a process calls itself, it is one of the tree.
symlink '/bin/sleep', "$dir/co-turn" or die "$dir/co-turn: $!";
write_file("$dir/agent.sh", <<"END");
trap '' TERM INT HUP
read -r line
case \$line in *tree*)
	(setsid sh -c 'sleep $MARK & sleep $MARK' &)
	(cd $dir; PATH=.; co-turn $MARK &)
	sleep $MARK &
	echo '{"type":"thinking","content":"I have children."}'
	sleep $MARK
esac
echo '{"type":"OUTPUT","result":"fine"}'
END

my $host = CoHost->start(dir => $dir, workers => 1, agent => "exec:sh $dir/agent.sh");

sub begin {
	my $ws = $host->ws(session => {});
	$ws->send_json({ type => 'INPUT', prompt => 'tree' });
	$ws->next(type => 'thinking');
	wait_for(10, sub { marked() >= 5 }) or BAIL_OUT('there is no tree');
	return $ws;
}

my $ws = begin();
kill KILL => below('co-turn', $host->pid);
is $ws->next(type => 'ERROR')->{reason}, 'killed', 'co-turn is killed: the turn fails';
ok wait_for(10, sub { !marked() }), 'co-turn is killed: no process of its tree is left';
is +($ws->turn('hi'))[-1]{result}, 'fine', 'co-turn is killed: the next turn is done';
ok wait_for(10, sub { !grep { (stat_of($_))[2] == $host->pid } below('sleep', $host->pid) }),
    'co-turn is killed: nobody has inherited anything';

begin();
my @both = ((grep { readlink("/proc/$_/exe") =~ m{/co-turn$} } below('co-turn', $host->pid)), $host->workers);
kill STOP => @both;
kill KILL => @both;
ok wait_for(10, sub { !marked() }), 'co-turn and its worker are killed: no process is left';
ok wait_for(10, sub { ($host->input('hi')->{json}{result} // '') eq 'fine' }),
    'co-turn and its worker are killed: the next turn is done';
ok wait_for(10, sub { !grep { my ($c, $s, $p) = stat_of($_); ($p // 0) == $host->pid && $s eq 'Z' }
	    map { m{(\d+)} } glob '/proc/[0-9]*' }), 'the master reaps what it has inherited';
$host->stop;

SKIP: {
	skip 'no Python client', 9 if !PyAgent::python();
	for (['isolated', 'co-turn'], ['isolated', 'co-nest'], ['shared', 'co-turn']) {
		my ($state, $who) = @$_;
		$host = PyAgent->start('factory.py', workers => 1, yaml => "agent_state: $state\n");
		my $ws = $host->ws(session => {});
		ok wait_for(20, sub { ($ws->turn('hello'))[-1]{type} eq 'OUTPUT' }),
		    "a python: agent works before its $who is killed ($state)";
		my $code = '[__import__("subprocess").Popen(["setsid", "sleep", "' . $MARK . '"])'
		    . ' for i in range(3)] and __import__("time").sleep(60)';
		$ws->send_json({ type => 'INPUT', prompt => "calculate $code" });
		ok wait_for(10, sub { marked() >= 3 }), "a turn has a tree ($state)";
		kill KILL => below($who, $host->pid);
		ok wait_for(10, sub { !marked() }),
		    "$who is killed: no process of its turn is left ($state)";
		$host->stop;
	}
}
done_testing;
