#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# HTTP by the conformance checklist: who may ask, what is answered, in which exact words.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file);
use JSON::PP;
use List::Util qw(shuffle);
use Sign qw(:all);
use Test::More;

my $UUID = qr/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
my %CLEAN = (CO_INVITE_CODE => undef, CO_PAYMENT => undef, CONNECTONION_ENV => undef);
my ($anna, $bert) = (key_new(), key_new());

sub start {
	my ($trust, %o) = @_;
	delete @ENV{ keys %CLEAN };
	return CoHost->start(clock => 1, args => ['--trust', $trust, @{ delete $o{args} || [] }],
		%o);
}

sub post { my ($host, $body) = @_; return $host->http(POST => '/input', {}, $body) }

# A status and a whole body.
sub answers {
	my ($r, $status, $body, $what) = @_;
	is $r->{status}, $status, $what;
	is_deeply $r->{json}, ref $body ? $body : { error => $body }, "$what: the body"
	    or diag $r->{body};
	return $r;
}

# A body that is signed at the time of the host.
sub body_of {
	my ($host, $key, $payload, %more) = @_;
	return signed_body($key, { timestamp => now($host), %$payload }, %more);
}

sub get_signed {
	my ($host, $key, $path) = @_;
	return $host->http(GET => $path,
		signed_get_headers($key, $path, timestamp => now($host)));
}

# ---- open ----

my $host = start('open');
my @seen;

for my $path ('/', '/input', '/health', '/sessions/x', '/admin/logs', '/ws', '/no/such/thing') {
	my $r = $host->http(OPTIONS => $path);
	is $r->{status}, 204, "OPTIONS $path is 204";
	is $r->{body}, '', "the answer to OPTIONS $path has no body";
	push @seen, ["OPTIONS $path", $r];
}

my $uptime = 0;
for (1 .. 24) {
	$host->pass(rand 3);
	my $r = $host->http(GET => '/health');
	is_deeply [sort keys %{ $r->{json} }], [qw(agent status uptime)], 'health has three members';
	like $r->{body}, qr/"uptime":\d+[,}]/, 'uptime is a whole number';
	cmp_ok $r->{json}{uptime}, '>=', $uptime, 'uptime never falls, whichever worker tells it';
	$uptime = $r->{json}{uptime};
}

my $r = $host->http(GET => '/info');
is_deeply [sort keys %{ $r->{json} }],
    [qw(accepted_inputs address can_seal examples model name protocol skills tools trust version
	web)], 'info has the members of the document and those that the page needs, and no others';
is $r->{header}{'cache-control'}, 'no-store', 'info is never cached';
is $r->{json}{address}, host_address($host),
    'the address in info is that of the key, in lower case';
push @seen, ['info', $r];

$r = post($host, { prompt => 'Translate hello to Spanish' });
is_deeply [$r->{status}, @{ $r->{json} }{qw(status result)}], [200, 'done', 'Hola'],
    'an open host answers an unsigned input';
is_deeply [sort keys %{ $r->{json} }],
    [sort qw(session_id status result duration_ms session chat_items server_newer)],
    'an answered input has the members of the document';
like $r->{body}, qr/"duration_ms":\d+[,}]/, 'duration_ms is a whole number of milliseconds';
like $r->{json}{session_id}, $UUID, 'the id of a new session is a UUID';
is $r->{json}{session}{session_id}, $r->{json}{session_id},
    'the session carries the id of the answer';
push @seen, ['a turn', $r];

# ---- bodies that are none, and signatures that are none ----

for my $text ('{', '', '[]', '5', 'null', 'true', '"x"', '{"prompt":"x"', "\xff") {
	next if $text eq '';
	my $r = answers(post($host, $text), 400, 'Invalid JSON', "a body that is no object: $text");
	push @seen, ['not JSON', $r];
}

