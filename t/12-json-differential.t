#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors

# Our JSON against Python's and JavaScript's, byte for byte: a signature is made over
# what they print, so one byte of difference refuses an honest peer.
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin qw($Bin);
use lib "$Bin/lib";

use CoHost qw(lacks);
use Test::More;

my $json_cat = ($ENV{TOP_BUILDDIR} // '.') . '/t/fuzz/json_cat';
my $folder = tempdir(CLEANUP => 1);

# Reads lines, parses each and prints it and the same with its keys sorted.
my $script = <<'JS';
const fs = require('fs');
const [, from, wire, sorted] = process.argv;
function sort(x) {
	if (Array.isArray(x))
		return x.map(sort);
	if (x === null || typeof x !== 'object')
		return x;
	return Object.fromEntries(Object.keys(x).sort().map(k => [k, sort(x[k])]));
}
const values = fs.readFileSync(from, 'utf8').split('\n').slice(0, -1).map(JSON.parse);
fs.writeFileSync(wire, values.map(v => JSON.stringify(v) + '\n').join(''));
fs.writeFileSync(sorted, values.map(v => JSON.stringify(sort(v)) + '\n').join(''));
JS

sub lines_of {
	my ($name) = @_;
	open my $in, '<:raw', "$folder/$name" or die "$folder/$name: $!";
	return [<$in>];
}

sub has_program {
	my ($name) = @_;
	return grep { -x "$_/$name" } split /:/, $ENV{PATH};
}

# The lines json_cat prints for those of a file.
sub canonical {
	my ($form, $from) = @_;
	my $status = system "$json_cat $form <$folder/$from >$folder/out";
	die "$json_cat ended with $status" if $status;
	return lines_of('out');
}

sub compare {
	my ($form, $from, $to, $name) = @_;
	my ($in, $got, $want) = (lines_of($from), canonical($form, $from), lines_of($to));
	my @wrong = grep { $got->[$_] ne $want->[$_] } 0 .. $#$want;
	is(scalar @$got, scalar @$want, "$name: as many lines come out");
	is(scalar @wrong, 0, "$name: " . @$want . ' lines are the same')
	    or diag("text $in->[$wrong[0]]got  $got->[$wrong[0]]want $want->[$wrong[0]]");
	return;
}

sub compare_refusals {
	my $got = canonical('utf8', 'bad.in');
	my $want = lines_of('bad.out');
	for my $line (@$got) {
		$line = "fine\n" unless $line =~ /\AERR /;
	}
	my @wrong = grep { $got->[$_] ne $want->[$_] } 0 .. $#$want;
	my $refused = grep { /\AERR / } @$want;
	cmp_ok($refused, '>', 1000, "$refused of " . @$want . ' damaged texts are refused');
	is(scalar @wrong, 0, 'damaged texts are refused for the same reason at the same place')
	    or diag(lines_of('bad.in')->[$wrong[0]]
		. "got  $got->[$wrong[0]]want $want->[$wrong[0]]");
	return;
}

lacks "$json_cat is not built" unless -x $json_cat;
lacks 'there is no python3' unless has_program('python3');

is(system('python3', '-B', "$Bin/lib/json_docs.py", $folder), 0, 'documents are made');
compare('ascii', 'python.in', 'python.ascii', 'Python to ASCII');
compare('utf8', 'python.in', 'python.utf8', 'Python to UTF-8');
compare('ascii', 'mixed.in', 'mixed.ascii', 'any spelling to ASCII');
compare('utf8', 'mixed.in', 'mixed.utf8', 'any spelling to UTF-8');
compare_refusals();

SKIP: {
	skip 'there is no node', 3 unless has_program('node');
	is(system('node', '-e', $script, map { "$folder/$_" }
		    qw(script.in script.wire script.sorted)),
		0, 'JavaScript reads and sorts them');
	compare('script', 'script.wire', 'script.sorted', 'JavaScript');
}
done_testing();
