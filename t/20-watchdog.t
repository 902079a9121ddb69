#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# WATCHDOG=1 goes to the service manager only while all workers have a heartbeat.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use IO::Socket::UNIX;
use Socket qw(SOCK_DGRAM);
use Test::More;

my $dir = CoHost::directory();
my $manager = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "$dir/notify") or die $!;
$manager->blocking(0);

# The notifications that have come since the last call.
sub heard {
	my $n = 0;
	while (defined $manager->recv(my $text, 4096)) { $n += $text =~ /^WATCHDOG=1$/m }
	return $n;
}

my $host = CoHost->start(dir => "$dir", workers => 2, args => ['-o', 'hang_timeout=0'],
	env => { NOTIFY_SOCKET => "$dir/notify", WATCHDOG_USEC => 1_000_000 });
ok wait_for(20, sub { heard() }), 'the service manager is notified while the workers run';
my ($worker) = $host->workers;
kill STOP => $worker;
ok wait_for(20, sub { $host->words =~ /watchdog: no worker serves, or one hangs/ }),
    'the log says why the service manager is not notified';
heard();
ok !wait_for(0.5, sub { heard() }), 'the service manager is not notified while a worker hangs';
kill CONT => $worker;
ok wait_for(20, sub { heard() }), 'the service manager is notified when the worker runs again';
$host->stop;
done_testing;
