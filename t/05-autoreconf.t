#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A new checkout builds as every packager types it: autoreconf -fi, configure, make; and
# make dist ships all of it, with the page ready.
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
    . " --exclude=Makefile --exclude=Makefile.in --exclude=page_assets.c"
    . " --exclude=node_modules -cf - ."
    . " | tar -C '$dir' -xf -";
is run(['sh', '-c', $copy])->{status}, 0, 'the tree can be copied';
ok !-e "$dir/sources.mk", 'the copy has no generated list of sources';
# A distribution is read-only while it is checked.
is run(['chmod', '-R', 'u+w', $dir])->{status}, 0, 'the copy can be written';

# All programs but those that build the page.
my %bare = (PATH => "$dir/bare");
mkdir "$dir/bare" or die $!;
for my $program (map { glob "$_/*" } grep { length } split /:/, $ENV{PATH}) {
	my ($name) = $program =~ m{([^/]+)$};
	symlink $program, "$dir/bare/$name" unless $name =~ /^(?:node|npm|npx|nodejs)$/;
}

sub works {
	my ($what, $command, %o) = @_;
	my $r = run($command, dir => $dir, timeout => 200, %o);
	is $r->{status}, 0, "$what works" or diag $r->{out};
}

works('autoreconf', ['autoreconf', '-fi']);
my $r = run(['./configure', '-q'], dir => $dir, env => \%bare, timeout => 200);
isnt $r->{status}, 0, 'configure fails in a checkout without Node.js';
like $r->{out}, qr{page needs node and npm: run scripts/setup, or configure --without-page},
    'configure says how to do without Node.js, or get it';
works('configure --without-page without Node.js', ['./configure', '-q', '-C', '--without-page'],
    env => \%bare);
works('configure', ['./configure', '-q', '-C']);
works('make', ['make', '-s', 'co-turn']);
ok -x "$dir/co-turn", 'make leaves a program';

# Spare the registry, where a build has installed the packages.
my $packages = "$ENV{TOP_BUILDDIR}/page";
run(['cp', '-r', $packages, "$dir/page"], timeout => 100) if -e "$packages/.installed";
works('make distdir', ['make', '-s', 'distdir']);

# What is shipped has the page ready.
my ($shipped) = glob "$dir/co-hostd-*";
mkdir "$shipped/build" or die $!;
works('configure of a distribution without Node.js',
    ['../configure', '-q', "--cache-file=$dir/config.cache"], dir => "$shipped/build", env => \%bare);
works('the page of a distribution without Node.js',
    ['make', '-s', 'src/api/page_assets.o'], dir => "$shipped/build", env => \%bare);
ok !-e "$shipped/build/page", 'a distribution does not build the page again';
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
