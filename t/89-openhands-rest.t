#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The REST interface of OpenHands' web page, on four workers: each request has a connection of
# its own, and so any of them. Its conversations are the sessions of the other protocols.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use JSON::PP ();
use MIME::Base64 qw(encode_base64url);
use Sign qw(:all);
use SIO;
use Test::More;

my $ALL = '/api/conversations';
my $UNKNOWN = 'f' x 32;
my $host = CoHost->start(workers => 4);

sub ask { return $host->http(@_) }

sub post { my ($path, $body, $header) = @_; return ask(POST => $path, $header // {}, $body) }

sub get { my ($path, $header) = @_; return ask(GET => $path, $header // {}) }

sub events { return get("$ALL/$_[0]/events" . ($_[1] // ''))->{json}{events} // [] }

sub ids { return join ' ', map { $_->{id} } @_ }

sub state_of { return $_[0] && $_[0]{extras} ? $_[0]{extras}{agent_state} // '' : '' }

# Wait until so many turns of a conversation have ended.
sub until_ended {
	my ($id, $n) = @_;
	return wait_for(10, sub {
		my @ends = grep { state_of($_) =~ /awaiting_user_input|stopped/ && $_->{id} }
		    @{ events($id, '?limit=100') };
		return @ends >= ($n // 1);
	});
}

sub of_user { return grep { ($_->{action} // '') eq 'message' && $_->{source} eq 'user' } @_ }

# ---- a conversation ----

my $r = post($ALL, { initial_user_msg => 'What is 42 * 17?' });
is $r->{status}, 200, 'A83: a conversation is created';
my $id = $r->{json}{conversation_id};
like $id, qr/^[0-9a-f]{32}$/, 'A83: the id of a new conversation has 32 digits';
is_deeply $r->{json}, { status => 'ok', conversation_id => $id, message => undef,
	conversation_status => 'STARTING' }, 'A83: a new conversation is starting';
ok until_ended($id), 'A83: the first message begins a turn';
my $c = SIO->websocket($host, conversation_id => $id, session_api_key => 'null');
$c->connect;
my $echo = $c->event(sub { $_[0]{source} eq 'user' });
is $echo->{message}, 'What is 42 * 17?',
    'A83: a socket of a created conversation replays its message';
$c->event(sub { state_of($_[0]) eq 'awaiting_user_input' });

my $info = get("$ALL/$id")->{json};
is $info->{conversation_id}, $id, 'a conversation is read';
is $info->{title}, 'What is 42 * 17?', 'the title of a conversation is its first message';
is_deeply [@$info{qw(status runtime_status conversation_version url)}],
    ['RUNNING', 'STATUS$READY', 'V0', "$ALL/$id"],
    'the page is told that it may open its socket';
like $info->{$_}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/, "$_ is a time of ISO 8601"
    for qw(created_at last_updated_at);
is get("$ALL/$UNKNOWN")->{body}, 'null', 'an unknown conversation is null';
is_deeply get("$ALL/$id/config")->{json}, { runtime_id => $id, session_id => $id },
    'the config of a conversation has its ids';

# ---- events ----

my @all = @{ events($id, '?limit=100') };
is ids(@all), "@{[0 .. $#all]}", 'A84: ids of events are consecutive, from 0';
my %seen = map { $_->{id} => $_ } grep { !defined $_->{error} } $c->events;
is_deeply [grep { !state_of($_) && $seen{ $_->{id} } } @all],
    [map { $seen{ $_->{id} } } grep { !state_of($_) } @all],
    'A84: events are those of the socket';
is ids(@{ events($id) }), ids(@all[0 .. ($#all < 19 ? $#all : 19)]),
    'A84: a page has 20 events when no limit is given';
$r = get("$ALL/$id/events?start_id=1&limit=2")->{json};
is ids(@{ $r->{events} }), '1 2', 'A84: a page begins with start_id';
ok $r->{has_more}, 'A84: a page says that there is more';
$r = get("$ALL/$id/events?start_id=1&end_id=3")->{json};
is ids(@{ $r->{events} }), '1 2 3', 'A84: a page ends with end_id';
ok !$r->{has_more}, 'A84: a page that ends with end_id has no more';
$r = get("$ALL/$id/events?reverse=true&limit=2")->{json};
is ids(@{ $r->{events} }), "$#all " . ($#all - 1), 'A84: the newest come first in reverse';
ok $r->{has_more}, 'A84: a page in reverse says that there is more';
$r = get("$ALL/$id/events?start_id=1000")->{json};
is_deeply $r, { events => [], has_more => JSON::PP::false },
    'A84: a page behind the newest event is empty';
$r = get("$ALL/$id/events?limit=0")->{json};
is_deeply $r, { events => [], has_more => JSON::PP::true }, 'A84: a page may have no events';
my ($call) = grep { ($_->{action} // '') eq 'call_tool_mcp' } @all;
my ($result) = grep { ($_->{observation} // '') eq 'mcp' } @all;
$r = get("$ALL/$id/events?start_id=$result->{id}&limit=1")->{json};
is $r->{events}[0]{cause}, $call->{id},
    'A84: an observation names its action although that is not in the page';
for my $bad (['-1', 400], ['101', 400], ['abc', 422], ['', 422], ['1e3', 422]) {
	my ($limit, $status) = @$bad;
	is get("$ALL/$id/events?limit=$limit")->{status}, $status,
	    "A84: limit=$limit is refused with $status";
}
is_deeply get("$ALL/$id/events?limit=101")->{json}, { detail => 'Invalid limit' },
    'A84: a refused limit says why';
is get("$ALL/$id/events?reverse=maybe")->{status}, 422, 'reverse must be true or false';
is_deeply get("$ALL/$UNKNOWN/events"),
    { %{ get("$ALL/$UNKNOWN/events") }, status => 404,
	json => { detail => "Conversation $UNKNOWN not found" } },
    'events of an unknown conversation are not found';
is_deeply get("$ALL/$id/trajectory")->{json}, { trajectory => \@all },
    'a trajectory has all events';

# ---- messages ----

my $before = of_user(@all);
is_deeply post("$ALL/$id/message", { message => 'echo one' })->{json},
    { success => JSON::PP::true }, 'A85: a message is accepted';
ok until_ended($id, 2), 'A85: a message begins a turn';
is post("$ALL/$id/events", { action => 'message', args => { content => 'echo two' } })->{status},
    200, 'A85: an action is accepted';
ok until_ended($id, 3), 'A85: an action begins a turn';
my @users = of_user(@{ events($id, '?limit=100') });
is scalar(@users), $before + 2, 'A85: each appends one event of the user';
is $users[-1]{message}, 'echo two', 'A85: the event has the text of the action';
is post("$ALL/$id/events", { type => 'message', message => 'echo three' })->{status}, 200,
    'A85: an action may have the form of the documents';
ok until_ended($id, 4), 'an action in the form of the documents begins a turn';

for my $bad (
	['message', { message => 7 }, 'a message that is a number'],
	['message', { message => undef }, 'a message that is null'],
	['message', {}, 'no message'],
	['message', '{"message":', 'a message cut short'],
	['message', '[1]', 'a message that is a list'],
	['events', {}, 'an action without a name'],
	['events', { action => 'message', args => { content => [] } }, 'an action without a text'],
	['events', { action => 'no such' }, 'an unknown action'],
	['events', { action => 'change_agent_state', args => { agent_state => 'dancing' } },
		'an unknown state'],
	['events', 'nonsense', 'an action that is no JSON'],
    ) {
	my ($what, $body, $name) = @$bad;
	my $answer = post("$ALL/$id/$what", $body);
	is $answer->{status}, 422, "$name is refused with 422";
	ok length($answer->{json}{detail} // ''), "$name is refused with a reason";
}
is post("$ALL/$id/message", '{"message":"' . 'x' x (4 * 1024 * 1024) . '"}')->{status}, 413,
    'a body over 4 MiB is refused with 413';
is post("$ALL/$UNKNOWN/message", { message => 'x' })->{status}, 404,
    'a message to an unknown conversation is refused with 404';
is scalar(of_user(@{ events($id, '?limit=100') })), $before + 3,
    'what is refused appends no event';

# ---- start and stop ----

is post("$ALL/$id/start", { providers_set => [] })->{json}{conversation_status}, 'RUNNING',
    'a conversation that is started runs';
$r = post("$ALL/$UNKNOWN/start", { providers_set => [] });
is $r->{status}, 404, 'an unknown conversation is not started';
is $r->{json}{status}, 'error', 'the status of an unknown conversation is error';
is post("$ALL/$id/stop")->{json}{message}, 'Conversation was not running',
    'an idle conversation was not running';
post("$ALL/$id/message", { message => 'sleep 1000000' });
$r = post("$ALL/$id/stop")->{json};
is $r->{message}, 'Conversation stopped successfully', 'a conversation that runs is stopped';
is $r->{conversation_status}, 'STOPPED', 'a conversation that was stopped has that status';
ok wait_for(10, sub { state_of((events($id, '?reverse=1&limit=1'))->[0]) eq 'stopped' }),
    'the turn of a stopped conversation ends';

# ---- titles ----

is ask(PATCH => "$ALL/$id", {}, { title => 'Sums' })->{body}, 'true', 'a conversation is renamed';
is get("$ALL/$id")->{json}{title}, 'Sums', 'a conversation has its new title';
for my $bad ({}, { title => 7 }, { title => 'x' x 201 }) {
	my ($name) = %$bad ? length "$bad->{title}" : 'no';
	is ask(PATCH => "$ALL/$id", {}, $bad)->{status}, 422, "a title of $name bytes is refused";
}
is ask(PATCH => "$ALL/$UNKNOWN", {}, { title => 'x' })->{status}, 404,
    'an unknown conversation is not renamed';

# ---- creation, and what it refuses ----

$r = post($ALL, undef);
is $r->{status}, 200, 'a conversation may be created without a body';
my $empty = $r->{json}{conversation_id};
is get("$ALL/$empty")->{json}{title}, '', 'a conversation without messages has no title';
is ids(@{ events($empty) }), '0', 'a conversation without messages has only begun';
for my $bad (
	[{ colour => 'red' }, 422, 'an unknown key'],
	[{ initial_user_msg => 7 }, 422, 'a first message that is a number'],
	[{ image_urls => 'x' }, 422, 'images that are no list'],
	[{ repository => 'a/b' }, 400, 'a repository'],
	['{', 422, 'a body that is no JSON'],
	['"x"', 422, 'a body that is a text'],
    ) {
	my ($body, $status, $name) = @$bad;
	is post($ALL, $body)->{status}, $status, "$name is refused with $status";
}
is post($ALL, { repository => undef, image_urls => [] })->{status}, 200,
    'keys without a value are accepted';

# ---- ids of every shape ----

for my $bad ('x' x 101, 'a%2Fb', 'a%5Cb', 'a..b', '%00', 'a%0Ab') {
	my $shown = substr $bad, 0, 8;
	is get("$ALL/$bad/events")->{status}, 400, "the id $shown is refused with 400";
	is ask(DELETE => "$ALL/$bad")->{status}, 400, "the id $shown is not deleted";
}
is get("$ALL/" . 'x' x 100 . '/events')->{status}, 404, 'an id of 100 bytes is unknown';

# ---- sessions of other protocols ----

my $input = $host->input('echo from input');
my $uuid = $input->{json}{session_id};
(my $digits = $uuid) =~ tr/-//d;
my ($listed) = grep { $_->{conversation_id} eq $digits } @{ get($ALL)->{json}{results} };
is $listed->{title}, 'echo from input', 'a session of POST /input is listed, by its digits';
my $trajectory = get("$ALL/$digits/trajectory")->{json}{trajectory};
is scalar(grep { ($_->{message} // '') eq 'from input' } @$trajectory), 1,
    'the trajectory of a session of POST /input has its result';
is post("$ALL/$digits/message", { message => 'echo from rest' })->{status}, 200,
    'a session of POST /input is continued by its digits';
ok wait_for(10, sub {
	(get("/sessions/$uuid")->{json}{result} // '') eq 'from rest' }),
    'POST /input finds what was continued';
my $ws = $host->ws(session => { session_id => $id });
is +($ws->turn('echo from ws'))[-1]{result}, 'from ws',
    'a conversation is continued over /ws';
$r = get("$ALL/$id/events?reverse=true&limit=3")->{json}{events};
is scalar(grep { ($_->{message} // '') eq 'from ws' } @$r), 1,
    'what was said over /ws is among the events';
my $s = SIO->websocket($host, conversation_id => $digits);
$s->connect;
ok $s->event(sub { ($_[0]{message} // '') eq 'from rest' }),
    'a socket finds a session of POST /input by its digits';

# ---- lists ----

post($ALL, { initial_user_msg => "echo $_" }) for 1 .. 5;
my ($page, @pages) = ('');
for (1 .. 20) {
	my $list = get("$ALL?limit=2$page")->{json};
	push @pages, map { $_->{conversation_id} } @{ $list->{results} };
	last unless defined $list->{next_page_id};
	$page = "&page_id=$list->{next_page_id}";
}
my @whole = map { $_->{conversation_id} } @{ get("$ALL?limit=100")->{json}{results} };
is_deeply \@pages, \@whole, 'a list in pages has each conversation once, in order';
# Rows of more than 2 MiB take more than one tick.
$host->input('echo ' . 'x' x 700_000, session => { session_id => "large-$_" }) for 1, 2;
my @larger = map { $_->{conversation_id} } @{ get("$ALL?limit=100")->{json}{results} };
is "@larger", join(' ', qw(large-2 large-1), @whole), 'large conversations are listed in one page';
is get("$ALL?limit=$_")->{status}, 400, "a list with limit=$_ is refused with 400" for 0, 101;
is get("$ALL?$_")->{status}, 422, "a list with $_ is refused with 422"
    for 'limit=abc', 'page_id=abc', 'page_id=-1';

# ---- deletion ----

is ask(DELETE => "$ALL/$UNKNOWN")->{body}, 'false', 'an unknown conversation is not deleted';
my $poll = SIO->polling($host, conversation_id => $id);
$poll->connect;
post("$ALL/$id/message", { message => 'sleep 1000000' });
is ask(DELETE => "$ALL/$id")->{body}, 'true', 'a conversation that runs is deleted';
is get("$ALL/$id")->{body}, 'null', 'a deleted conversation is unknown';
is get("/sessions/$id")->{status}, 404, 'a deleted conversation is no session';
for my $client ([$c, 'WebSocket'], [$poll, 'poll']) {
	my ($sio, $name) = @$client;
	my $over = $sio->event(sub { state_of($_[0]) eq 'stopped' && !defined $_[0]{id} });
	ok $over, "a $name of a deleted conversation is told that it has stopped";
	is $sio->next, '41', "a $name of a deleted conversation is disconnected";
}
$ws->send_json({ type => 'INPUT', prompt => 'echo hello' });
like $ws->next(type => 'ERROR')->{message}, qr/not found/i,
    'a client of /ws is told that the session is not found';
$c = SIO->websocket($host, conversation_id => $id, latest_event_id => -1);
$c->connect;
$c->emit(oh_user_action => { type => 'message', message => 'echo anew' });
$c->event(sub { ($_[0]{message} // '') eq 'anew' });
is((of_user(@{ events($id) }))[0]{id}, 1, 'the id of a deleted conversation begins anew');
is ask(DELETE => "$ALL/$digits")->{body}, 'true', 'a session of POST /input is deleted';
is get("/sessions/$uuid")->{status}, 404, 'a deleted session of POST /input is not found';

# ---- the server ----

is_deeply get('/alive')->{json}, { status => 'ok' }, 'the server is alive';
is ref get('/server_info')->{json}, 'HASH', 'the server says what it is';
is ref get("/api/options/$_")->{json}, 'ARRAY', "$_ are a list"
    for qw(models agents security-analyzers);
is get('/api/options/config')->{json}{APP_MODE}, 'oss', 'the page learns its mode';
is ask(PUT => $ALL)->{status}, 405, 'another method is refused with 405';
for my $method (qw(DELETE PATCH)) {
	my $r = ask(OPTIONS => "$ALL/$UNKNOWN", { origin => 'http://localhost:3001',
		'access-control-request-method' => $method });
	is $r->{status}, 204, "a page of another origin asks whether it may send $method";
	like $r->{header}{'access-control-allow-methods'}, qr/\b$method\b/, "such a page may send $method";
}
$host->stop;

# ---- the key ----

$host = CoHost->start(workers => 2, env => { SESSION_API_KEY => 'sesame' });
for my $key ([{}, 'no key'], [{ 'x-session-api-key' => '' }, 'an empty key'],
	[{ 'x-session-api-key' => 'wrong' }, 'a wrong key'],
	[{ authorization => 'Bearer wrong' }, 'a wrong Bearer']) {
	my ($header, $name) = @$key;
	for my $path ($ALL, "$ALL/$UNKNOWN", "$ALL/$UNKNOWN/events", '/api/options/models') {
		is_deeply [@{ get($path, $header) }{qw(status json)}],
		    [401, { detail => 'Unauthorized' }], "$name is refused at $path";
	}
	is post($ALL, {}, $header)->{status}, 401, "$name creates no conversation";
}
for my $key ([{ 'x-session-api-key' => 'sesame' }, 'the key in its header'],
	[{ authorization => 'Bearer sesame' }, 'the key as Bearer'],
	[{ cookie => 'a=b; session_api_key=sesame' }, 'the key as cookie']) {
	my ($header, $name) = @$key;
	is get($ALL, $header)->{status}, 200, "$name is accepted";
}
is get("$ALL?session_api_key=sesame")->{status}, 200, 'the key in the query is accepted';
is get($_)->{status}, 200, "$_ needs no key" for '/alive', '/server_info';
$host->stop;

# ---- owners ----

$host = CoHost->start(workers => 4, args => ['-o', 'trust=open']);
my ($anna, $bert) = (key_new(), key_new());

sub signed {
	my ($who, $method, $path, $body) = @_;
	my $text = defined $body ? JSON::PP->new->canonical->encode($body) : '';
	return ask($method => $path, publisher_headers($who, $host, $method, $path,
		body => $text), length $text ? $text : ());
}

$r = signed($anna, POST => $ALL, { initial_user_msg => 'echo hers' });
is $r->{status}, 200, 'a signed caller creates a conversation';
my $hers = $r->{json}{conversation_id};
ok wait_for(10, sub {
	(signed($anna, GET => "$ALL/$hers")->{json} // {})->{title} }),
    'the owner of a conversation reads it';
for my $other ([sub { signed($bert, @_) }, 'another caller'], [sub { ask($_[0], $_[1], {},
	$_[2] // ()) }, 'an anonymous caller']) {
	my ($do, $name) = @$other;
	is $do->(GET => "$ALL/$hers")->{body}, 'null', "$name does not see an owner's conversation";
	is $do->(GET => "$ALL/$hers/$_")->{status}, 404, "$name does not read its $_"
	    for qw(events trajectory config);
	is $do->(DELETE => "$ALL/$hers")->{body}, 'false', "$name does not delete it";
	is $do->(POST => "$ALL/$hers/message", { message => 'x' })->{status}, 404,
	    "$name does not speak in it";
	is $do->(POST => "$ALL/$hers/stop", {})->{json}{message}, 'Conversation was not running',
	    "$name does not stop it";
}
is scalar(grep { $_->{conversation_id} eq $hers } @{ signed($anna, GET => $ALL)->{json}{results} }),
    1, 'the list of its owner has a conversation';
is scalar(grep { $_->{conversation_id} eq $hers } @{ get($ALL)->{json}{results} }), 0,
    'the list of an anonymous caller does not have it';
is signed($anna, POST => "$ALL/$hers/message", { message => 'echo more' })->{status}, 200,
    'the owner of a conversation speaks in it';
my $token = encode_base64url(JSON::PP->new->encode(sign_payload($anna,
	{ to => host_address($host), timestamp => now($host), nonce => rand })));
is get("$ALL/$hers", { authorization => "Bearer $token" })->{json}{title}, 'echo hers',
    'the owner of a conversation may show a token';
is get("$ALL/$hers", { authorization => "Bearer $token" })->{status}, 401,
    'a token is good for one request';
is ask(GET => $ALL, { 'x-co-from' => $anna->{address} })->{status}, 401,
    'a request that is signed badly is refused with 401';
is signed($anna, DELETE => "$ALL/$hers")->{body}, 'true', 'the owner of a conversation deletes it';
$host->stop;

# ---- trust, limits, doors ----

$host = CoHost->start(workers => 1, args => ['-o', 'trust=strict']);
is get($ALL)->{status}, 401, 'a strict server refuses anonymous callers';
is get($ALL)->{json}{detail}, 'unauthorized: signed request required', 'an anonymous caller is told why it is refused';
is get('/alive')->{status}, 200, 'a strict server says that it is alive';
$host->stop;

$host = CoHost->start(workers => 2, args => ['-o', 'trusted_proxies=127.0.0.1',
	'-o', 'limit_peer_requests=3']);
my @answers = map { get($ALL, { 'x-forwarded-for' => '192.0.2.7' }) } 1 .. 6;
my ($late) = grep { $_->{status} == 429 } @answers;
is $late->{json}{message}, 'Too many requests', 'a client that asks too often is told the reason';
ok $late->{header}{'retry-after'}, 'a client that asks too often is told when to come back';
$host->stop;

$host = CoHost->start(workers => 1, args => ['-o', 'doors=http,connectonion']);
is get($_)->{status}, 404, "$_ is not found while the door is off"
    for $ALL, "$ALL/x", "$ALL/x/events", '/api/options/models', '/alive', '/server_info';
is post($ALL, {})->{status}, 404, 'no conversation is created while the door is off';
$host->stop;
done_testing;
