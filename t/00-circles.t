#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# No files of src/ call each other in a circle.
use strict;
use warnings;
use FindBin;
use File::Temp qw(tempdir);
use Test::More tests => 5;

my $top = "$FindBin::Bin/..";
my $build = $ENV{TOP_BUILDDIR} // (-e './libbase.a' ? '.' : "$top/build");
my $said = `'$^X' $top/scripts/check-circles $build $top 2>&1`;
is $?, 0, 'no files of src/ call each other in a circle' or diag $said;

# The check itself sees what it is for, in a tree and a build of three files.
my $copy = tempdir(CLEANUP => 1);
mkdir "$copy/$_" or die "$copy/$_: $!" for qw(src src/low src/high);

sub put {
	my ($path, $text) = @_;
	open my $f, '>', "$copy/$path" or die "$path: $!";
	print $f $text;
	close $f or die "$path: $!";
}

sub compile {
	my ($file, $text, $prefix) = @_;
	put("src/$file.c", $text);
	my $object = "$copy/src/" . ($file =~ s{([^/]+)$}{$prefix$1}r) . '.o';
	system(split(' ', $ENV{CC} || 'gcc'), '-c', '-o', $object, "$copy/src/$file.c") == 0
	    or die "$file.c does not compile";
}

sub check {
	$said = `'$^X' $top/scripts/check-circles $copy $copy 2>&1`;
	return $? >> 8;
}

my $leaf = "int b(void);\nint b(void)\n{\n\treturn 1;\n}\n";
my $leaf_calls_a = "int a(void);\nint b(void);\nint b(void)\n{\n\treturn a();\n}\n";
my $calls = "int b(void);\nstatic int own(void)\n{\n\treturn b();\n}\n";
compile('high/a', "${calls}int a(void);\nint a(void)\n{\n\treturn own();\n}\n", 'libhigh_a-');
compile('high/c-d', "${calls}int c(void);\nint c(void)\n{\n\treturn own();\n}\n", '');
compile('low/b', $leaf, '');
is check(), 0, 'files that call others below them pass' or diag $said;

compile('low/b', $leaf_calls_a, '');
ok check() && $said =~ m{^2 files in a circle: high/a low/b$}m,
    'two files that call each other are told, and not the one above them' or diag $said;
ok $said =~ m{^\thigh/a -> low/b: b$}m && $said =~ m{^\tlow/b -> high/a: a$}m,
    'a circle is told with the names that tie it' or diag $said;

unlink "$copy/src/low/b.c";
is check(), 0, 'an object that a build left of a file that is gone does not count' or diag $said;
