#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# /docs is the page for people, whatever the client asks for; clients of ConnectOnion expect a
# page there.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(workers => 2);
my $r = $host->http(GET => '/docs');
is $r->{status}, 200, 'GET /docs is answered';
is $r->{header}{'content-type'}, 'text/html; charset=utf-8', '/docs is sent as HTML';
ok !exists $r->{header}{'access-control-allow-origin'}, '/docs has no CORS headers';
like $r->{body}, qr/<title>/, 'the page has a title';
like $r->{body}, qr{<script type="module" src="assets/}, 'the page runs a script of its own';
like $r->{body}, qr{<noscript>.*POST /input}, 'the page says what to use without JavaScript';
unlike $r->{body}, qr{(?:src|href)="https?://}, 'the page loads nothing from elsewhere';
is $r->{body}, $host->http(GET => '/', { accept => 'text/html' })->{body},
    '/docs is the page that browsers get at /';

# Nobody shows it in a page of his own, and it runs and loads what is its own.
my %header = %{ $r->{header} };
is $header{'x-frame-options'}, 'DENY', 'X-Frame-Options forbids frames around the page';
is $header{'x-content-type-options'}, 'nosniff', 'the page forbids content sniffing';
is $header{'referrer-policy'}, 'no-referrer', 'the page sends no referrer';
my $policy = $header{'content-security-policy'};
like $policy, qr/(?:^|; )\Q$_\E(?:;|$)/, "the content security policy has $_"
    for "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
    "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "trusted-types 'none'";
unlike $policy, qr/unsafe/, 'the content security policy allows nothing unsafe';
$r = $host->http(GET => '/docs', { host => q(127.0.0.1 'unsafe-inline'; x) });
is $r->{header}{'content-security-policy'}, $policy,
    'an odd Host does not get into the content security policy';

cmp_ok length $r->{body}, '<', 100_000, 'the page is smaller than 100 kB';
$host->stop;

$host = CoHost->start(workers => 1, args => ['-o', 'web=false']);
is $host->http(GET => '/docs')->{status}, 404, '/docs is not found with web: false';
$host->stop;
done_testing;
