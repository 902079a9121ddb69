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

for (['GET', '/nothing'], ['GET', '/info/'], ['GET', '/ws'], ['POST', '/nothing'],
    ['GET', '/sessions/'], ['GET', '/%68ealth'], ['HEAD', '/nothing']) {
	my $r = $host->http(@$_);
	is $r->{status}, 404, "@$_ is not found";
	is_deeply $r->{json}, { error => q(not found) }, "the reply to @$_ says not found"
	    or diag $r->{body} unless $_->[0] eq 'HEAD';
}
for (['POST', '/health', 'GET, HEAD, OPTIONS'], ['GET', '/input', 'POST, OPTIONS'],
    ['PUT', '/input', 'POST, OPTIONS'], ['HEAD', '/input', 'POST, OPTIONS'],
    ['DELETE', '/sessions', 'GET, HEAD, OPTIONS'], ['POST', '/sessions/x', 'GET, HEAD, PATCH, DELETE, OPTIONS'],
    ['PATCH', '/sessions/x/events', 'GET, HEAD, OPTIONS'], ['POST', '/docs', 'GET, HEAD, OPTIONS']) {
	my ($method, $path, $allow) = @$_;
	my $r = $host->http($method => $path);
	is $r->{status}, 405, "$method $path is not allowed";
	is $r->{header}{allow}, $allow, "the reply to $method $path names the allowed methods";
	is_deeply $r->{json}, { error => 'method not allowed' },
	    "the reply to $method $path has these words" unless $method eq 'HEAD';
}
has_cors($host->http(GET => '/nothing'), 'an error');
has_cors($host->http(GET => '/health'), 'a reply');

my $r = $host->http(OPTIONS => '/anything/at/all');
is $r->{status}, 204, 'OPTIONS is 204 everywhere';
has_cors($r, 'OPTIONS');
is $r->{body}, '', 'the reply to OPTIONS has no body';

my $root = $host->http(GET => '/');
is "$root->{status} $root->{header}{location}", '302 docs', '/ leads to /docs';
is $host->http(HEAD => '/')->{status}, 302, 'HEAD / leads to /docs';
is $host->http(POST => '/')->{status}, 405, 'POST / is not allowed';

# HEAD is GET without its body; what comes next shows that there was none.
$host->input('echo hi', session => { session_id => 'seen' });
for my $path (qw(/health /info /docs /livez /readyz /sessions /sessions/seen)) {
	my $get = $host->http(GET => $path);
	my $c = $host->client;
	$c->send(HEAD => $path);
	$c->send(GET => '/livez');
	my $head = $c->head;
	is $head->{status}, $get->{status}, "HEAD $path has the status of GET";
	is $head->{header}{'content-length'}, length $get->{body},
	    "HEAD $path has the length of the body"
	    unless $path eq '/sessions';
	is $head->{header}{'content-type'}, $get->{header}{'content-type'}, "HEAD $path has its type";
	is $c->reply->{json}{status}, 'alive', "HEAD $path sends no body";
}
my $c = $host->client;
$c->send(HEAD => '/sessions/seen/events?from=0');
$c->send(GET => '/livez');
my $head = $c->head;
is "$head->{status} $head->{header}{'content-type'}", '200 text/event-stream',
    'HEAD of an event stream has its head';
is $c->reply->{json}{status}, 'alive', 'HEAD of an event stream ends at once';

is $host->ws(path => '/ws')->status, 101, '/ws upgrades to a WebSocket';
is $host->ws(path => '/ws?x=1')->status, 101, '/ws upgrades with a query string';
is $host->ws(path => '/wss')->status, 403, 'an upgrade of another path is refused with 403';
is $host->ws(path => '/health')->status, 403,
    'an upgrade of an existing route is refused with 403';
is $host->ws(headers => { origin => 'https://chat.openonion.ai' })->status, 101,
    'an allowed page may upgrade /ws';

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
