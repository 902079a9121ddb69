#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A client of the agent server that does not read is closed; it comes back with the number of
# the last event it has, and has lost nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use AgentServer;
use CoHost qw(wait_for);
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Test::More;

my $host = CoHost->start(workers => 2, args => ['-o', 'output_limit=1048576',
	'-o', 'slow_reader_timeout=1', '-o', 'journal_events=1000000', '-o', 'journal_bytes=1073741824']);
my $slow = AgentServer->create($host);
$slow->socket(session => 'after_seq=-1', sockopts => [[SOL_SOCKET, SO_RCVBUF, 65536]]);
$slow->say('stream 5000', run => 1);
ok wait_for(30, sub { $host->metric('cohostd_slow_readers_total') }),
    'O7: a client that does not read is counted';
my @got;
while (my $f = $slow->next) { push @got, $f->{seq} if $f->{type} eq 'durable' }
# The close follows what it had not read; if that takes it 5 seconds more, it is cut instead.
like $slow->ws->closed, qr/^(?:1013|1006)$/, 'O7: a client that does not read is closed';
my $rest = AgentServer->known($host, $slow->id)->socket(session => "after_seq=$got[-1]");
$rest->until_status('finished');
push @got, map { $_->{seq} } grep { $_->{type} eq 'durable' } $rest->frames;
is scalar(grep { $got[$_] != $_ } 0 .. $#got), 0, 'O7: a slow consumer that comes back has no gap';
is $got[-1] + 1, $slow->api(GET => '/events/count')->{body}, 'O7: a slow consumer gets all events';
$host->stop;
done_testing;
