#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A turn on a line that breaks at random: one end, and no event lost.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start;
my $seed = $ENV{TEST_SEED} // int rand 2**31;
diag "seed $seed";

my @turns = (
	['stream 60 10', 'Streamed 60 steps.', 122],
	['think 100', 'I thought 100 times.', 104],
	['stream 300', 'Streamed 300 steps.', 602],
	['What is 42 * 17?', 'The result of 42 * 17 is 714.', 7],
	['echo short', 'short', 2],
);
for my $round (0 .. 3) {
	for (@turns) {
		my ($prompt, $want, $n) = @$_;
		my $t = WS->roam($host->address, prompt => $prompt,
			seed => $seed++, cuts => 6, frames => $n);
		is $t->{end}{result}, $want, "$prompt ends well over a line cut $t->{cuts} times";
		is_deeply $t->{problems}, [], "$prompt: replays keep to the protocol";
		is scalar(@{ $t->{events} }), $n, "$prompt: no event is lost"
		    or diag "seed $t->{seed}: " . join ' ', map { $_->{id} } @{ $t->{events} };
		next unless $prompt =~ /^stream (\d+)/;
		is_deeply [map { $_->{args}{i} } grep { $_->{type} eq 'tool_result' }
		    @{ $t->{events} }], [0 .. $1 - 1], "$prompt: events stay in order";
	}
}
is $host->metric('cohostd_runs_done_total'), 4 * @turns, 'each turn on a bad line ran once';
$host->stop;
done_testing;
