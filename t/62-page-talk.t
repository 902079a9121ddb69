#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The page in a real browser: from the first visit to the first answer, questions, two tabs and
# a phone, on a server with several workers.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Page;
use Test::More;

Page::needs_browser();
my $host = CoHost->start(workers => 4);
Page::story('talk', $host);
Page::story('tabs', $host);
$host->stop;
done_testing;
