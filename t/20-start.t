#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# One command: workers, a banner, an address, and a server that is ready.
use strict;
use utf8;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file);
use Test::More;

my $host = CoHost->start(yaml => "name: greeter\n");

is scalar($host->workers), 4, 'four workers run';
is scalar($host->keepers), 1, 'and one keeper';
cmp_ok $host->{ready_s}, '<', 5, "ready after $host->{ready_s} s";
is $host->http(GET => '/health')->{status}, 200, 'the first request is answered';
is $host->http(GET => '/readyz')->{status}, 200, 'it says it is ready';

my $words = $host->words;
my $port = $host->port;
my $address = $host->http(GET => '/info')->{json}{address};
like $words, qr/\[agent\] ─+\n\s+greeter\n\s+\S+ • \d+ tools/,
    'the banner tells of the agent';
like $words, qr/\[host\]  ─+\n\s+http:\S+:$port\n\s+POST \/input · WS \/ws · GET \/docs/,
    'and where it is';
like $words, qr/0x[0-9a-f]{8}/, 'with an address';
like $address, qr/^0x[0-9a-f]{64}$/, 'which /info tells whole';
like $words, qr{config: \S+/\.co/host\.yaml}, 'it names its configuration';
like $words, qr{logs: \S+/\.co/logs}, 'and the logs';
like $words, qr/Waiting for tasks\.\.\./, 'it waits for tasks';
unlike $words, qr/relay|chat\.openonion/, 'it tells nothing of a relay';

my $mode = sub { sprintf '%04o', (stat $host->dir . "/$_[0]")[2] & 07777 };
ok -d $host->dir . '/.co/keys', '.co/keys is there';
is $mode->('.co/keys/agent.key'), '0600', 'its key is for its owner alone';
ok -d $host->dir . '/.co/logs', '.co/logs is there';
$host->stop;

my $again = CoHost->start(dir => $host->dir, workers => 1);
is $again->http(GET => '/info')->{json}{address}, $address,
    'the address stays the same over a restart';
$again->stop;
done_testing;
