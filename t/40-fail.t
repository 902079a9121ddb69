#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# An agent that fails: one ERROR with a fixed text and a reason word.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start;
my @clients = map { $host->ws(session => { session_id => 'fails' }) } 1 .. 4;
$clients[0]->send_json({ type => 'INPUT', prompt => 'fail the secret is 1234' });
for my $c (@clients) {
	my $f = $c->next(type => ['OUTPUT', 'ERROR']);
	is $f->{type}, 'ERROR', 'every client is told';
	is $f->{code}, -32603, 'with a code';
	is $f->{message}, 'Unable to run agent', 'in fixed words';
	is $f->{reason}, 'failed', 'and a reason';
	unlike(JSON::PP->new->encode($f), qr/1234/, 'without the agent\'s own text');
}
like $host->words . join('', map { CoHost::read_file($_) } glob $host->dir . '/.co/logs/*'),
    qr/1234/, 'which a log has';
is $host->http(GET => '/sessions/fails')->{json}{status}, 'failed', 'the record says so';
is +($clients[1]->turn('echo go on'))[-1]{result}, 'go on', 'the session goes on';
is $host->http(GET => '/sessions/fails')->{json}{status}, 'done', 'and its record';
$host->stop;
done_testing;
