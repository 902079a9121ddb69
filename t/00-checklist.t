#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The conformance checklist of the ConnectOnion protocol has 227 lines. t/CHECKLIST names for each
# the test that proves it:
#
#	12 t/30-docs.t: the words that the test prints
#
# A line that belongs to a part which this server does not have says so: "197 none: relay".
use strict;
use warnings;
use Test::More;

my $top = $ENV{TOP_SRCDIR} // '.';

# The relay and its client are parts of their own.
my $without = qr/^none: relay$/;
my %may_be_without = map { $_ => 1 } 83, 197 .. 215;

sub slurp {
	my ($path) = @_;
	open my $fh, '<', $path or return;
	local $/;
	return scalar <$fh>;
}

sub problem {
	my ($number, $where) = @_;
	return $may_be_without{$number} ? undef : 'names no test' if $where =~ $without;
	my ($file, $name) = $where =~ /^(\S+): (.+)$/ or return "cannot be read: $where";
	my $text = slurp("$top/$file") // return "$file does not exist";
	return index($text, $name) >= 0 ? undef : "$file has no test '$name'";
}

my (%seen, @problems);
for my $line (grep { /\S/ && !/^#/ } split /\n/, slurp("$top/t/CHECKLIST") // '') {
	my ($number, $where) = $line =~ /^(\d+) (.+)$/;
	push @problems, "cannot be read: $line" unless $number;
	next unless $number;
	push @problems, "$number: twice" if $seen{$number}++;
	my $problem = problem($number, $where);
	push @problems, "$number: $problem" if $problem;
}
push @problems, map { "$_: no test" } grep { !$seen{$_} } 1 .. 227;

is(join("\n", @problems), '', 'each line of the checklist names a test that exists');
is(scalar(grep { $_ > 227 } keys %seen), 0, 'no line is named that the checklist does not have');
done_testing();
