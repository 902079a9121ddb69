#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# USR1 opens the logs again, as logrotate asks.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for);
use Test::More;

my $host = CoHost->start;
my $log = $host->log;
ok wait_for(5, sub { -s $log }), 'a log is written';
rename $log, "$log.1" or die "rename: $!";
$host->signal('USR1');
ok wait_for(5, sub { -e $log }), 'USR1 makes a new log';

my $victim = $host->kill_worker;
ok wait_for(5, sub { read_file($log) =~ /\b$victim\b/ }),
    'the master writes to the new log';
my $size = -s "$log.1";
ok wait_for(5, sub { scalar($host->workers) == 4 }), 'all workers run';

# Every worker must have let go of the old file.
my @holders = grep {
	my $pid = $_;
	grep { (readlink($_) // '') eq "$log.1" } glob "/proc/$pid/fd/*";
} $host->pid, $host->workers, $host->keepers;
is "@holders", '', 'no process holds the old file';
is -s "$log.1", $size, 'the old log no longer grows';

my ($agent_log) = glob $host->dir . '/.co/logs/*.log';
ok $agent_log, 'the agent has a log of its own';
$host->input('echo before');
rename $agent_log, "$agent_log.old";
$host->signal('USR1');
ok wait_for(5, sub {
	$host->input('echo after the turn of the log');
	return -s $agent_log;
}), 'USR1 makes a new agent log';
$host->stop;
done_testing;
