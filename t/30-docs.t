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

# Nobody shows it in a page of his own, and it runs and loads what is its own.
my %header = %{ $r->{header} };
is $header{'x-frame-options'}, 'DENY', 'it stands in no frame';
is $header{'x-content-type-options'}, 'nosniff', 'and is HTML alone';
is $header{'referrer-policy'}, 'no-referrer', 'and tells nobody its address';
my $policy = $header{'content-security-policy'};
like $policy, qr/(?:^|; )\Q$_\E(?:;|$)/, "its policy has $_"
    for "default-src 'none'", 'img-src data:', "base-uri 'none'", "form-action 'none'",
    "frame-ancestors 'none'", "connect-src 'self' ws://localhost wss://localhost";
unlike $policy, qr/unsafe/, 'and allows nothing unsafe';
my ($nonce) = $policy =~ /script-src 'nonce-([0-9a-f]{32})'/;
is_deeply [$r->{body} =~ /<(script|style) nonce="\Q$nonce\E">/g], [qw(style script)],
    'script and style have the nonce of the reply';
isnt $host->http(GET => '/docs')->{header}{'content-security-policy'}, $policy,
    'which is another one each time';
$r = $host->http(GET => '/docs', { host => q(127.0.0.1 'unsafe-inline'; x) });
is $r->{header}{'content-security-policy'} =~ /connect-src ([^;]*);/ ? $1 : '', q('self'),
    'an odd Host does not get into it';

cmp_ok length $r->{body}, '<', 100_000, 'it is small';
$host->stop;
done_testing;
