#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What clang-format does not decide: the order of includes, sizeof, unique file names.
use strict;
use warnings;
use File::Temp ();
use FindBin;
use Test::More tests => 3;

my $top = "$FindBin::Bin/..";
my $said = `'$^X' $top/scripts/check-style $top 2>&1`;
is $?, 0, 'every file of src/ keeps to the order of includes and to one sizeof' or diag $said;

# The check itself sees what it is for.
my $copy = File::Temp->newdir;
mkdir "$copy/src";
mkdir "$copy/src/$_" for qw(base core);

sub put {
	my ($path, $text) = @_;
	open my $f, '>', "$copy/src/$path" or die "$path: $!";
	print $f $text;
	close $f or die "$path: $!";
}
put('base/a.h', "#include <stddef.h>\n");
put('base/a.c', "#include \"base/a.h\"\n\n#include \"base/b.h\"\n\n#include <lmdb.h>\n\n"
	. "#include <string.h>\n\nint n = sizeof(struct a) + sizeof *p;\n");
is system("'$^X' $top/scripts/check-style $copy >$copy/out 2>&1"), 0,
    'check-style accepts files that keep to the style';
put('core/a.c', "#include <string.h>\n\n#include \"base/b.h\"\n#include <lmdb.h>\n\n"
	. "int n = sizeof(*p);\n");
$said = `'$^X' $top/scripts/check-style $copy 2>&1`;
is scalar(() = $said =~ /^src/mg), 4,
    'check-style reports groups out of order, mixed groups, sizeof and a doubled file name'
	or diag $said;
