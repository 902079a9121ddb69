#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Routes, methods, CORS and upgrades: what is not there is 404 in JSON.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(workers => 2);
my @cors = ('access-control-allow-origin', 'access-control-allow-methods',
	'access-control-allow-headers');

sub has_cors {
	my ($r, $what) = @_;
	is $r->{header}{$cors[0]}, '*', "$what: any origin";
	is $r->{header}{$cors[1]}, 'GET, POST, OPTIONS', "$what: methods";
	like $r->{header}{$cors[2]}, qr/\b$_\b/, "$what: $_"
	    for qw(authorization content-type x-co-from x-co-signature
	        x-co-timestamp x-co-to x-co-request-id);
}

for (['GET', '/'], ['GET', '/nothing'], ['GET', '/info/'], ['POST', '/health'],
    ['GET', '/input'], ['PUT', '/input'], ['DELETE', '/sessions'], ['GET', '/ws'],
    ['GET', '/sessions/'], ['GET', '/%68ealth'], ['POST', '/sessions/x']) {
	my $r = $host->http(@$_);
	is $r->{status}, 404, "@$_ is not found";
	is_deeply $r->{json}, { error => q(not found) }, q(in so many words)
	    or diag $r->{body};
}
has_cors($host->http(GET => '/nothing'), 'an error');
has_cors($host->http(GET => '/health'), 'a reply');

my $r = $host->http(OPTIONS => '/anything/at/all');
is $r->{status}, 204, 'OPTIONS is 204 everywhere';
has_cors($r, 'OPTIONS');
is $r->{body}, '', 'with nothing in it';

my $c = $host->client;
$c->send(HEAD => '/health', { connection => 'close' });
is $c->head->{status}, 404, 'HEAD is unknown';

is $host->ws(path => '/ws')->status, 101, '/ws upgrades';
is $host->ws(path => '/ws?x=1')->status, 101, 'also with a query';
is $host->ws(path => '/wss')->status, 403, 'another path does not: 403';
is $host->ws(path => '/health')->status, 403, 'even one that exists';
is $host->ws(headers => { origin => 'https://chat.openonion.ai' })->status, 101,
    'also for a page that is allowed';

$c = $host->client;
for my $n (1 .. 20) {
	$c->send(GET => '/health');
	my $r = $c->reply;
	is $r->{status}, 200, "request $n on one connection" if $n == 20;
}
$c->write(HTTP::request_text(GET => '/health') x 3);
is_deeply [map { $c->reply->{status} } 1 .. 3], [200, 200, 200],
    'pipelined requests are answered in order';
$host->stop;
done_testing;
