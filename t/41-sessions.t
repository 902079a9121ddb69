#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The list of sessions for people: pages, search, titles, deletion.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use JSON::PP;
use Rows;
use Sign qw(:all);
use Test::More;

my ($anna, $bert) = (key_new(), key_new());
my $host;

sub list {
	my ($key, $query) = @_;
	return $host->http(GET => "/sessions?$query",
		$key ? signed_get_headers($key, '/sessions') : {});
}
sub ids { return [map { $_->{session_id} } @{ $_[0]{json}{sessions} }] }

my $n = 0;

# PATCH and DELETE, as a page sends them.
sub change {
	my ($method, $id, $key, %o) = @_;
	my $path = "/sessions/$id";
	my $members = $o{members} || {};
	my $payload = { %$members, method => $method, path => $path, nonce => "c$$" . $n++,
		to => host_address($host), %{ $o{payload} || {} } };
	return $host->http($method => $o{at} || $path, {},
		$key ? signed_body($key, $payload) : $members);
}
sub rename_to { my ($id, $title, $key, %o) = @_; return change(PATCH => $id, $key, %o, members => { title => $title }) }

sub say_in {
	my ($id, $prompt, $key) = @_;
	return $host->http(POST => '/input', {},
		signed_body($key, { prompt => $prompt, session => { session_id => $id } }));
}

