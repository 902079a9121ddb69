#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# TTIN, TTOU and WINCH change the number of workers as gunicorn's do.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use POSIX qw(setsid);
use Test::More;

setsid(); # no terminal, or WINCH is ignored
my $host = CoHost->start(workers => 2);

sub are_workers {
	my ($n) = @_;
	return wait_for(20, sub { $host->workers == $n });
}

$host->signal('TTIN');
ok are_workers(3), 'TTIN starts one more worker';
$host->signal('TTOU');
ok are_workers(2), 'TTOU ends a worker';

my $ws = $host->ws(session => { session_id => 'held' });
$ws->send_json({ type => 'INPUT', prompt => 'stream 20 50' });
ok $ws->next(type => 'tool_call'), 'a turn runs';
my @old = $host->workers;
$host->signal('TTOU');
ok are_workers(1), 'TTOU ends a worker while turns run';
$host->signal('TTOU');
ok wait_for(10, sub { $host->words =~ /TTOU: 1 worker from now on\n(?s:.*)TTOU: 1 worker from now on/ }),
    'TTOU for the last worker is answered in the log';
is scalar($host->workers), 1, 'the last worker stays';
ok wait_for(20, sub {
	my $r = $host->http(GET => '/sessions/held')->{json};
	return ($r->{result} // '') eq 'Streamed 20 steps.';
}), 'a turn ends well although a worker was taken away';

$host->signal('WINCH');
ok are_workers(0), 'WINCH ends all workers';
ok kill(0, $host->pid), 'the master goes on without workers';
is $host->keepers, 1, 'the keeper goes on without workers';
my $client = $host->client;
$client->send(GET => '/health');
$host->signal('TTIN');
ok are_workers(1), 'TTIN starts a worker after WINCH';
is $client->reply->{status}, 200, 'a client that came without workers is answered by the next one';
$host->signal('HUP');
ok are_workers(2), 'HUP brings back the number of the settings';
$host->stop;
done_testing;
