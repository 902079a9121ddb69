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
ok !$second->read_ready(10), 'a second server on the same project does not serve';
my $status = $second->wait_exit(10);
ok $status && $status < 128, 'the second server ends with an error of its own';
like $host->words, qr/already|in use|another co-hostd/i,
    'the second server says that the project is in use';
like $host->words, qr/stop it, or serve another project directory \(-d\)/,
    'the second server says what can be done';

is $host->input('echo mine')->{json}{result}, 'mine', 'the first server goes on serving';
is scalar($host->workers), 2, 'the first server keeps its workers';
kill KILL => $host->pid;
$host->wait_exit;

my $third = CoHost->start(dir => $host->dir, workers => 2);
is $third->http(GET => '/health')->{status}, 200,
    'a server can start after the last one was killed';
$third->stop;
done_testing;
