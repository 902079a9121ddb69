#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Which web pages may use a server that their visitor reaches on loopback or in a private
# network: not those of other origins, and none by a foreign Host.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(run);
use JSON::PP ();
use Test::More;

my $EVIL = 'https://evil.example';
my %cross = ('sec-fetch-site' => 'cross-site', 'sec-fetch-mode' => 'no-cors',
	'sec-fetch-dest' => 'empty');

sub status_is {
	my ($host, $status, $header, $what, @request) = @_;
	@request = (GET => '/info') unless @request;
	my $r = $host->http(@request[0, 1], $header, $request[2]);
	is $r->{status}, $status, $what;
	return $r;
}

sub ws_status { my ($host, %header) = @_; return $host->ws(headers => \%header)->status }

for my $workers (1, 4) {
	my $host = CoHost->start(workers => $workers);
	my $own = $host->url;
	my $w = "-w $workers";

	# Every route, and what it would have done is not done.
	my @requests = (
		[GET => '/info'], [GET => '/health'], [GET => '/metrics'], [GET => '/docs'],
		[GET => '/sessions'], [GET => '/sessions/x'], [GET => '/sessions/x/events'],
		[GET => '/admin/logs'], [GET => '/'], [GET => '/nothing'], [OPTIONS => '/input'],
		[POST => '/input', { prompt => 'echo x', session => { session_id => 'evil' } }],
		[POST => '/admin/trust/block', {}], [GET => '/public/x'],
	);
	for (@requests) {
		my $r = status_is($host, 403, { origin => $EVIL, 'content-type' => 'text/plain' },
			"$w: a foreign Origin: $_->[0] $_->[1]", @$_);
		like $r->{json}{error}, qr/"$EVIL".*allowed_origins/,
		    "$w: the refusal of a foreign Origin names allowed_origins: $_->[0] $_->[1]";
		ok !exists $r->{header}{'access-control-allow-origin'},
		    "$w: a page of a foreign Origin cannot read the answer: $_->[0] $_->[1]";
		status_is($host, 403, \%cross, "$w: cross-site without Origin: $_->[0] $_->[1]", @$_)
		    if $_->[0] eq 'GET';
	}
	is $host->http(GET => '/sessions/evil')->{status}, 404, "$w: no turn was begun";
	for ([origin => $EVIL], [origin => 'null'], [origin => ''],
	    [origin => $EVIL, host => 'evil.example'], [%cross]) {
		my %header = @$_;
		is ws_status($host, %header), 403, "$w: no WebSocket for "
		    . join(' ', map { "$_: $header{$_}" } sort keys %header);
	}
	my $vouched = status_is($host, 403, { origin => $EVIL, 'x-forwarded-for' => '8.8.8.8' },
		"$w: behind a proxy that is not trusted");
	like $vouched->{json}{error}, qr/trusted_proxies/,
	    "$w: behind an untrusted proxy, the refusal names trusted_proxies";

	# What does nothing and tells nothing.
	status_is($host, 200, { origin => $EVIL, host => 'evil.example' },
		"$w: $_ answers everybody", GET => $_) for qw(/livez /readyz);
	my %visit = (%cross, 'sec-fetch-mode' => 'navigate', 'sec-fetch-dest' => 'document');
	status_is($host, 200, \%visit, "$w: a link to /docs may be followed", GET => '/docs');
	status_is($host, 403, { %visit, 'sec-fetch-dest' => 'iframe' },
		"$w: but not shown inside another page", GET => '/docs');
	status_is($host, 403, { %visit, host => 'evil.example' },
		"$w: nor reached by a foreign name", GET => '/docs');
	status_is($host, 403, { %visit, origin => $EVIL }, "$w: nor with a foreign Origin",
		GET => '/docs');
	status_is($host, 403, \%visit, "$w: a link to what tells something may not",
		GET => '/sessions');

	# A Host that is not ours.
	my $r = status_is($host, 403, { host => 'evil.example:8000', origin => 'http://evil.example:8000' },
		"$w: a page by a foreign Host, its own origin");
	like $r->{json}{error}, qr/"evil\.example:8000".*allowed_hosts/,
	    "$w: the refusal of a foreign Host names allowed_hosts";
	status_is($host, 403, { host => 'evil.example', "sec-fetch-$_->[0]" => $_->[1] },
		"$w: a foreign Host with Sec-Fetch-$_->[0]")
	    for [site => 'same-origin'], [site => 'none'], [dest => 'empty'], [user => '?1'];
	$host->input('echo x', session => { session_id => 'secret' });
	like status_is($host, 200, {}, "$w: a local user sees the sessions", GET => '/sessions')->{body},
	    qr/secret/, "$w: a local user sees all sessions";
	status_is($host, 401, { host => 'evil.example' },
		"$w: a foreign Host alone takes the privileges of loopback", GET => '/sessions');
	status_is($host, 200, { host => 'evil.example' }, "$w: and nothing else");
	status_is($host, 200, { host => 'evil.example', 'sec-fetch-mode' => 'cors' },
		"$w: fetch() of Node is no page");
	is $host->http(GET => '/sessions', { host => $_ })->{status}, 200, "$w: $_ is ours"
	    for 'localhost', 'LOCALHOST.:1', 'a.localhost', '[::1]:80', '203.0.113.1';

	# As ever.
	status_is($host, 200, {}, "$w: who sends no Origin");
	status_is($host, 200, { origin => $own }, "$w: a page of ours, by POST",
		POST => '/input', { prompt => 'echo x' });
	status_is($host, 200, { host => $host->address, origin => $own, 'sec-fetch-site' => $_ },
		"$w: a page of ours, $_") for qw(same-origin same-site none);
	for (['a page of this machine', 'http://localhost:5173'], ['the published chat',
	    'https://chat.openonion.ai']) {
		my ($name, $origin) = @$_;
		my $header = { origin => $origin, %cross };
		my $r = status_is($host, 200, $header, "$w: $name", POST => '/input',
			{ prompt => 'echo x' });
		is $r->{header}{'access-control-allow-origin'}, $origin, "$w: CORS names $origin";
		is ws_status($host, %$header), 101, "$w: a WebSocket for $name";
	}
	$host->stop;
}

