#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# HTML of the agent is shown in a frame that keeps it apart.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Page;
use Test::More;

Page::needs_browser();
my $host = CoHost->start(workers => 1);
Page::story('frame', $host);
$host->stop;
done_testing;
