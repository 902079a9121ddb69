#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The conformance checklist of the ConnectOnion protocol has 227 lines. t/CHECKLIST names for each
# the test that proves it:
#
#	12 t/30-docs.t: the words that the test prints
#
# Clients of the agent server have the lines O2 to O11, in t/CHECKLIST.agent-server.
#
# That of OpenHands' clients has the lines A01 to A85, and R01 to R30 for what their libraries
# do, in t/CHECKLIST.openhands. A line that belongs to a part which this server does not have
# says so: "A83 none: REST".
#
# That of Onsembl has the lines B01 to B84, R01 to R21 for what its programs need, and X01
# to X11 for bad input, in t/CHECKLIST.onsembl.
use strict;
use warnings;
use Test::More;

my $top = $ENV{TOP_SRCDIR} // '.';

sub slurp {
	my ($path) = @_;
	open my $fh, '<', $path or return;
	local $/;
	return scalar <$fh>;
}

sub problem {
	my ($label, $where, $without) = @_;
	return undef if $without->{$label} && $where eq "none: $without->{$label}";
	my ($file, $name) = $where =~ /^(\S+): (.+)$/ or return "cannot be read: $where";
	my $text = slurp("$top/$file") // return "$file does not exist";
	return index($text, $name) >= 0 ? undef : "$file has no test '$name'";
}

# The labels of a list, and which of them may be without a test, and why.
sub check {
	my ($list, $labels, $without) = @_;
	my (%seen, @problems);
	for my $line (grep { /\S/ && !/^#/ } split /\n/, slurp("$top/t/$list") // '') {
		my ($label, $where) = $line =~ /^(\w+) (.+)$/;
		push @problems, "cannot be read: $line" unless $label;
		next unless $label;
		push @problems, "$label: twice" if $seen{$label}++;
		my $problem = problem($label, $where, $without);
		push @problems, "$label: $problem" if $problem;
	}
	push @problems, map { "$_: no test" } grep { !$seen{$_} } @$labels;
	is(join("\n", @problems), '', "each line of t/$list names a test that exists");
	my %is_label = map { $_ => 1 } @$labels;
	is(scalar(grep { !$is_label{$_} } keys %seen), 0,
		"t/$list names no line that its checklist does not have");
}

check('CHECKLIST', [1 .. 227], {});
check('CHECKLIST.openhands',
	[(map { sprintf 'A%02d', $_ } 1 .. 85), (map { sprintf 'R%02d', $_ } 1 .. 30)],
	{ map { $_ => 'REST' } qw(A83 A84 A85) });
check('CHECKLIST.agent-server', [map { "O$_" } 2 .. 11], {});
check('CHECKLIST.onsembl', [(map { sprintf 'B%02d', $_ } 1 .. 84), (map { sprintf 'R%02d', $_ } 1 .. 21),
	(map { sprintf 'X%02d', $_ } 1 .. 11)], {});
done_testing();
