#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Pages in a real browser that talk to the server by socket.io-client, over each transport: one of
# an allowed origin, while the workers are killed, and one of another origin.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/clients";

use Browser;
use Clients;
use CoHost qw(lacks read_file);
use JSON::PP ();
use Test::More;

lacks 'chromium and chromium-driver are not there' unless Browser::is_there();
my $home = Clients::socketio_node()
    or lacks 'no clients of Socket.IO: scripts/setup --tests could not install them';

# sockets.NAME is a client with the events that it got; it comes back with the id of the last.
my $PAGE = <<'END';
const sockets = {};
const isState = (e) => e.extras && e.extras.agent_state;
function begin(name, url, options) {
	const query = { conversation_id: name, latest_event_id: -1 };
	const s = io(url, { query, forceNew: true, reconnectionDelay: 100, reconnectionDelayMax: 500, ...options });
	Object.assign(s, { events: [], connects: 0, reasons: [], errors: 0 });
	s.on("connect", () => { s.connects++; });
	s.on("disconnect", (reason) => { s.reasons.push(reason); });
	s.on("connect_error", () => { s.errors++; });
	s.on("oh_event", (event) => {
		if (event.id !== undefined && !isState(event)) s.io.opts.query.latest_event_id = event.id;
		s.events.push(event);
	});
	sockets[name] = s;
}
const say = (name, message, done) =>
	sockets[name].emit("oh_user_action", { type: "message", source: "user", message }, done);
function look(name) {
	const s = sockets[name];
	const last = s.events[s.events.length - 1];
	return {
		connected: s.connected, connects: s.connects, reasons: s.reasons, errors: s.errors,
		transport: s.io.engine && s.io.engine.transport.name, n: s.events.length,
		idle: !!last && isState(last) === "awaiting_user_input" && last.id > 0,
		said: s.events.filter((e) => e.source === "agent" && e.type === "message").map((e) => e.message),
		ids: s.events.filter((e) => !isState(e)).map((e) => Number(e.id)),
	};
}
END
my $site = Browser::Site->serve('<!doctype html><title>elsewhere</title><script>'
    . read_file("$home/node_modules/socket.io-client/dist/socket.io.min.js") =~ s{//# source.*}{}r
    . "</script><script>$PAGE</script>\n");

my %transports = (websocket => ['websocket'], polling => ['polling'],
	default => ['polling', 'websocket'], credentials => ['polling', 'websocket']);
my @names = sort keys %transports;

my $host = Clients::host(workers => 4,
	args => ['-o', "allowed_origins=http://friend.test:$site->{port}"]);
my $page = Browser->open("http://friend.test:$site->{port}/",
	'--host-resolver-rules=MAP *.test 127.0.0.1');

sub look { my ($name) = @_; return $page->run("return look('$name')") }

sub begin {
	my ($name, $transports) = @_;
	$page->run('begin(...arguments)', $name, $host->url, { transports => $transports,
		withCredentials => $name eq 'credentials' ? JSON::PP::true : JSON::PP::false });
}

# Wait until this is true of all clients at once; those of which it is.
sub await_all {
	my ($is_so, @names) = @_;
	my %so;
	$page->wait(sub {
		for my $name (grep { !$so{$_} } @names) {
			my $state = look($name);
			$so{$name} = $state if $is_so->($state, $name);
		}
		return keys %so == @names;
	});
	return \%so;
}

begin($_, $transports{$_}) for @names;
my $so = await_all(sub { $_[0]{connected} }, @names);
ok $so->{$_}, "a page connects ($_)" for @names;
$page->run('window.acked = {}; for (const name of arguments[0])'
    . ' say(name, "What is 42 * 17?", () => { acked[name] = true; })', \@names);
$so = await_all(sub { $_[0]{idle} }, @names);
for my $name (@names) {
	is_deeply $so->{$name}{said}, ['The result of 42 * 17 is 714.'], "a page gets a result ($name)";
	ok $page->run("return acked['$name']"), "a message of a page is acknowledged ($name)";
	is $so->{$name}{transport}, $name eq 'polling' ? 'polling' : 'websocket',
	    "a page uses the expected transport ($name)";
	is $so->{$name}{errors}, 0, "a page connects without an error ($name)";
}
is_deeply [$page->complaints], [], 'a page that talks by Socket.IO leaves nothing on its console';

# A client that polls may have been between two requests: then it has lost nothing.
my %before = map { $_ => look($_)->{n} } @names;
$page->run('for (const name of arguments[0]) say(name, "stream 40 25")', \@names);
await_all(sub { $_[0]{n} > $before{ $_[1] } + 10 }, @names);
kill KILL => $host->workers;
$so = await_all(sub { $_[0]{idle} && $_[0]{said}[-1] eq 'Streamed 40 steps.' }, @names);
begin("$_-whole", ['websocket']) for @names;
$page->run('for (const name of arguments[0]) sockets[name + "-whole"].disconnect().io.opts.query.conversation_id = name;'
    . ' for (const name of arguments[0]) sockets[name + "-whole"].connect()', \@names);
my $all = await_all(sub { $_[0]{idle} && @{ $_[0]{ids} } > 80 }, map { "$_-whole" } @names);
for my $name (@names) {
	my $state = $so->{$name} || look($name);
	is $state->{said}[-1], 'Streamed 40 steps.',
	    "the turn of a page ends though the workers were killed ($name)";
	cmp_ok $state->{connects}, '>', 1, "a page connects again ($name)" if $name ne 'polling';
	is "@{ $state->{ids} }", "@{ $all->{qq($name-whole)}{ids} || [] }",
	    "a page gets each event once and in order though the workers were killed ($name)";
}
my @other = grep { !/WebSocket connection to|Failed to load resource|Access to XMLHttpRequest/ }
    $page->complaints;
is_deeply \@other, [], 'a page whose workers were killed leaves nothing but lost connections on its console';

# A page of another origin.
$page->go("http://evil.test:$site->{port}/");
begin($_, $transports{$_}) for qw(websocket polling);
$so = await_all(sub { $_[0]{errors} }, qw(websocket polling));
for my $name (qw(websocket polling)) {
	ok $so->{$name}, "a page of another origin is refused ($name)";
	is_deeply look($name)->{ids}, [], "a page of another origin gets no events ($name)";
}
$page->close;
$host->stop;
done_testing;
