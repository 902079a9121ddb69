#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Two servers never share one project directory.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(workers => 2);
my $second = CoHost->start(dir => $host->dir, workers => 2, fails => 1);
ok !$second->read_ready(10), 'the second does not serve';
my $status = $second->wait_exit(10);
ok $status && $status < 128, 'it ends badly, of its own will';
like $host->words, qr/already|in use|another co-hostd/i, 'and says why';
like $host->words, qr/stop it, or serve another project directory \(-d\)/,
    'the second names the ways out';

is $host->input('echo mine')->{json}{result}, 'mine', 'the first serves on';
is scalar($host->workers), 2, 'with its workers';
kill KILL => $host->pid;
$host->wait_exit;

my $third = CoHost->start(dir => $host->dir, workers => 2);
is $third->http(GET => '/health')->{status}, 200,
    'one that was killed is in nobody\'s way';
$third->stop;
done_testing;
