#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Pages in a real browser on the same machine: the server's own, one that is allowed, one
# of another origin, and one whose name was made to lead to the server.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Browser;
use CoHost qw(lacks);
use Test::More;

lacks 'chromium and chromium-driver are not there' unless Browser::is_there();

# What a page can do with a server: each is an answer, or "no".
my $TRY = <<'END';
const [url, ws] = arguments;
const settle = (p) => Promise.race([p, new Promise((_, no) => setTimeout(no, 15000))]);
const get = (path) => fetch(url + path).then((r) => r.status).catch(() => "no");
const socket = () => new Promise((resolve) => {
	const s = new WebSocket(ws);
	s.onopen = () => { s.close(); resolve("open"); };
	s.onerror = () => resolve("no");
});
const events = () => new Promise((resolve) => {
	const s = new EventSource(url + "/sessions/secret/events?from=0");
	s.onmessage = s.onopen = () => { s.close(); resolve("open"); };
	s.onerror = () => { s.close(); resolve("no"); };
});
const frame = () => new Promise((resolve) => {
	const f = document.createElement("iframe");
	f.src = url + "/docs";
	f.onload = () => {
		let seen = "hidden";
		try { seen = f.contentDocument.getElementById("app") ? "shown" : "no"; } catch (e) {}
		resolve(seen);
	};
	document.body.append(f);
});
return (async () => ({
	info: await get("/info"),
	sessions: await get("/sessions"),
	post: await fetch(url + "/input", {
		method: "POST", headers: {"content-type": "text/plain"},
		body: JSON.stringify({prompt: "echo x", session: {session_id: "simple"}}),
	}).then((r) => r.status).catch(() => "no"),
	blind: await fetch(url + "/input", {
		method: "POST", mode: "no-cors", headers: {"content-type": "text/plain"},
		body: JSON.stringify({prompt: "echo x", session: {session_id: "blind"}}),
	}).then(() => "sent").catch(() => "no"),
	named: await fetch(url + "/input", {
		method: "POST",
		headers: {"content-type": "application/json", "idempotency-key": "k" + Math.random(),
			traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
		body: JSON.stringify({prompt: "echo x"}),
	}).then((r) => r.status).catch(() => "no"),
	socket: await socket(),
	events: await events(),
	frame: await settle(frame()).catch(() => "no"),
}))();
END

my $site = Browser::Site->serve("<!doctype html><title>elsewhere</title><p id=here>here\n");
my $elsewhere = $site->{port};
my $page;
for my $workers (1, 4) {
	my $w = "-w $workers";
	my $host = CoHost->start(workers => $workers,
		args => ['-o', "allowed_origins=loopback, http://friend.test:$elsewhere"]);
	$host->input('echo x', session => { session_id => 'secret' });
	my $port = $host->port;
	my @to = ("http://127.0.0.1:$port", "ws://127.0.0.1:$port/ws");
	$page //= Browser->open('about:blank',
		'--host-resolver-rules=MAP *.test 127.0.0.1');

	$page->go("http://evil.test:$elsewhere/");
	my $can = $page->run($TRY, @to);
	is $can->{$_}, 'no', "$w: a page of another origin: $_"
	    for qw(info sessions post named socket events);
	is $can->{blind}, 'sent', "$w: a page of another origin can send without reading";
	is $host->http(GET => "/sessions/$_")->{status}, 404,
	    "$w: a page of another origin begins no turn ($_)" for qw(simple blind);

	$page->go("http://friend.test:$elsewhere/");
	$can = $page->run($TRY, @to);
	is_deeply { %$can, frame => undef }, { info => 200, sessions => 200, post => 200, blind => 'sent',
		named => 200, socket => 'open', events => 'open', frame => undef },
	    "$w: a page of an allowed origin can use the server" or diag explain $can;

	$page->go("http://localhost:$elsewhere/");
	is $page->run($TRY, @to)->{socket}, 'open', "$w: so can one of this machine";

	# Its name leads to the server: for the browser it is the server's own page.
	$page->go("http://evil.test:$port/livez");
	$can = $page->run($TRY, "http://evil.test:$port", "ws://evil.test:$port/ws");
	is $can->{sessions}, 401, "$w: a page by a foreign name has no privileges of loopback";
	is $can->{$_}, 403, "$w: a page by a foreign name may not POST ($_)" for qw(post named);
	is $can->{socket}, 'no', "$w: nor attach";

	$page->go("http://127.0.0.1:$port/docs");
	$can = $page->run($TRY, @to);
	is_deeply { %$can, frame => undef }, { info => 200, sessions => 200, post => 200, blind => 'sent',
		named => 200, socket => 'open', events => 'open', frame => undef },
	    "$w: the server's own page can use the server" or diag explain $can;
	$host->stop;
}
$page->close;
done_testing;
