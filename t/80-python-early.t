#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Agents of early versions of the package.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/clients";

use Clients;
use CoHost;
use PyAgent;
use Test::More;

my %python = Clients::early()
    or CoHost::lacks('no early versions of connectonion (t/clients/install)');

for my $v (sort keys %python) {
	local $ENV{CO_TEST_PYTHON} = $python{$v};
	my $host = PyAgent->start('early.py', workers => 1);
	my $ws = $host->ws;
	is +($ws->turn('hello'))[-1]{result}, 'hello (1 so far, 0 images)', "$v: a turn";
	is +($ws->turn('and more'))[-1]{result}, 'and more (2 so far, 0 images)',
	    "$v: goes on in the next";
	$host->stop;
}
done_testing;
