#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Wrappers run commands of dashboards while workers are stopped (SIGSTOP). One that stays so for
# longer than hang_timeout is killed, and its wrappers and dashboards come back to others; one that
# does not goes on ("make soak-onsembl" with SOAK_STOP_EVERY is longer).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use OnsStory;
use Onsembl;
use Test::More;

local $ENV{ONSEMBL_JWT_SECRET} = $Onsembl::SECRET;
for my $story ({ hang_timeout => 2, stop_s => 20 }, { hang_timeout => 30, stop_s => 2 }) {
	my ($hang, $stop) = @$story{qw(hang_timeout stop_s)};
	my $host = CoHost->start(workers => 4, args => ['-o', "hang_timeout=$hang"]);
	my $r = OnsStory::run($host, wrappers => 5, dashboards => 3, seconds => 4, stop_every => 1.5,
		stop_s => $stop);
	my $killed = $host->metric('cohostd_hung_total');
	diag "$r->{commands} commands, $r->{shown} lines, $r->{stops} stops, $r->{returns} returns, $killed killed";
	cmp_ok $r->{stops}, '>', 0, "a worker is stopped for $stop s";
	cmp_ok $killed, '>', 0, "a worker that is stopped for $stop s is killed" if $stop > $hang;
	is_deeply $r->{problems}, [], "with a worker that is stopped for $stop s, each line comes once and "
	    . 'in order to its dashboard only, and each command runs once';
	$host->stop;
}
done_testing;
