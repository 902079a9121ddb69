#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The smallest output_limit cuts nobody who reads.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(args => ['-o', 'output_limit=65536', '-o', 'journal_events=20000']);
for my $n (10, 1000, 5000) {
	my $ws = $host->ws(session => {});
	$ws->send_json({ type => 'INPUT', prompt => "stream $n" });
	my $n_steps = 0;
	while (defined(my $text = $ws->next_text(10))) {
		$n_steps++ if $text =~ /^\{"type":"tool_result"/;
		last if $text =~ /^\{"type":"OUTPUT"/;
	}
	is $n_steps, $n, "$n steps are sent as fast as they are read";
	is $ws->closed, undef, "$n steps are sent on one connection";
	$ws->close;

	my $c = $host->client;
	$c->send(GET => '/sessions/' . $ws->session_id . '/events?from=0');
	$c->head;
	$n_steps = 0;
	while (my $e = $c->event) { $n_steps++ if $e->{type} eq 'tool_result' }
	is $n_steps, $n, "$n steps are sent as an event stream";
}
my $ws = $host->ws(session => {});
my $end = ($ws->turn('echo ' . 'x' x 500_000))[-1];
is $end && length $end->{result}, 500_000, 'one frame may be larger than the output limit';
is $host->metric('cohostd_slow_readers_total'), 0, 'no reader is counted as slow';
$host->stop;
done_testing;
