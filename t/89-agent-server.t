#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Clients of OpenHands' agent server on four workers, each request on a connection of its own.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use AgentServer;
use CoHost qw(wait_for);
use SIO;
use Sign qw(key_new signed_body);
use Test::More;

my $UUID = '0a221d36-e097-458e-b136-dd567843e915';
my $host = CoHost->start(workers => 4);

sub ids { return join ' ', map { $_->{id} } @_ }

sub detail { return $_[0]{json}{detail} }

# ---- a turn ----

my $c = AgentServer->create($host);
like $c->id, qr/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'O5: a new conversation has a UUID';
is $c->status, 'idle', 'O5: a new conversation is idle';
is_deeply $c->api(GET => '/events/search?limit=100')->{json}, { items => [], next_page_id => undef },
    'O5: a new conversation has no events';
my $first = $c->socket->next;
is "$first->{kind} $first->{key}", 'ConversationStateUpdateEvent full_state',
    'O3: the first frame is the full state';
is $first->{value}{execution_status}, 'idle', 'O3: the full state has the status';
is_deeply $c->say('What is 42 * 17?')->{json}, { success => JSON::PP::true },
    'O5: a message is taken';
is $c->status, 'idle', 'a message without a run does not run';
is_deeply $c->run->{json}, { success => JSON::PP::true }, 'O5: a run is begun';
my $end = $c->until_status('finished');
my @live = $c->events;
my ($status) = grep { ($_->{key} // '') eq 'execution_status' && $_->{value} eq 'finished' } @live;
ok $status, 'O4: the status comes before the full state at the end of a run';
is $c->status, 'finished', 'O5: a conversation after its run is finished';
my @stored = $c->pages(100);
is_deeply [AgentServer::texts(user => @stored)], ['What is 42 * 17?'],
    'O6: the user said the message';
is_deeply [AgentServer::texts(agent => @stored)], ['The result of 42 * 17 is 714.'],
    'O6: the agent said its result once';
my ($action) = grep { $_->{kind} eq 'ActionEvent' } @stored;
my ($observation) = grep { $_->{kind} eq 'ObservationEvent' } @stored;
is $observation->{action_id}, $action->{id}, 'O6: an observation names its action';
is $observation->{observation}{content}[0]{text}, '714', 'O6: an observation has the result';
is scalar(grep { $_->{timestamp} !~ /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/ } @stored), 0,
    'O6: a time is naive and has microseconds';
is scalar(grep { ($_->{key} // '') =~ /^(?:full_state|execution_status)$/ } @stored), 0,
    'O3: states are not stored';
is ids(grep { ($_->{key} // '') !~ /^(?:full_state|execution_status)$/ } @live), ids(@stored),
    'O3: a client that listens gets what is stored';
for (1 .. 3) {
	is $c->run->{status}, 200, "a run with nothing to do is no error ($_)";
	ok $c->until_status('finished'), "O4: the state follows a run with nothing to do ($_)";
}
is ids($c->pages(100)), ids(@stored), 'a run with nothing to do leaves no event';
is $host->http(PATCH => '/api/conversations/' . $c->id, {}, { title => 'Sums' })->{status}, 200,
    'a title can be set';
is $c->api(GET => '')->{json}{title}, 'Sums', 'a title is kept';
is $host->http(PATCH => '/api/conversations/' . $c->id, {}, { title => $_ })->{status}, 422,
    'a bad title is refused' for '', 'x' x 201, 7;

my $said = $host->http(POST => '/api/conversations', {}, { agent => {}, initial_message => {
	role => 'user', content => AgentServer::content('echo first'), run => JSON::PP::true } });
is $said->{status}, 201, 'a conversation is created with its first message';
$said = AgentServer->known($host, $said->{json}{id});
ok CoHost::wait_for(10, sub { $said->status eq 'finished' }), 'a first message that asks for a run is run';
is_deeply [AgentServer::texts(user => $said->pages(100))], ['echo first'], 'a first message is said once';
is $host->http(POST => '/api/conversations', {}, { agent => {}, initial_message => $_ })->{status},
    422, 'a bad first message is refused' for { role => 'x' }, 'a text', [1];

# ---- pages ----

is ids($c->pages(1)), ids(@stored), 'O8: pages of one event give all events';
is ids($c->pages(3)), ids(@stored), 'O8: pages of three events give all events';
my $page = $c->api(GET => '/events/search?limit=2')->{json};
is $page->{next_page_id}, $stored[2]{id}, 'O8: the id of a page is that of its first event';
is $c->api(GET => "/events/search?limit=$_")->{status}, 422, "O8: a limit of '$_' is refused"
    for 0, 101, -1, 'x', '', '99999999999999999999';
is $c->api(GET => "/events/search?page_id=$_")->{status}, 422, "O8: the page_id '$_' is refused"
    for $UUID, 'x', $c->id, $stored[-1]{id} =~ s/..$/ff/r;
is $c->api(GET => "/events/search?$_")->{status}, 501, "O8: a page with $_ is refused"
    for qw(kind=MessageEvent sort_order=TIMESTAMP_DESC);
is $c->api(GET => '/events/count')->{body}, scalar(@stored), 'events are counted';

# ---- coming back ----

sub replay {
	my ($form, $query) = @_;
	my $again = AgentServer->known($host, $c->id)->socket($form, $query);
	return $again;
}

my $again = replay(events => 'resend_mode=all');
is $again->next->{key}, 'full_state', 'O3: the full state comes before what is sent again';
$again->next for @stored;
is ids(($again->events)[1 .. @stored]), ids(@stored), 'O3: resend_mode=all sends all events';
$again = replay(events => 'resend_all=true');
$again->next for 0 .. @stored;
is ids(($again->events)[1 .. @stored]), ids(@stored), 'O3: resend_all sends all events';
$again = replay(events => "resend_mode=since&after_timestamp=$stored[4]{timestamp}");
is $again->next->{key}, 'full_state', 'O3: the full state comes first with resend_mode=since';
is $again->next->{id}, $stored[4]{id}, 'O3: resend_mode=since sends no older events';

my $new = replay(session => 'after_seq=-1');
is_deeply $new->next, { type => 'sync', from_seq => 0, through_seq => $#stored },
    'O7: a session begins with what will be sent';
my @frames = map { $new->next } @stored;
is join(' ', map { $_->{seq} } @frames), join(' ', 0 .. $#stored), 'O7: numbers are dense from 0';
is ids(map { $_->{event} } @frames), ids(@stored), 'O7: after_seq=-1 sends all events';
my $state = $new->next;
is "$state->{type} $state->{event}{key}", 'transient full_state', 'O7: the full state follows';
$new = replay(session => 'after_seq=3');
is $new->next->{from_seq}, 4, 'O7: after_seq=3 begins with 4';
is $new->next->{seq}, 4, 'O7: the event after after_seq comes first';
$new = replay(session => "after_seq=$#stored");
is_deeply $new->next, { type => 'sync' }, 'O7: a client that has all gets nothing again';
is $new->next->{type}, 'transient', 'O7: it gets the state at once';
$new = replay(session => 'after_seq=99999');
is_deeply $new->next, { type => 'sync' }, 'O7: a number beyond the end is no mistake';
my $live = replay('session');
is_deeply $live->next, { type => 'sync' }, 'O7: without after_seq only new events come';
$live->next;
$new->next;

# ---- text over a WebSocket ----

for my $pair ([events => $again], [session => $live]) {
	my ($form, $client) = @$pair;
	$client->ws->send_json({ role => 'user', content => AgentServer::content("echo $form") });
	ok $client->event(sub { grep { $_ eq "echo $form" } AgentServer::texts(user => $_[0]) }),
	    "O9: a message over the WebSocket of $form runs";
	$client->until_status('finished');
}
$again->ws->send_text('{');
is $again->event(sub { $_[0]{kind} eq 'ServerErrorEvent' })->{code}, 'invalid_json',
    'O9: bad JSON is told as an event';
$again->ws->send_json({ role => 'user', content => 'x' });
is $again->event(sub { $_[0]{kind} eq 'ServerErrorEvent' })->{code}, 'invalid_message',
    'O9: a bad message is told as an event';
$new->ws->send_text('{');
my $error;
do { $error = $new->next } while $error && $error->{type} ne 'error';
is $error->{code}, 'invalid_json', 'O9: bad JSON is told as a frame';
$again->ws->send_json({ type => 'auth', session_api_key => 'x' });
$again->ws->send_json({ role => 'user', content => AgentServer::content('after all that') });
$again->until_status('finished');
ok scalar(grep { /after all that/ } AgentServer::texts(user => $again->events)),
    'O9, O2: a socket stays open after mistakes and a needless key';

my $large = AgentServer->known($host, $c->id)->socket;
$large->next;
$large->ws->send_text('x' x (4 * 1024 * 1024 + 1));
is $large->ws->wait_close, 1009, 'O7: a frame over 4 MiB closes the WebSocket';

# ---- what does not exist ----

my $none = AgentServer->known($host, $UUID);
my $r = $none->api(GET => '');
is "$r->{status} $r->{body}", '404 {"detail":"Not Found"}', 'O9: an unknown conversation';
is $none->$_->{status}, 404, "O9: $_ in an unknown conversation" for qw(run);
is $none->say('x')->{status}, 404, 'O9: a message to an unknown conversation';
is $none->socket->ws->wait_close, 4004, 'O2: the WebSocket of an unknown conversation is closed';
my $bad = AgentServer->known($host, 'x');
is $bad->socket->ws->status, 403, 'O2: the WebSocket of a bad UUID is refused';
is $c->socket(events => 'resend_mode=x')->ws->status, 403, 'O2: a bad resend_mode is refused';
is $c->socket(events => 'resend_mode=since&after_timestamp=x')->ws->status, 403,
    'O2: a bad after_timestamp is refused';
is $c->socket(session => 'after_seq=x')->ws->status, 403, 'O7: a bad after_seq is refused';
is $c->api(POST => '/events', $_)->{status}, 422, 'O9: a bad message' for
    { role => 'agent', content => AgentServer::content('x') }, { role => 'user' },
    { role => 'user', content => [] }, { role => 'user', content => [{ type => 'x' }] }, [];
for my $lacks (qw(secrets ask_agent condense fork navigate confirmation_policy)) {
	$r = $c->api(POST => "/$lacks", {});
	ok $r->{status} == 501 && detail($r), "what the server does not do says why: $lacks";
}

# Where the REST interface of the web page is on, these ids are its own (doc/openhands.txt 6).
my $alone = CoHost->start(workers => 1, args => ['-o', 'doors=agent-server']);
AgentServer->create($alone, id => $UUID);
is(AgentServer->known($alone, $UUID =~ tr/-//dr)->status, 'idle',
    'a conversation is found by its UUID without dashes');
is(AgentServer->known($alone, 'x')->api(GET => '')->{status}, 422, 'O9: a bad UUID');
$alone->stop;

# ---- ids ----

my $mine = AgentServer->create($host, id => $UUID);
is $mine->id, $UUID, 'a client may choose the UUID';
is $mine->api(POST => '', { agent => {}, conversation_id => $UUID })->{status}, 200,
    'O5: to create a conversation again is no error';
(my $digits = $UUID) =~ tr/-//d;
is $mine->api(POST => '', { agent => {}, conversation_id => 'x' })->{status}, 422,
    'a conversation_id that is no UUID is refused';
$host->input('echo from /input', session => { session_id => $UUID });
is_deeply [AgentServer::texts(user => $mine->pages(100))], ['echo from /input'],
    'a turn of another protocol is seen';
$digits =~ s/^0/1/;
$host->input('echo in digits', session => { session_id => $digits });
(my $dashed = $digits) =~ s/^(.{8})(.{4})(.{4})(.{4})/$1-$2-$3-$4-/;
is_deeply [AgentServer::texts(user => AgentServer->known($host, $dashed)->pages(100))],
    ['echo in digits'], 'a session whose id has no dashes is found';
my $sio = SIO->websocket($host, conversation_id => $UUID, latest_event_id => -1);
$sio->connect;
ok $sio->event(sub { ($_[0]{message} // '') eq 'echo from /input' }),
    'a client of Socket.IO finds the conversation by its UUID';

# ---- lists, and the end of a conversation ----

my @talks = map { AgentServer->create($host) } 1 .. 3;
my $list = $host->http(GET => '/api/conversations/search?limit=2')->{json};
is ids(@{ $list->{items} }), join(' ', map { $_->id } @talks[2, 1]),
    'a list begins with the newest conversations';
$list = $host->http(GET => "/api/conversations/search?limit=1&page_id=$list->{next_page_id}")->{json};
is ids(@{ $list->{items} }), $talks[0]->id, 'the next page of a list goes on';
is $host->http(GET => "/api/conversations/search?$_")->{status}, 422, "a list with $_ is refused"
    for qw(limit=0 limit=101 page_id=x);
$list = $host->http(GET => '/api/conversations?ids=' . $talks[0]->id . ",$UUID&ids=" . $talks[1]->id)->{json};
is join(' ', map { $_ ? $_->{id} : 'none' } @$list),
    join(' ', $talks[0]->id, $list->[1] ? $UUID : 'none', $talks[1]->id),
    'conversations are listed by their ids';
$host->input('echo in capitals', session => { session_id => uc $UUID =~ s/^0/2/r });
$list = $host->http(GET => '/api/conversations/search?limit=1')->{json};
is_deeply $list->{items}, [], 'a list has no conversation whose id cannot be found, and no null';
ok $list->{next_page_id}, 'a page without conversations names the next one';
is $host->http(GET => '/api/conversations?ids=x')->{status}, 422, 'a list of what is no UUID is refused';

my $over = $talks[0]->socket;
$over->say('a draft');
$over->say('sleep 60000', run => 1);
$over->event(sub { $_[0]{kind} eq 'MessageEvent' });
my @gone = $over->pages(100);
is $host->http(DELETE => '/api/conversations/' . $over->id)->{status}, 200, 'a conversation can be deleted';
is $over->ws->wait_close, 4004, 'the WebSocket of a deleted conversation is closed';
is $over->api(GET => '')->{status}, 404, 'a deleted conversation is not there';
my $fresh = AgentServer->create($host, id => $over->id)->socket;
$fresh->turn('echo fresh');
is_deeply [AgentServer::texts(user => $fresh->pages(100))], ['echo fresh'],
    'a new conversation of that id has nothing of the old one';
my %gone = map { $_->{id} => 1 } @gone;
ok %gone, 'the deleted conversation had events';
is scalar(grep { $gone{ $_->{id} } } $fresh->pages(100)), 0,
    'no event of a new conversation has the id of an event of the old one';
is $fresh->api(GET => "/events/search?page_id=$gone[0]{id}")->{status}, 422,
    'the page_id of a deleted conversation is refused by the new one';

# ---- owners, and pages ----

my $owned = $UUID =~ s/^./2/r;
is $host->http(POST => '/input', {}, signed_body(key_new(), { prompt => 'echo mine',
	session => { session_id => $owned } }))->{status}, 200, 'a caller that signs owns its session';
my $foreign = AgentServer->known($host, $owned);
is $foreign->api(GET => '')->{status}, 404, 'the conversation of a caller that signs is not there';
is $foreign->say('x')->{status}, 404, 'nobody says anything in the conversation of another';
is $foreign->socket->ws->wait_close, 4004, 'nobody listens to the conversation of another';
is $host->http(POST => '/api/conversations', {}, { agent => {}, conversation_id => $owned })->{status},
    404, 'nobody creates the conversation of another again';

for (['http://localhost:3000', 204], ['https://evil.example', 403]) {
	my ($origin, $want) = @$_;
	$r = $host->http(OPTIONS => '/api/conversations', { origin => $origin,
		'access-control-request-method' => 'POST',
		'access-control-request-headers' => 'x-session-api-key' });
	is $r->{status}, $want, "O10: a page of $origin asks before its request";
	like $r->{header}{'access-control-allow-headers'}, qr/x-session-api-key/,
	    'O10: a page may send the key' if $want == 204;
}

# ---- a worker that dies ----

my $tough = AgentServer->create($host)->socket;
$tough->say('stream 30 50', run => 1);
$tough->event(sub { $_[0]{kind} eq 'ActionEvent' });
for (1 .. 2) {
	$host->kill_worker;
	ok CoHost::wait_for(10, sub { $host->workers == 4 }), 'a worker that was killed is replaced';
}
my $back = AgentServer->known($host, $tough->id)->socket(session => 'after_seq=-1');
$back->event(sub { $_[0]{kind} eq 'MessageEvent' && $_[0]{source} eq 'agent' });
$back->until_status('finished');
my @kept = $tough->pages(7);
is scalar(grep { $_->{kind} eq 'ActionEvent' } @kept), 30, 'O7: no event is lost with a worker';
is ids(grep { $_->{key} ? $_->{key} eq 'co_event' : 1 } $back->events), ids(@kept),
    'O7: a client gets each event once and in order, workers being killed';
is $tough->status, 'finished', 'O5: a turn whose worker died is finished by another';

# ---- stopping and questions ----

$mine->socket;
$mine->say('sleep 60000', run => 1);
$mine->event(sub { $_[0]{kind} eq 'MessageEvent' });
is $mine->status, 'running', 'O5: a conversation that runs is running';
is $mine->run->{status}, 409, 'O5: a second run is refused';
is $mine->api(POST => '/pause')->{status}, 200, 'a run can be paused';
$mine->until_status('paused');
ok scalar(grep { $_->{kind} eq 'PauseEvent' } $mine->events), 'O6, O11: a pause is an event before the state';
$sio = SIO->websocket($host, conversation_id => $UUID, latest_event_id => -1);
$sio->connect;
ok $sio->event(sub { ($_[0]{extras}{agent_state} // '') eq 'paused' }),
    'a client of Socket.IO is told of a pause by a client of the agent server';
is $mine->api(POST => '/pause')->{status}, 200, 'a second pause is no error';
is $mine->run->{status}, 200, 'a run goes on after a pause';
$mine->until_status('finished');

$mine->say('ask Which?|red|green', run => 1);
$mine->until_status('finished');
is +(AgentServer::texts(agent => $mine->events))[-1], "Which?\n1. red\n2. green",
    'a question is a message, and ends the run';
$mine->turn('green');
like +(AgentServer::texts(agent => $mine->events))[-1], qr/green/, 'the next message answers it';

for my $accept (1, 0) {
	$mine->say('approve bash', run => 1);
	$mine->until_status('waiting_for_confirmation');
	is $mine->status, 'waiting_for_confirmation', 'O5: an approval waits for a confirmation';
	my $answer = { accept => $accept ? JSON::PP::true : JSON::PP::false, reason => 'too risky' };
	is $mine->api(POST => '/events/respond_to_confirmation', $answer)->{status}, 200,
	    $accept ? 'an action is confirmed' : 'an action is rejected';
	$mine->until_status('finished');
}
my ($no) = grep { $_->{kind} eq 'UserRejectObservation' } $mine->events;
is $no->{rejection_reason}, 'too risky', 'a rejection has its reason';
is $mine->api(POST => '/events/respond_to_confirmation', { accept => JSON::PP::true })->{status}, 409,
    'a confirmation that nobody waits for is refused';
$mine->say('approve bash', run => 1);
$mine->until_status('waiting_for_confirmation');
$mine->run;
$mine->until_status('finished');
like +(AgentServer::texts(agent => $mine->events))[-1], qr/approved and ran/,
    'a run confirms the action that waits';

$host->stop;

# ---- who may change a conversation ----

# Begin a conversation at one address; returns how requests from another are answered.
sub changes_from_elsewhere {
	my ($host, %header) = @_;
	my %there = (%header, 'x-forwarded-for' => '192.0.2.8');
	my %mine = (%header, 'x-forwarded-for' => '192.0.2.7');
	my $at = '/api/conversations/' . $host->http(POST => '/api/conversations', \%mine, { agent => {} })->{json}{id};
	$host->http(POST => "$at/events", \%mine,
		{ role => 'user', content => AgentServer::content('approve bash'), run => JSON::PP::true });
	wait_for(10, sub { $host->http(GET => $at, \%mine)->{json}{execution_status} eq 'waiting_for_confirmation' });
	my @answers = map { $_->{status} }
	    $host->http(PATCH => $at, \%there, { title => 'Mine' }),
	    $host->http(POST => "$at/events/respond_to_confirmation", \%there, { accept => JSON::PP::true }),
	    $host->http(DELETE => $at, \%there);
	$host->http(DELETE => $at, \%mine);
	return "@answers";
}

my @proxied = (args => ['-o', 'trusted_proxies=127.0.0.1']);
$host = CoHost->start(workers => 2, @proxied);
is changes_from_elsewhere($host), '403 403 403',
    'a client that does not hold a conversation can neither name it, answer in it nor delete it';
$host->stop;
$host = CoHost->start(workers => 2, @proxied, env => { SESSION_API_KEY => 'k1' });
is changes_from_elsewhere($host, 'x-session-api-key' => 'k1'), '200 200 200',
    'a client with the key can name any conversation, answer in it and delete it';
$host->stop;

# ---- a key ----

$host = CoHost->start(workers => 4, env => { SESSION_API_KEY => 'k1' });
my %right = (key => 'k1');
$c = AgentServer->create($host, %right);
$r = AgentServer->known($host, $c->id)->api(GET => '');
is "$r->{status} $r->{body}", '401 {"detail":"Unauthorized"}', 'O9: a request without the key';
is(AgentServer->known($host, $c->id, key => $_)->api(GET => '')->{status}, 401,
    "O9: a request with the key '$_'") for 'k2', '';
is $c->socket(events => "session_api_key=$_")->ws->status, 403, "O2: a query with the key '$_'"
    for 'k2', '';
is $c->socket(events => '', headers => { 'x-session-api-key' => 'k2' })->ws->status, 403,
    'O2: a header with another key';
is $c->socket(events => 'session_api_key=k1')->next->{key}, 'full_state', 'O2: the key in the query';
is $c->socket(events => '', headers => { 'x-session-api-key' => 'k1' })->next->{key}, 'full_state',
    'O2: the key in a header';
for my $form (qw(events session)) {
	$c->socket($form);
	is $c->ws->status, 101, "O2: a WebSocket without the key is accepted ($form)";
	$c->ws->send_json({ type => 'auth', session_api_key => 'k1' });
	ok $c->next, "O2: the key in the first frame opens it ($form)";
	$c->socket($form)->ws->send_json({ type => 'auth', session_api_key => 'k2' });
	is $c->ws->wait_close, 4001, "O2: another key in the first frame closes it ($form)";
}
$c->socket('events')->ws->send_text('x' x 100_000);
is $c->ws->wait_close, 1009, 'O2: a large frame before the key closes the WebSocket';
$c->socket(events => '', headers => { authorization => 'Bearer k1' });
$c->ws->send_json({ role => 'user', content => AgentServer::content('x') });
is $c->ws->wait_close, 4001, 'O2: a bearer token does not count';
$host->stop;

# ---- trust ----

$host = CoHost->start(workers => 1, args => ['-o', 'trust=strict']);
$r = $host->http(POST => '/api/conversations', {}, { agent => {} });
is $r->{status}, 401, 'O9: strangers are refused with trust: strict';
is $r->{json}{detail}, 'unauthorized: signed request required', 'a stranger is told why it is refused';
is $host->ws(path => "/sockets/events/$UUID")->status, 403, 'O2: WebSockets of strangers are refused with trust: strict';
$host->stop;
done_testing;
