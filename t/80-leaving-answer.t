#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A server that leaves before a turn has ended does not tell its client to send the input
# again: the turn goes on when there is a server again, and its session has the result.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Test::More;

for my $workers (1, 4) {
	my $dir = CoHost::directory();
	my $host = CoHost->start(dir => "$dir", workers => $workers,
		args => ['-o', 'drain_timeout=1']);
	my $c = $host->client;
	$c->send(POST => '/input', {}, { prompt => 'sleep 6000', session => { session_id => 'left' } });
	wait_for(5, sub { $host->metric('cohostd_runs') == 1 }) or die 'no turn runs';
	$host->signal('TERM');
	my $r = $c->reply;
	is $r->{status}, 500, "-w $workers: the client is told that the turn has not ended";
	like $r->{json}{error}, qr/session left/, "-w $workers: where its result will be";
	ok !$r->{json}{data}{retryable}, "-w $workers: and not to try again";
	is $host->wait_exit, 0, "-w $workers: the server ends well";

	$host = CoHost->start(dir => "$dir", workers => $workers);
	my $session;
	ok wait_for(20, sub {
		$session = $host->http(GET => '/sessions/left')->{json};
		return ($session->{status} // '') eq 'done';
	}), "-w $workers: the next server ends the turn";
	is $session->{result}, 'Slept 6000 ms.', "-w $workers: with its result";
	$host->stop;
}
done_testing;
