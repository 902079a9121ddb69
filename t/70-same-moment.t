#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# One named input reaches several workers in the same moment: one turn.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Test::More;

my $host = CoHost->start;
my $n_runs = 0;
for my $round (1 .. 30) {
	my @http = map { $host->client } 1 .. 6;
	my @ws = map { $host->ws(session => { session_id => "r$round" }) } 1 .. 3;
	my $post = HTTP::request_text(POST => '/input', {}, { prompt => 'echo once',
		input_id => "same-$round", session => { session_id => "r$round" } });
	my $frame = WS::frame(WS::TEXT, qq({"type":"INPUT","prompt":"echo once",)
	    . qq("input_id":"same-$round"}));
	$_->write($post) for @http;
	$_->send_raw($frame) for @ws;
	my @results = map { $_->reply->{json}{result} // 'none' } @http;
	push @results, map { $_->next(type => ['OUTPUT', 'ERROR'])->{result} // 'none' } @ws;
	my $n = grep { $_ eq 'once' } @results;
	$n_runs++;
	next if $n == 9 && $round < 30;
	is $n, 9, "round $round: all nine have the one result" or diag "@results";
	last if $n != 9;
}
is $host->metric('cohostd_runs_done_total'), $n_runs,
    'each of the inputs sent at the same moment ran once';
# A client may see the end before its own repeat has been looked at.
wait_for(5, sub { $host->metric('cohostd_dedup_hits_total') >= 8 * $n_runs });
is $host->metric('cohostd_dedup_hits_total'), 8 * $n_runs, 'eight of nine were repeats';

# Different bodies under one name: one wins, the others are refused.
for my $round (1 .. 10) {
	my @http = map { $host->client } 1 .. 6;
	$http[$_]->send(POST => '/input', {}, { prompt => "echo $_",
		input_id => "fight-$round" }) for 0 .. 5;
	my @status = sort map { $_->reply->{status} } @http;
	is_deeply \@status, [200, (422) x 5], 'one of six different inputs with one name wins';
}
$host->stop;
done_testing;
