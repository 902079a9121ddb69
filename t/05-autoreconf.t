#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A new checkout builds as every packager types it: autoreconf -fi, configure, make; and
# make dist ships all of it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(run source);
use File::Temp qw(tempdir);
use Test::More;

my $dir = tempdir(CLEANUP => 1);
my $top = source('.');

# The tree without what a build leaves in it, as in a new checkout.
my $copy = "tar -C '$top' --exclude=.git --exclude='./build*' --exclude=./autom4te.cache"
    . " --exclude=./sources.mk --exclude=./configure --exclude='*.o' --exclude='*.a'"
    . " --exclude=Makefile --exclude=Makefile.in -cf - ."
    . " | tar -C '$dir' -xf -";
is run(['sh', '-c', $copy])->{status}, 0, 'the tree can be copied';
ok !-e "$dir/sources.mk", 'the copy has no generated list of sources';
# A distribution is read-only while it is checked.
is run(['chmod', '-R', 'u+w', $dir])->{status}, 0, 'the copy can be written';

for my $step (['autoreconf', '-fi'], ['./configure', '-q'], ['make', '-s', 'co-turn']) {
	my $r = run($step, dir => $dir, timeout => 200);
	is $r->{status}, 0, "@$step works in it" or diag $r->{out};
}
ok -x "$dir/co-turn", 'make leaves a program';
is run(['make', '-s', 'distdir'], dir => $dir, timeout => 100)->{status}, 0,
    'make distdir works in it';
SKIP: {
	my $tracked = `git -c safe.directory='*' -C '$top' ls-files 2>/dev/null`;
	skip 'this is no checkout of git', 1 if $?;
	my ($dist) = glob "$dir/co-hostd-*";
	is join("\n", grep { -e "$top/$_" && !-e "$dist/$_" } split /\n/, $tracked), '',
	    'the distribution has every file of the tree';
}

# The list follows the tree without anybody asking for it.
open my $new, '>', "$dir/t/99-new.t" or die $!;
close $new or die $!;
is run(['autoreconf', '-fi'], dir => $dir, timeout => 200)->{status}, 0,
    'autoreconf works again after a file was added';
is run(['grep', '-q', 't/99-new.t', "$dir/sources.mk"])->{status}, 0,
    'the regenerated list of sources names the new file';
done_testing;
