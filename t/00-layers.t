#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A folder includes what src/LAYERS allows, and a library's header has one home.
use strict;
use warnings;
use FindBin;
use Test::More tests => 3;

my $top = "$FindBin::Bin/..";
my $said = `'$^X' $top/scripts/check-layers $top 2>&1`;
is $?, 0, 'every #include agrees with src/LAYERS' or diag $said;

# The check itself sees what it is for.
my $copy = `mktemp -d`;
chomp $copy;
mkdir "$copy/src";
mkdir "$copy/src/$_" for qw(base core);
sub put {
	my ($path, $text) = @_;
	open my $f, '>', "$copy/src/$path" or die "$path: $!";
	print $f $text;
	close $f or die "$path: $!";
}
put('LAYERS', "base:\ncore: base\nlmdb.h: core\n");
put('core/a.h', "#include <string.h>\n#include <lmdb.h>\n#include \"base/b.h\"\n");
put('base/b.h', '');
is system("'$^X' $top/scripts/check-layers $copy >$copy/out 2>&1"), 0,
    'an allowed include passes';
put('base/b.h', "#include \"core/a.h\"\n#include <lmdb.h>\n#include <other.h>\n");
$said = `'$^X' $top/scripts/check-layers $copy 2>&1`;
is scalar(() = $said =~ /^src/mg), 3, 'a forbidden include is reported' or diag $said;
system 'rm', '-rf', $copy;
