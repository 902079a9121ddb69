#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The page opens in a real browser, from a server with several workers.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Page;
use Test::More;

Page::needs_browser();
my $host = CoHost->start(workers => 4);
Page::story('open', $host);
$host->stop;
done_testing;
