#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The limits on requests and on turns that run hold for the routes of an agent, and for
# every other route that does something, as they do for POST /input.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file);
use PyAgent;
use Test::More;

PyAgent->need;

# A client of the address that a proxy speaks for.
sub from { return ('x-forwarded-for' => "192.0.2.$_[0]") }

my $host = PyAgent->start('routes.py', workers => 1,
	yaml => "limit_peer_requests: 3\ntrusted_proxies: 127.0.0.1\n");
ok wait_for(20, sub { $host->http(GET => '/readyz')->{status} == 200 }),
    'a server whose agent is loaded is ready';
my $at = 0;
for my $target ('/public/hello/a', '/public/none', '/contacts/secret', '/admin/none', '/info',
    '/docs', '/metrics', '/sessions', '/sessions/x', '/sessions/x/events', '/admin/logs') {
	$at++;
	my @got = map { $host->http(GET => $target, { from($at) })->{status} } 1 .. 5;
	isnt $got[0], 429, "GET $target is answered";
	is $got[-1], 429, "GET $target counts as a request of its address" or diag "@got";
	is $host->http(GET => $_, { from($at) })->{status}, 200, "$_ is answered after GET $target"
	    for '/health', '/livez', '/readyz';
}
$host->stop;

# Begin a request to the route that waits; its connection.
sub waiting {
	my ($host, %header) = @_;
	my $c = $host->client;
	$c->send(GET => '/public/wait?dir=' . $host->dir, \%header);
	ok wait_for(20, sub { -e $host->dir . '/runs' }), 'a route of the agent runs';
	return $c;
}

$host = PyAgent->start('routes.py', workers => 1,
	yaml => "limit_peer_runs: 1\ntrusted_proxies: 127.0.0.1\n");
my $c = waiting($host, from(1));
my $r = $host->http(GET => '/public/hello/b', { from(1) });
is $r->{status}, 429, 'a second call of a route at the limit of its address is refused';
is $r->{json}{error}, 'too many turns at once: 1 from one address; retry when one has ended',
    'the refusal of a second call has its reason';
is $host->http(POST => '/input', { from(1) }, { prompt => 'calculate 1+1' })->{status}, 429,
    'a turn is refused as well while a route runs for its address';
is $host->http(GET => '/public/hello/b', { from(2) })->{status}, 200,
    'a call of a route from another address is answered';
write_file($host->dir . '/go', '');
is $c->reply->{body}, 'went', 'the first call of a route ends';
is $host->http(GET => '/public/hello/b', { from(1) })->{status}, 200,
    'an ended call of a route makes room';
$host->stop;

$host = PyAgent->start('routes.py', workers => 1, yaml => "max_runs: 1\n");
$c = waiting($host);
$r = $host->http(GET => '/public/hello/b');
is $r->{status}, 503, 'a second call of a route above max_runs is refused';
like $r->{json}{error}, qr/max_runs/, 'the refusal of a second call names max_runs';
is $host->http(POST => '/input', {}, { prompt => 'calculate 1+1' })->{status}, 503,
    'a turn is refused while a route takes the last place of max_runs';
write_file($host->dir . '/go', '');
is $c->reply->{body}, 'went', 'the call ends';
is $host->http(POST => '/input', {}, { prompt => 'calculate 1+1' })->{json}{result}, '2',
    'an ended call of a route makes room for a turn';
$host->stop;
done_testing;
