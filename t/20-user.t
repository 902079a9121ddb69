#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Started as root with --user, no process stays root.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for);
use Test::More;

plan skip_all => 'only root can drop to another user' if $> != 0;
my $uid = getpwnam('nobody') // plan skip_all => 'there is no user nobody';

my $dir = CoHost::directory();
chmod 0755, "$dir";
chown $uid, -1, "$dir", "$dir/.co", "$dir/home";
my $host = CoHost->start(dir => "$dir", workers => 2,
	args => ['--user', 'nobody']);

my %children = $host->children;
is scalar(keys %children), 3, 'two workers and a keeper';
for my $pid (sort { $a <=> $b } keys %children) {
	my @ids = read_file("/proc/$pid/status") =~
	    /^Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)/m;
	is_deeply \@ids, [($uid) x 4], "$children{$pid} is nobody";
	my ($groups) = read_file("/proc/$pid/status") =~ /^Groups:[ \t]*(.*)$/m;
	unlike $groups, qr/\b0\b/, 'and not in root\'s group';
}
is $host->input('echo small')->{json}{result}, 'small', 'it serves';
my $victim = $host->kill_worker;
ok wait_for(5, sub { my @w = $host->workers; @w == 2 && !grep { $_ == $victim } @w }),
    'a dead worker is replaced';
$host->stop;

my $again = CoHost->start(dir => "$dir", workers => 1,
	args => ['--user', 'nobody']);
is $again->http(GET => '/health')->{status}, 200, 'it starts a second time';
$again->stop;
done_testing;