# What CORS lets a page do.
my $host = CoHost->start(workers => 1);
my $r = $host->http(OPTIONS => '/input', { origin => 'https://chat.openonion.ai',
	'access-control-request-method' => 'POST',
	'access-control-request-headers' => 'idempotency-key',
	'access-control-request-private-network' => 'true' });
is $r->{status}, 204, 'a preflight request is answered with 204';
like $r->{header}{'access-control-allow-headers'}, qr/\b$_\b/, "CORS lets a page send $_"
    for qw(idempotency-key last-event-id cache-control traceparent authorization x-co-from
	x-session-api-key x-api-key x-request-id);
is $r->{header}{'access-control-allow-private-network'}, 'true',
    'CORS lets a page reach a private network';
like $r->{header}{vary}, qr/origin/i, 'caches are told that the answer depends on the Origin';
$r = $host->http(GET => '/info', { origin => 'https://chat.openonion.ai' });
like $r->{header}{'access-control-expose-headers'}, qr/\b$_\b/, "CORS lets a page read $_"
    for qw(retry-after ratelimit);
$r = $host->http(GET => '/info');
is $r->{header}{'access-control-allow-origin'}, '*',
    'CORS allows any page to read an answer to a request without Origin';
like $r->{header}{vary}, qr/origin/i,
    'caches are told that an answer without Origin is for no page';
$host->stop;

