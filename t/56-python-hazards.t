#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What a Python file made when it was loaded, and a fork must not copy: connections, threads,
# processes, files, locks. Each turn gets its own answers, whatever the state.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Hazards;
use PyAgent;
use Test::More;

PyAgent->need('numpy', 'grpc');
my $hazards = Hazards->new;

my @all = qw(channel client database file grpc guarded loop process worker);
my @harmless = qw(free number numpy);

for my $workers (1, 4) {
	my $host = $hazards->start('shared', $workers, [@all, @harmless]);
	Hazards::are_answered($host, "shared, -w $workers", @all, @harmless);
	$host->stop;

	$host = $hazards->start('isolated', $workers, \@harmless);
	Hazards::are_answered($host, "isolated, -w $workers", @harmless);
	$host->stop;
}
done_testing;
