#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# /docs is a page that a browser can use.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(workers => 2);
my $r = $host->http(GET => '/docs');
is $r->{status}, 200, 'it is there';
is $r->{header}{'content-type'}, 'text/html; charset=utf-8', 'in HTML';
ok !exists $r->{header}{'access-control-allow-origin'}, 'without CORS';
like $r->{body}, qr/<title>/, 'with a title';
like $r->{body}, qr{/ws}, 'it opens /ws';
like $r->{body}, qr/INPUT/, 'and sends INPUT';
unlike $r->{body}, qr{(?:src|href)="https?://}, 'it needs nothing from elsewhere';
cmp_ok length $r->{body}, '<', 100_000, 'it is small';
$host->stop;
done_testing;