# Settings.
$host = CoHost->start(workers => 2, yaml => <<'END');
allowed_origins: [https://app.example, "https://*.apps.example:8443"]
allowed_hosts: "agent.example, *.agents.example"
END
is ws_status($host, origin => 'https://app.example'), 101,
    'an allowed origin may open a WebSocket';
is ws_status($host, origin => 'https://a.apps.example:8443'), 101,
    'an origin below an allowed wildcard may open a WebSocket';
is ws_status($host, origin => 'https://chat.openonion.ai'), 403,
    'allowed_origins replaces the preset origins';
is ws_status($host, host => $host->address, origin => 'http://localhost:3000'), 403,
    'allowed_origins replaces the loopback origins';
is ws_status($host, host => $host->address, origin => $host->url), 101,
    "the server's own page may always open a WebSocket";
is ws_status($host, host => 'agent.example', origin => 'https://agent.example'), 101,
    'a page by an allowed host name may open a WebSocket';
is ws_status($host, host => 'x.agents.example:1', origin => 'http://x.agents.example:1'), 101,
    'a page by a name below an allowed wildcard may open a WebSocket';
$host->stop;

$host = CoHost->start(workers => 2, args => ['-o', 'allowed_origins=*']);
is ws_status($host, origin => $EVIL), 101, 'allowed_origins=* lets any page open a WebSocket';
$r = status_is($host, 200, { origin => $EVIL, host => 'evil.example', %cross },
'allowed_origins=* accepts any Host');
is $r->{header}{'access-control-allow-origin'}, '*',
    'allowed_origins=* lets any page read the answers';
$host->stop;

# Real addresses.
$host = CoHost->start(workers => 2, args => ['-o', 'trusted_proxies=127.0.0.1']);
my %far = (origin => $EVIL, host => 'agent.example', %cross);
$r = status_is($host, 200, { %far, 'x-forwarded-for' => '203.0.113.9' },
	'a public peer may come from any page');
is $r->{header}{'access-control-allow-origin'}, '*',
    'a public peer may read answers from any page';
ok !exists $r->{header}{'access-control-allow-credentials'},
    'a public peer may read answers from any page, but not with cookies';
$r = status_is($host, 200, { %far, origin => 'http://localhost:3000', 'x-forwarded-for' => '203.0.113.9' },
	'a public peer may come from a page that is listed');
is_deeply [@{ $r->{header} }{map { "access-control-allow-$_" } qw(origin credentials)}],
    ['http://localhost:3000', 'true'], 'a page that is listed may read answers with cookies';
is ws_status($host, %far, 'x-forwarded-for' => '2001:db8::1'), 101,
    'a public peer may open a WebSocket from any page';
is ws_status($host, %far, 'x-forwarded-for' => $_), 403,
    "a private peer at $_ may not come from any page"
    for '192.168.1.9', 'fd00::1', '127.0.0.1', 'unknown', '203.0.113.9, 10.0.0.1';
$host->stop;

# What a reverse proxy without any setting makes of requests.
$host = CoHost->start(workers => 2);
my %caddy = (host => 'agent.example.com', 'x-forwarded-for' => '203.0.113.9',
	'x-forwarded-host' => 'agent.example.com', 'x-forwarded-proto' => 'https');
status_is($host, 200, \%caddy, 'through a proxy without settings, an input without Origin runs',
	POST => '/input', { prompt => 'echo x' });
is ws_status($host, %caddy), 101,
    'through a proxy without settings, WebSockets without Origin are opened';
$r = status_is($host, 403, { %caddy, origin => 'https://agent.example.com' },
	'through a proxy without settings, a request of a browser is refused');
like $r->{json}{error}, qr/allowed_hosts.*trusted_proxies/,
    'the refusal of a browser behind a proxy names the settings';
$host->stop;

$host = CoHost->start(workers => 2, env => { AGENT_PUBLIC_DOMAIN => 'agent.example.com' });
status_is($host, 200, { %caddy, origin => 'https://agent.example.com' },
	'AGENT_PUBLIC_DOMAIN is such a setting');
$host->stop;

my $dir = CoHost::directory();
$host = CoHost->start(workers => 2, bind => "unix:$dir/sock");
is ws_status($host, origin => $EVIL), 403, 'a socket file is as near as loopback';
$host->stop;

for (['allowed_origins=null', qr/allowed_origins: "null"/],
    ['allowed_origins=app.example', qr/allowed_origins: an entry.*https:/],
    ['allowed_hosts=https://agent.example', qr/allowed_hosts: an entry.*host name/]) {
	my ($setting, $why) = @$_;
	my $home = CoHost::directory();
	my $r = run([CoHost::program('co-hostd'), '-t', '-d', "$home", '-o', $setting]);
	ok $r->{status} != 0, "$setting is refused";
	like $r->{out}, $why, "the refusal of $setting says what is wrong";
}
done_testing;
