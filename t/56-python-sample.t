#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# With isolated state, what a Python agent's function opens and starts is each turn's own, also
# if it keeps that for its next call. The server keeps nothing of the agent that it makes at
# the start.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for);
use Hazards;
use PyAgent;
use Test::More;

PyAgent->need('numpy');
my $hazards = Hazards->new;
my @things = qw(channel client database file guarded loop process worker);

# The programs that run below a process.
sub programs_below {
	my ($top) = @_;
	my (%parent, %name);
	for my $stat (glob '/proc/[0-9]*/stat') {
		my ($pid, $name, $state, $parent) = read_file($stat) =~ /^(\d+) \((.*)\) (\S) (\d+) /
		    or next;
		($parent{$pid}, $name{$pid}) = ($parent, $name) if $state ne 'Z';
	}
	my $is_below = sub {
		my ($pid) = @_;
		$pid = $parent{$pid} while $pid && $pid != $top;
		return $pid;
	};
	return map { $name{$_} } grep { $is_below->($_) } keys %name;
}

for my $case (['turn', 4, 'in each turn'], ['once', 1, 'in a cache']) {
	my ($when, $workers, $where) = @$case;
	my $host = $hazards->start('isolated', $workers, \@things, env => { WHEN => $when });
	is $host->input('process x')->{json}{result}, 'x',
	    "a process that the agent's function starts, $where, serves the turn";
	ok wait_for(10, sub { !grep { $_ eq 'cat' } programs_below($host->pid) }),
	    "no process is left of the agents that were made, $where";
	Hazards::are_answered($host, "isolated, -w $workers, made $where", @things);
	$host->stop;
}
done_testing;
