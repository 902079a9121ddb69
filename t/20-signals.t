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
    'a starting master reads its settings';
my @signals = qw(HUP USR1 USR2);
$host->signal($_) for @signals;
syswrite $pipe, "name: patient\n";
close $pipe;
ok $host->read_ready(20), 'the server starts whatever signals came meanwhile';
is $host->http(GET => '/health')->{json}{agent}, 'patient',
    'the server has read its settings in spite of the signals';
like $host->words, qr/reload: ignored while starting/, 'HUP is ignored while starting';
like $host->words, qr/logs reopened/, 'USR1 opens the logs again while starting';

my @before = ($host->workers, $host->keepers);
for my $signal (@signals) {
	kill $signal => @before;
}
is $host->input('echo well')->{json}{result}, 'well',
    "the master's signals sent to workers and keepers harm nobody";
is_deeply [$host->workers, $host->keepers], \@before,
    "no worker or keeper ended by the master's signals";
$host->stop;
done_testing;
