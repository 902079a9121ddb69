#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The page in a real browser loses nothing and doubles nothing: reloads, a network that is cut,
# workers that are killed, and a server that is restarted.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Page;
use Test::More;

Page::needs_browser();
my $dir = CoHost::directory();
my $host = CoHost->start(dir => $dir, workers => 4);

# On the same port, as the page expects.
sub restart {
	my $port = $host->port;
	$host->stop;
	$host = CoHost->start(dir => $dir, workers => 4, port => $port);
	return 1;
}

Page::story('lines', $host, restart => \&restart, kill_worker => sub { $host->kill_worker });
$host->stop;
done_testing;
