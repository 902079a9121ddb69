#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# HUP starts the program that is on disk now. One that does not run harms nobody, and
# the next HUP, with one that does, succeeds.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program wait_for write_file);
use File::Copy qw(copy);
use Test::More;

my $dir = CoHost::directory();
my $bin = "$dir/bin";
mkdir $bin or die "$bin: $!";

# Put a program in the place of $bin/co-hostd, as an upgrade does.
sub install {
	my ($from, $name) = @_;
	copy($from, "$bin/$name.new") or die "$from: $!";
	chmod 0755, "$bin/$name.new" or die "$bin/$name.new: $!";
	rename "$bin/$name.new", "$bin/$name" or die "$bin/$name: $!";
}

my $good = program('co-hostd');
install($good, 'co-hostd');
install(program('co-turn'), 'co-turn');
local $ENV{TOP_BUILDDIR} = $bin;
my $host = CoHost->start(dir => "$dir", workers => 2);
my @first = sort $host->workers;
is scalar(@first), 2, 'two workers run before the upgrade';

write_file("$bin/broken", "#!/bin/sh\nexit 1\n");
install("$bin/broken", 'co-hostd');
$host->signal('HUP');
ok wait_for(10, sub { $host->words =~ /throttled/ }),
    'a program that does not run is noticed';
is $host->http(GET => '/health')->{status}, 200,
    'the old generation goes on serving when the new program fails';
my %alive = map { $_ => 1 } $host->workers;
ok !(grep { !$alive{$_} } @first), 'all old workers survive a new program that fails';

install($good, 'co-hostd');
$host->signal('HUP');
ok wait_for(20, sub {
	my %now = map { $_ => 1 } $host->workers;
	return keys %now == 2 && !grep { $now{$_} } @first;
}), 'the next program takes over after HUP';
is $host->input('echo upgraded')->{json}{result}, 'upgraded', 'the upgraded server takes inputs';
SKIP: {
	skip 'only root may see what a hidden process executes', 1 if $> != 0;
	my ($worker) = $host->workers;
	is readlink "/proc/$worker/exe", "$bin/co-hostd",
	    'the workers run the program that is on disk';
}
$host->stop;
done_testing;
