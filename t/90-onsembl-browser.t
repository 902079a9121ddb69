#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A dashboard in a real browser: a page of another origin lists agents, sends a command and
# shows its output.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Browser;
use CoHost qw(lacks);
use Onsembl;
use Test::More;

lacks 'chromium and chromium-driver are not there' unless Browser::is_there();

my $site = Browser::Site->serve(<<'END');
<!doctype html><title>dashboard</title>
<ul id=agents></ul><input id=command><button id=send>Send</button><pre id=output></pre>
<script>
const [server, user, token] = decodeURIComponent(location.hash.slice(1)).split("|");
const at = (id) => document.getElementById(id);
const ws = new WebSocket(server + "/ws/dashboard?token=" + encodeURIComponent(token));
let agent, n = 0;
const say = (type, payload) => ws.send(JSON.stringify(
	{ type, id: "msg_" + ++n, timestamp: Date.now(), payload }));
ws.onopen = () => say("DASHBOARD_INIT", { userId: user, subscriptions: {
	agents: { all: true }, commands: { all: true }, terminals: true, traces: true } });
ws.onclose = (e) => { at("output").textContent += "closed " + e.code; };
ws.onmessage = (e) => {
	const { type, payload } = JSON.parse(e.data);
	if (type === "DASHBOARD_CONNECTED") {
		agent = payload.agents[0].agentId;
		at("agents").innerHTML = "";
		for (const a of payload.agents) {
			const li = document.createElement("li");
			li.textContent = a.name + " " + a.type + " " + a.status;
			at("agents").append(li);
		}
	}
	if (type === "TERMINAL_STREAM") at("output").textContent += payload.content;
	if (type === "COMMAND_COMPLETE") at("output").textContent += "[" + payload.status + "]";
	if (type === "ERROR") at("output").textContent += "error: " + payload.message;
};
at("send").onclick = () => say("COMMAND_REQUEST", { agentId: agent, commandId: "cmd-" + Date.now(),
	command: at("command").value, args: [], env: {}, type: "NATURAL", priority: 5,
	executionConstraints: { timeLimitMs: 300000, maxRetries: 1 } });
</script>
END

$ENV{ONSEMBL_JWT_SECRET} = $Onsembl::SECRET;
my $host = CoHost->start(workers => 4, yaml => "name: tester\n", args => ['-o', 'allowed_origins=']);
my $token = Onsembl::token(user => 'ann');
my $server = 'ws://127.0.0.1:' . $host->port;
my $page = Browser->open("http://127.0.0.1:$site->{port}/#$server|ann|$token");
ok $page->wait(sub { $page->text('#agents') =~ /^tester CUSTOM ONLINE/ }), 'a page lists the agent';
$page->type('#command', 'calculate 20+22');
$page->click('#send');
ok $page->wait(sub { $page->text('#output') =~ /42[^\[]*\[COMPLETED\]/s }),
    'a page shows what its command wrote, and that it ended';
is_deeply [$page->complaints], [], 'the browser complains about nothing';
$page->go('about:blank');
$page->go("http://127.0.0.1:$site->{port}/#$server|ann|" . Onsembl::token(user => 'ann', secret => 'x' x 40));
ok $page->wait(sub { $page->text('#output') =~ /error: Invalid authentication token/ }),
    'a page shows why its bad token is refused';
$page->close;
$host->stop;
done_testing;
