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
is $r->{status}, 200, 'GET /docs is answered';
is $r->{header}{'content-type'}, 'text/html; charset=utf-8', '/docs is sent as HTML';
ok !exists $r->{header}{'access-control-allow-origin'}, '/docs has no CORS headers';
like $r->{body}, qr/<title>/, 'the page has a title';
like $r->{body}, qr{/ws}, 'the page opens /ws';
like $r->{body}, qr/INPUT/, 'the page sends INPUT';
unlike $r->{body}, qr{(?:src|href)="https?://}, 'the page loads nothing from elsewhere';

# Nobody shows it in a page of his own, and it runs and loads what is its own.
my %header = %{ $r->{header} };
is $header{'x-frame-options'}, 'DENY', 'X-Frame-Options forbids frames around the page';
is $header{'x-content-type-options'}, 'nosniff', 'the page forbids content sniffing';
is $header{'referrer-policy'}, 'no-referrer', 'the page sends no referrer';
my $policy = $header{'content-security-policy'};
like $policy, qr/(?:^|; )\Q$_\E(?:;|$)/, "the content security policy has $_"
    for "default-src 'none'", 'img-src data:', "base-uri 'none'", "form-action 'none'",
    "frame-ancestors 'none'", "connect-src 'self' ws://localhost wss://localhost";
unlike $policy, qr/unsafe/, 'the content security policy allows nothing unsafe';
my ($nonce) = $policy =~ /script-src 'nonce-([0-9a-f]{32})'/;
is_deeply [$r->{body} =~ /<(script|style) nonce="\Q$nonce\E">/g], [qw(style script)],
    'script and style have the nonce of the reply';
isnt $host->http(GET => '/docs')->{header}{'content-security-policy'}, $policy,
    'each reply to GET /docs has a nonce of its own';
$r = $host->http(GET => '/docs', { host => q(127.0.0.1 'unsafe-inline'; x) });
is $r->{header}{'content-security-policy'} =~ /connect-src ([^;]*);/ ? $1 : '', q('self'),
    'an odd Host does not get into the content security policy';

cmp_ok length $r->{body}, '<', 100_000, 'the page is smaller than 100 kB';
$host->stop;
done_testing;
