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
	is $f->{type}, 'ERROR', 'a failed turn ends in an ERROR for every client';
	is $f->{code}, -32603, 'the ERROR of a failed turn has a code';
	is $f->{message}, 'Unable to run agent', 'the ERROR of a failed turn has fixed words';
	is $f->{reason}, 'failed', 'the ERROR of a failed turn has the reason failed';
	unlike(JSON::PP->new->encode($f), qr/1234/,
	    "the ERROR of a failed turn does not show the agent's own text");
}
like $host->words . join('', map { CoHost::read_file($_) } glob $host->dir . '/.co/logs/*'),
    qr/1234/, "a log has the agent's own text";
is $host->http(GET => '/sessions/fails')->{json}{status}, 'failed',
    'the record of a failed turn is failed';
is +($clients[1]->turn('echo go on'))[-1]{result}, 'go on',
    'a session takes inputs after a failed turn';
is $host->http(GET => '/sessions/fails')->{json}{status}, 'done',
    'the record of the next turn is done';
$host->stop;
done_testing;