my $good = body_of($host, $anna, { prompt => 'echo x' });
my @broken = (
	[{ payload => undef }, 'signed request required', 'a payload of null'],
	[{ payload => [] }, 'signed request required', 'an array for a payload'],
	[{ payload => 'x' }, 'signed request required', 'a string for a payload'],
	[{ from => 5 }, q('from' field required), 'a number in from'],
	[{ from => undef }, q('from' field required), 'a from of null'],
	[{ from => '' }, q('from' field required), 'an empty from'],
	[{ from => '0x12' }, 'invalid signature', 'a from that is no address'],
	[{ signature => 5 }, 'signature required', 'a number for a signature'],
	[{ signature => '' }, 'signature required', 'an empty signature'],
	[{ signature => substr $good->{signature}, 0, 126 }, 'invalid signature',
		'a signature of 63 bytes'],
	[{ signature => "$good->{signature}00" }, 'invalid signature', 'one of 65'],
	[{ signature => 'z' x 128 }, 'invalid signature', 'one that is not hex'],
);
for (@broken) {
	my ($change, $error, $what) = @$_;
	my $r = answers(post($host, { %$good, %$change }), 401, "unauthorized: $error",
		"$what is 401");
	push @seen, [$what, $r];
}
answers(post($host, { prompt => 'x', from => $anna->{address} }), 401,
	'unauthorized: signed request required',
	'a body with from but without a signature is refused');
answers(post($host, { prompt => 'x', signature => '00' }), 401,
	'unauthorized: signed request required',
	'a body with a signature but without a payload is refused');
answers(post($host, {}), 400, 'prompt required', 'an anonymous body without a prompt is refused');
is post($host, $good)->{json}{result}, 'x',
    'a signature is not used up by broken copies of its body';
answers(post($host, $good), 401, 'unauthorized: signature already used',
	'a used signature is refused by every worker') for 1 .. 8;

for my $to (key_new()->{address}, 'translator', '', 5) {
	answers(post($host, body_of($host, $anna, { prompt => 'x', to => $to })), 401,
		'unauthorized: wrong recipient', "a payload for '$to' is refused");
}
is post($host, body_of($host, $anna, { prompt => 'echo mine', to => $_ }))->{json}{result},
    'mine',
    "a payload for the host's own address is accepted"
    for host_address($host), uc(host_address($host)) =~ s/^0X/0x/r;
is post($host, body_of($host, $anna, { prompt => 'echo any' }))->{json}{result}, 'any',
    'a payload without a recipient is accepted';

# ---- whose session ----

post($host, body_of($host, $bert, { prompt => 'echo b' }, session => { session_id => 'berts' }));
$r = answers(post($host, body_of($host, $anna, { prompt => 'echo a' },
	session => { session_id => 'berts' })), 404,
	{ error => 'Session not found', code => -32002 },
	'a session of another client is not found');
push @seen, ['404', $r];
answers(post($host, { prompt => 'echo a', session => { session_id => 'berts' } }), 404,
	{ error => 'Session not found', code => -32002 },
	'a session of a client is not found by an unsigned request');

# ---- one turn at a time ----

