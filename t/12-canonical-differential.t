#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors

# What is signed of a payload, against what Python and JavaScript sign: 100,000 random
# payloads each, byte for byte. One byte of difference refuses an honest client.
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin qw($Bin);
use lib "$Bin/lib";

use CoHost qw(lacks);
use Test::More;

my $count = 100_000;
my $json_cat = ($ENV{TOP_BUILDDIR} // '.') . '/t/fuzz/json_cat';
my $folder = tempdir(CLEANUP => 1);

# Reads payloads and writes each as a client sends it, as it signs it (its own sorting is
# that of the npm package: the outermost keys), and sorted throughout.
my $script = <<'JS';
const fs = require('fs');
const [, folder] = process.argv;
function top(x) {
	const sorted = {};
	for (const key of Object.keys(x).sort())
		sorted[key] = x[key];
	return sorted;
}
function all(x) {
	if (Array.isArray(x))
		return x.map(all);
	if (x === null || typeof x !== 'object')
		return x;
	const sorted = {};
	for (const key of Object.keys(x).sort())
		sorted[key] = all(x[key]);
	return sorted;
}
const values = fs.readFileSync(folder + '/payload.in', 'utf8').split('\n').slice(0, -1)
	.map(line => JSON.parse(line));
function write(name, form) {
	fs.writeFileSync(folder + '/script.' + name,
		values.map(v => JSON.stringify(form(v)) + '\n').join(''));
}
write('wire', v => v);
write('TOP', top);
write('ALL', all);
JS

sub has_program {
	my ($name) = @_;
	return grep { -x "$_/$name" } split /:/, $ENV{PATH};
}

sub lines_of {
	my ($name) = @_;
	open my $in, '<:raw', "$folder/$name" or die "$folder/$name: $!";
	return [<$in>];
}

sub compare {
	my ($form, $from, $to, $name) = @_;
	my $status = system "$json_cat $form <$folder/$from >$folder/out";
	is($status, 0, "$name: all payloads are read");
	my ($got, $want) = (lines_of('out'), lines_of($to));
	my @wrong = grep { $got->[$_] ne $want->[$_] } 0 .. $#$want;
	is(scalar @$want, $count, "$name: there are $count");
	is(scalar @wrong, 0, "$name: none is different")
	    or diag(lines_of($from)->[$wrong[0]]
		. "got  $got->[$wrong[0]]want $want->[$wrong[0]]");
	return;
}

lacks "$json_cat is not built" unless -x $json_cat;
lacks 'there is no python3' unless has_program('python3');

is(system('python3', '-B', "$Bin/lib/canonical_docs.py", $folder, $count), 0,
	'payloads are made');
compare('A', 'payload.in', 'payload.A', 'Python');
compare('B', 'payload.in', 'payload.B', 'Python without escapes');
compare('C', 'payload.in', 'payload.C', 'Python, outermost keys sorted');
compare('ANNOUNCE', 'payload.in', 'payload.ANNOUNCE', 'Python with spaces');

SKIP: {
	skip 'there is no node', 7 unless has_program('node');
	is(system('node', '-e', $script, $folder), 0, 'JavaScript reads and sorts them');
	compare('TOP', 'script.wire', 'script.TOP', 'JavaScript');
	compare('ALL', 'script.wire', 'script.ALL', 'JavaScript, all keys sorted');
}
done_testing();
