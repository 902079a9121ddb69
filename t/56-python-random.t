#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Generators of random numbers that a Python file makes, in turns with isolated state.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(run source);
use JSON::PP;
use PyAgent;
use Test::More;

PyAgent->need('numpy');

# What six turns draw.
sub drawn {
	my ($host) = @_;
	return map { decode_json($host->input('draw x')->{json}{result}) } 1 .. 6;
}

# The draws of a process that has run the file, and does nothing else.
sub alone {
	my $r = run([PyAgent::python(), '-c', 'import random_numbers as r; print(r.draw(""))'],
		dir => source('t/agents'), env => { PYTHONDONTWRITEBYTECODE => 1, @_ });
	my ($line) = $r->{out} =~ /^(\{.*\})$/m or die $r->{out};
	return decode_json($line);
}

sub different {
	my ($of, $name, @all) = @_;
	my %seen = map { $_->{$of}{$name} => 1 } @all;
	return scalar keys %seen;
}

sub draws {
	my ($what, $of, $alone, @all) = @_;
	for my $name (sort keys %{ $all[0]{$of} }) {
		if ($alone) {
			is_deeply [map { $_->{$of}{$name} } @all], [($alone->{$of}{$name}) x @all],
			    "$what: $name has a seed, and begins each turn where the file left it";
		} else {
			is different($of, $name, @all), @all,
			    "$what: $name has no seed, and its numbers are each turn's own";
		}
	}
}

for my $seed (undef, 42) {
	my %env = defined $seed ? (SEED => $seed) : ();
	my $host = PyAgent->start('random_numbers.py', workers => 1, env => \%env,
		yaml => "agent_state: isolated\n");
	my @all = drawn($host);
	my $alone = alone(%env);
	my $what = defined $seed ? 'after random.seed()' : 'without random.seed()';
	draws($what, 'seeded', $alone, @all);
	draws($what, 'fresh', undef, @all);
	cmp_ok different('clock', 'uuid1()', @all), '>', 1,
	    "$what: turns do not share the clock of uuid1()";
	draws($what, 'modules', defined $seed ? $alone : undef, @all);
	$host->stop;
}
done_testing;
