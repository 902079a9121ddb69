#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Every state of the page, on phones and desktops, light and dark: what it says, and that
# everybody can use it. The states come from web/test/fixtures, so the server only stands by.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Page;
use Test::More;

Page::needs_browser();
my $host = CoHost->start;
Page::story('scenes', $host);
$host->stop;
done_testing;