for my $workers (1, 4) {
	$host = CoHost->start(workers => $workers);
	my $at = "with -w $workers";
	say_in("a$_", "echo number $_", $anna) for 1 .. 5;
	say_in('b1', 'echo the Word', $bert);
	my $first = list($anna, 'limit=2');
	is_deeply ids($first), ['a5', 'a4'], "a page begins with the newest session $at";
	my $entry = $first->{json}{sessions}[0];
	is_deeply [@$entry{qw(title status waits_for turns last owner)}],
	    ['echo number 5', 'idle', undef, 1, 'number 5', $anna->{address}],
	    "an entry has a title, a status and the last words $at";
	is_deeply [sort keys %$entry],
	    [qw(created last owner session_id status title turns updated waits_for)],
	    "an entry has nine members $at";
	my $second = list($anna, "limit=2&before=$first->{json}{before}");
	is_deeply ids($second), ['a3', 'a2'], "before goes on behind a page $at";
	my $third = list($anna, "limit=2&before=$second->{json}{before}");
	is_deeply [grep { /^a/ } @{ ids($third) }], ['a1'], "the last page has the rest $at";
	is $third->{json}{before}, undef, "the last page has no page behind it $at";

	# ---- status ----

	my $tab = Rows->new($host, $anna, session_id => 'asks');
	$tab->open;
	$tab->say(INPUT => prompt => 'ask Which?|red|blue');
	$tab->read_type('ask_user');
	my $waiting = list($anna, 'status=waiting');
	is_deeply ids($waiting), ['asks'], "a session that waits is found by its status $at";
	is $waiting->{json}{sessions}[0]{waits_for}, 'ask_user', "an entry tells what its session waits for $at";
	say_in('bad', 'fail loudly', $anna);
	is_deeply ids(list($anna, 'status=failed')), ['bad'], "a failed session has the status failed $at";
	is list($anna, 'status=failed')->{json}{sessions}[0]{last}, 'fail loudly',
	    "the last words of a failed session are its prompt $at";

	# ---- search ----

	is_deeply ids(list($anna, 'q=NUMBER+3')), ['a3'], "a search finds texts in any spelling $at";
	is_deeply ids(list($anna, 'q=word')), [], "a search does not find what is another's $at";
	say_in('talk', 'echo first "quoted" thing', $anna);
	say_in('talk', 'echo second', $anna);
	is_deeply ids(list($anna, 'q=FIRST')), ['talk'], "a search finds earlier prompts $at";
	is_deeply ids(list($anna, 'q=%22quoted%22')), ['talk'], "a search finds what JSON escapes $at";
	is_deeply ids(list($anna, 'q=content')), [], "a search does not find names of members $at";
	is_deeply ids(list($anna, 'q=number&limit=2')), ['a5', 'a4'], "a search has pages $at";

	# ---- titles ----

	my $r = rename_to('a2', 'Große Fahrt', $anna);
	is_deeply [$r->{status}, $r->{json}], [200, { session_id => 'a2', title => 'Große Fahrt' }],
	    "an owner gives a session a title $at";
	is_deeply ids(list($anna, 'q=GRO%C3%9FE+fahrt')), ['a2'], "a search finds titles $at";
	say_in('a2', 'echo more', $anna);
	is list($anna, 'q=fahrt')->{json}{sessions}[0]{title}, 'Große Fahrt',
	    "a title stays when the session goes on $at";
	rename_to('a2', '', $anna);
	is_deeply [map { $_->{title} } @{ list($anna, 'q=number+2')->{json}{sessions} }],
	    ['echo more'], "an empty title gives way to a prompt $at";
	is rename_to('a2', 'mine', $bert)->{status}, 404, "a stranger does not find the session to rename $at";
	is rename_to('a2', 'x' x 201, $anna)->{status}, 400, "a title has a limit $at";
	is rename_to('a2', 7, $anna)->{json}{error}, 'title must be a text of at most 200 bytes',
	    "a title is a text $at";
	is rename_to('a2', 'x', undef)->{status}, 404, "an unsigned client does not find it $at";
	is rename_to('none', 'x', $anna)->{status}, 404, "an unknown session gets no title $at";
	is rename_to('a2', 'x', key_of($host))->{status}, 200, "an admin renames any session $at";

	# ---- signatures ----

	my $wrong = rename_to('a1', 'stolen', $anna, at => '/sessions/a3');
	is $wrong->{status}, 401, "a signature for one session does not count for another $at";
	like $wrong->{json}{error}, qr/method and path/, "the refusal says why $at";
	my $body = signed_body($anna, { title => 'once', method => 'PATCH', path => '/sessions/a1',
		to => host_address($host) });
	is $host->http(PATCH => '/sessions/a1', {}, $body)->{status}, 200, "a signed title is accepted $at";
	is $host->http(PATCH => '/sessions/a1', {}, $body)->{status}, 401, "a signed title is accepted once $at";
	is $host->http(PATCH => '/sessions/a1', { 'content-type' => 'application/json' }, $_)->{status},
	    400, "a body that is no object is refused: $_ $at" for '[1]', '{"title":';
	my $text = '{"title":"by headers"}';
	is $host->http(PATCH => '/sessions/a1', { 'content-type' => 'application/json',
		%{ publisher_headers($anna, $host, PATCH => '/sessions/a1', body => $text) } },
	    { title => 'by headers' })->{status}, 200, "the signature may be in the headers $at";

	# ---- deletion ----

	is change(DELETE => 'a4', $bert)->{status}, 404, "a stranger does not find the session to delete $at";
	my $gone = change(DELETE => 'a4', $anna);
	is_deeply [$gone->{status}, $gone->{json}],
	    [200, { session_id => 'a4', deleted => JSON::PP::true }], "an owner deletes a session $at";
	is_deeply ids(list($anna, 'q=number+4')), [], "a deleted session is not listed $at";
	is change(DELETE => 'a4', $anna)->{status}, 404, "a deleted session is unknown $at";
	is change(DELETE => 'asks', $anna)->{status}, 200, "a session that waits can be deleted $at";
	is $tab->read_type('DELETED')->{session_id}, 'asks', "an open tab is told of it $at";

	# ---- nobody's ----

	$host->input('echo nobody', session => { session_id => 'free' });
	is_deeply ids(list(undef, 'limit=5')), ['free'],
	    "clients on this machine list what nobody owns $at";
	is list(undef, 'limit=5')->{json}{sessions}[0]{owner}, undef, "a session that nobody owns is listed without an owner $at";
	is rename_to('free', 'kept', undef)->{status}, 200, "the client of a session that nobody owns renames it $at";
	is rename_to('free', 'taken', $bert)->{status}, 403, "other clients do not rename what they do not hold $at";
	is change(DELETE => 'free', undef)->{status}, 200, "the client of a session that nobody owns deletes it $at";

	# ---- by WebSocket ----

	my $ws = Rows->new($host, $anna, session_id => 'a1');
	$ws->open;
	my $ask = sub {
		my ($type, %o) = @_;
		$ws->say($type, request_id => "q$n", %o);
		my $f = $ws->read_until(sub { ($_[0]{request_id} // '') eq "q$n" });
		$n++;
		delete $f->{request_id};
		return $f;
	};
	is_deeply $ask->('SESSIONS', limit => 2), { type => 'SESSIONS',
		%{ list($anna, 'limit=2')->{json} } }, "SESSIONS has what GET /sessions has $at";
	my $page = $ask->('SESSIONS', q => 'number', limit => 2);
	is_deeply [map { $_->{session_id} } @{ $ask->('SESSIONS', q => 'NUMBER', limit => 1,
		before => $page->{before})->{sessions} }], ['a2'], "SESSIONS searches, by pages $at";
	is_deeply $ask->('RENAME', session_id => 'a3', title => 'third'),
	    { type => 'RENAMED', session_id => 'a3', title => 'third' }, "RENAME sets a title $at";
	is list($anna, 'q=third')->{json}{sessions}[0]{title}, 'third', "RENAME is seen in the list $at";
	is_deeply $ask->('DELETE', session_id => 'a3'), { type => 'DELETED', session_id => 'a3' },
	    "DELETE deletes a session $at";
	is_deeply ids(list($anna, 'q=third')), [], "DELETE is seen in the list $at";
	is $ask->('DELETE', session_id => 'b1')->{message}, 'not found',
	    "DELETE does not find what is another's $at";
	is $ask->('RENAME', session_id => 'a1', title => 'x' x 201)->{message},
	    'title must be a text of at most 200 bytes', "RENAME has a limit $at";
	is $ask->('SESSIONS', owner => '*')->{message}, 'only admins may list the sessions of others',
	    "SESSIONS of all are for admins $at";
	is $ask->('SESSIONS', limit => 'x')->{message}, 'limit must be 1 to 200',
	    "SESSIONS refuses a wrong limit $at";
	is $ask->('ROWS', limit => 0)->{message}, 'limit must be 1 to 1000',
	    "an ERROR repeats the request_id $at";
	my $plain = $host->ws(session => { session_id => 'plain' });
	$plain->send_json({ type => 'DELETE', session_id => 'plain' });
	like $plain->next(type => 'ERROR')->{message}, qr/signed_commands/,
	    "DELETE needs a signature $at";

	# ---- admins ----

	my $own = key_of($host);
	is_deeply [grep { /^b/ } @{ ids(list($own, 'owner=*&limit=200')) }], ['bad', 'b1'],
	    "an admin lists the sessions of all $at";
	is_deeply ids(list($own, "owner=$bert->{address}")), ['b1'], "an admin lists those of one $at";
	is_deeply ids(list($own, 'limit=200')), [], "an admin who names no owner lists its own sessions $at";
	is list($anna, "owner=$bert->{address}")->{json}{error},
	    'only admins may list the sessions of others', "a caller who is no admin lists no other owner $at";
	is list($anna, 'owner=*')->{status}, 403, "a caller who is no admin does not list all $at";
	is_deeply ids(list($bert, "owner=$bert->{address}")), ['b1'], "one's own may be named $at";

	# ---- bad input ----

	is list($anna, $_->[0])->{json}{error}, $_->[1], "?$_->[0] is refused $at" for
	    ['limit=0', 'limit must be 1 to 200'], ['limit=201', 'limit must be 1 to 200'],
	    ['before=x', 'before must be what another page gave'],
	    ['status=odd', 'status must be idle, running, waiting or failed'],
	    ['owner=me', 'owner must be an address, or * for all'];
	like list($anna, 'q=' . 'x' x 201)->{json}{error}, qr/^q must have/, "a long search is refused $at";
	$host->stop;
}
done_testing;
