#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Signals for the master end nothing: not a start that is under way, not a worker.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Fcntl qw(O_NONBLOCK O_WRONLY);
use POSIX qw(mkfifo);
use Test::More;

# Its settings come from a pipe: it reads them until we close it.
my $dir = CoHost::directory();
my $yaml = "$dir/.co/host.yaml";
mkfifo $yaml, 0600 or die "mkfifo: $!";
my $host = CoHost->start(dir => "$dir", workers => 2, fails => 1);
my $pipe;
$SIG{PIPE} = 'IGNORE'; # a write to one that died is told by its silence
ok wait_for(20, sub { sysopen $pipe, $yaml, O_WRONLY | O_NONBLOCK }),
    'it reads its settings';
my @signals = qw(HUP USR1 USR2);
$host->signal($_) for @signals;
syswrite $pipe, "name: patient\n";
close $pipe;
ok $host->read_ready(20), 'it serves, whatever signals came meanwhile';
is $host->http(GET => '/health')->{json}{agent}, 'patient', 'as it should';
like $host->words, qr/reload: starting.*ignored/, 'HUP came too early';
like $host->words, qr/logs opened again/, 'USR1 did not';

my @before = ($host->workers, $host->keepers);
for my $signal (@signals) {
	kill $signal => @before;
}
is $host->input('echo well')->{json}{result}, 'well',
    'sent to all by mistake they harm nobody';
is_deeply [$host->workers, $host->keepers], \@before, 'who lived, lives';
$host->stop;
done_testing;