# Time stands still for the turn, so that the first one cannot end before the last comes.
for my $id (map { "busy-$_" } 1 .. 5) {
	my @clients = map { $host->client } 1 .. 6;
	$_->send(POST => '/input', {}, { prompt => 'sleep 600000',
		session => { session_id => $id } }) for shuffle @clients;
	my (@refused, @waiting);
	ok wait_for(20, sub {
		for my $c (splice @clients) {
			my $r = $c->reply(0.05);
			push @{ $r ? \@refused : \@clients }, $r // $c;
		}
		return @refused >= 5;
	}), "five of six inputs to $id are answered at once";
	is_deeply [map { $_->{status} } @refused], [(409) x 5],
	    "five of six inputs to $id are refused";
	is_deeply $_->{json}, { error => 'Session is busy', code => -32000,
		data => { retryable => JSON::PP::true } },
		    "the refusal of an input to the busy $id is retryable" for @refused;
	push @seen, ['409', $refused[0]];
	# It is refused to others from the first moment, and shown once it is written.
	ok wait_for(10, sub {
		($host->http(GET => "/sessions/$id")->{json}{status} // '') eq 'running';
	}), "one of six inputs to $id runs";
	$host->pass(600);
	is $clients[0]->reply->{json}{result}, 'Slept 600000 ms.',
	    "the running input to $id ends with its result";
}
is scalar($host->workers), 4, 'four workers are still running';

# ---- records ----

$r = post($host, { prompt => 'echo seen', session => { session_id => 'nobodys' } });
answers($host->http(GET => '/sessions/nobodys'), 200, { session_id => 'nobodys',
	status => 'done', result => 'seen', duration_ms => $r->{json}{duration_ms} },
	'an unsigned reader sees four members of a record of nobody');
my ($owned, $unknown) = map { $host->http(GET => "/sessions/$_") } 'berts', 'none';
answers($owned, 404, 'not found', 'a record of a client is not found by an unsigned request');
is $owned->{body}, $unknown->{body},
    'the answer for a hidden record is the same as for an unknown one';
is_deeply { %{ $owned->{header} }, date => 0 }, { %{ $unknown->{header} }, date => 0 },
    'the headers for a hidden record are the same as for an unknown one';
my $record = get_signed($host, $bert, '/sessions/berts')->{json};
is_deeply [sort keys %$record],
    [sort qw(session_id status prompt result session created expires duration_ms)],
    'the owner of a record sees eight members';
answers(get_signed($host, $anna, '/sessions/berts'), 404, 'not found',
    'a record of a client is not found by another client');
is get_signed($host, $anna, '/sessions/nobodys')->{json}{prompt}, 'echo seen',
    'a record of nobody is whole for a signed reader';

# New ones, a second apart.
$host->pass(100);
for my $row ([$anna, 'first'], [undef, 'second'], [$bert, 'third'], [$anna, 'fourth']) {
	my ($key, $id) = @$row;
	my %session = (session => { session_id => $id });
	post($host, $key ? body_of($host, $key, { prompt => 'echo x' }, %session)
	    : { prompt => 'echo x', %session });
	$host->pass(1);
}
my @list = @{ get_signed($host, $anna, '/sessions')->{json}{sessions} };
is_deeply [map { $_->{session_id} } @list[0 .. 2]], [qw(fourth second first)],
    "a list has the client's own records and those of nobody, newest first";
is_deeply [grep { my $who = $_->{session}{requester}; $who && $who->{address} ne $anna->{address} }
	@list], [], 'a list has no records of other clients';
is_deeply [sort { $b <=> $a } map { $_->{created} } @list], [map { $_->{created} } @list],
    'a list is sorted by the time of creation';
is_deeply [sort keys %{ $list[0] }], [sort keys %$record], 'a list has whole records';

my $time = now($host);
my $headers = signed_get_headers($anna, '/sessions/fourth', timestamp => $time);
answers($host->http(GET => '/sessions', $headers), 401, 'unauthorized: invalid signature',
	'headers signed for a session are refused for the list');
answers($host->http(GET => '/sessions/first', $headers), 401, 'unauthorized: invalid signature',
	'headers signed for one session are refused for another');
my $list = signed_get_headers($anna, '/sessions', timestamp => $time);
is_deeply [map { $host->http(GET => '/sessions', $list)->{status} } 1 .. 8], [(200) x 8],
    'a signed GET may be repeated within its time';
$host->pass(302);
answers($host->http(GET => '/sessions', $list), 401, 'unauthorized: signature expired',
	'a signed GET is refused after its time');
for (['abc', 'unauthorized: timestamp must be numeric'],
    ['', 'unauthorized: timestamp required in payload'],
    [undef, 'unauthorized: timestamp required in payload'],
    ['1e400', 'unauthorized: timestamp must be numeric'],
    ['12.5', 'unauthorized: timestamp must be numeric']) {
	my ($text, $error) = @$_;
	my $r = $host->http(GET => '/sessions', { %$list, 'x-co-timestamp' => $text });
	answers($r, 401, $error, 'an x-co-timestamp of ' . ($text // 'nothing') . ' is 401');
	push @seen, ['timestamp', $r];
}

# ---- every reply may be read by a browser ----

my $name = 'x' x 300;
push @seen, ['500', post($host, { prompt => 'fail because' })],
    ['403', $host->http(GET => '/sessions', { %$list, 'x-co-from' => $name })],
    ['405', $host->http(PUT => '/input', {}, '{}')],
    ['forbidden', do {
	write_file($host->dir . '/.co/blocklist.txt', "$bert->{address}\n");
	post($host, body_of($host, $bert, { prompt => 'x' }));
    }],
    ['too large', do {
	my $c = $host->client;
	$c->write("POST /input HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n");
	$c->reply;
    }],
    ['not found', $host->http(GET => '/nope')];
my %status = map { $_->[1]{status} => 1 } @seen;
is join(' ', sort keys %status), '200 204 400 401 403 404 405 409 413 500',
    'every kind of status was among the replies';
my @names = qw(x-co-from x-co-signature x-co-timestamp x-co-to x-co-request-id authorization
	content-type);
for (@seen) {
	my ($what, $r) = @$_;
	my $h = $r->{header};
	my %allowed = map { $_ => 1 } split /,\s*/, lc($h->{'access-control-allow-headers'} // '');
	ok $h->{'access-control-allow-origin'} eq '*'
	    && $h->{'access-control-allow-methods'} eq 'GET, POST, OPTIONS'
	    && !(grep { !$allowed{$_} } @names), "$what ($r->{status}) has the CORS headers";
}
ok !exists $host->http(GET => '/docs')->{header}{'access-control-allow-origin'},
    '/docs has no CORS headers';
$host->stop('QUIT');

# ---- who may ask ----

my $required = 'unauthorized: signed request required';
my @levels = (
	['careful', {}, 200, undef],
	['careful', { CO_INVITE_CODE => 'sesame' }, 401, { invite_code => JSON::PP::true,
		payment => undef }],
	['strict', {}, 401, undef],
	['strict', { CO_INVITE_CODE => 'sesame' }, 401, undef],
	["---\ndefault: deny\n---\nOnly the secret friends.\n", {}, 401, undef],
);
for (@levels) {
	my ($trust, $env, $status, $onboard) = @$_;
	my $what = ($trust =~ /^---/ ? 'custom' : $trust) . (%$env ? ' with a door' : '');
	$host = start($trust, env => $env);
	$r = post($host, { prompt => 'echo x' });
	if ($status == 200) {
		is "$r->{status} $r->{json}{result}", '200 x',
		    "under $what, an unsigned input is answered";
	} else {
		answers($r, $status, $required, "under $what, an unsigned input is refused");
		answers(post($host, ''), $status, $required,
		    "under $what, an empty body is refused as unsigned");
		answers(post($host, '{}'), $status, $required,
		    "under $what, an empty object is refused as unsigned");
	}
	my $info = $host->http(GET => '/info');
	is_deeply $info->{json}{onboard}, $onboard,
	    "under $what, info has the open ways to onboard";
	is exists $info->{json}{onboard}, defined $onboard || '',
	    "under $what, info has onboard only if there is a way";
	is $info->{json}{trust}, $what =~ /^(\w+)/ ? $1 : '',
	    "under $what, info names the trust level";
	unlike $info->{body}, qr/secret|default|sesame|\.co\b/,
	    "under $what, info shows nothing private";
	$host->stop;
}

my $dir = CoHost::directory();
write_file("$dir/friends-only.md", "---\ndefault: deny\n---\nOnly the secret friends.\n");
$host = start('friends-only.md', dir => $dir);
$r = $host->http(GET => '/info');
is $r->{json}{trust}, 'custom', 'info calls a policy in a file custom';
unlike $r->{body}, qr/friends|\Q$dir\E/, 'info does not show the name of a policy file';
$host->stop;
done_testing;
