#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A dashboard of Onsembl that does not read while its command writes.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use CoHost qw(wait_for);
use Onsembl;
use Socket qw(SO_RCVBUF SOL_SOCKET);
use Test::More;

$ENV{ONSEMBL_JWT_SECRET} = $Onsembl::SECRET;
my $host = CoHost->start(workers => 2, args => ['-o', 'journal_events=1000',
	'-o', 'slow_reader_timeout=3', '-o', 'journal_bytes=1048576']);

sub slow {
	my $d = Onsembl->dashboard($host, user => 'ann', sockopts => [[SOL_SOCKET, SO_RCVBUF, 4096]]);
	return ($d, $d->next('DASHBOARD_CONNECTED')->{payload}{agents}[0]{agentId});
}

my ($late, $id) = slow();
$late->say(COMMAND_REQUEST => { commandId => 'late', agentId => $id, command => 'think 40000' });
my ($other) = slow();
$other->say(COMMAND_REQUEST => { commandId => 'other', agentId => $id, command => 'think 50' });
ok $other->next('COMMAND_COMPLETE'), 'a dashboard that does not read holds up no other';
ok wait_for(20, sub { $host->metric('cohostd_runs_done_total') > 1 }),
    'a command goes on though its dashboard does not read';
my @all = $late->until('COMMAND_COMPLETE', { timeout => 60 });
my $output = Onsembl::output('late', @all);
like $output, qr/^\[co-hostd: \d+ events are missing here: they were not read in time\]$/m,
    'a dashboard that reads late is told how many events it has missed';
ok $host->metric('cohostd_onsembl_missed_total') > 0, 'events that a dashboard has missed are counted';

my ($never) = slow();
$never->say(COMMAND_REQUEST => { commandId => 'never', agentId => $id, command => 'think 10000000' });
ok wait_for(30, sub { $host->metric('cohostd_slow_readers_total') }),
    'a dashboard that never reads is disconnected, and counted';
$host->signal('QUIT');
is $host->wait_exit, 0, 'the server ends';
done_testing;
