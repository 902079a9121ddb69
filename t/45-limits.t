#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What one identity and one address may have, whichever worker they ask.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file);
use Sign qw(:all);
use Test::More;
use Time::HiRes qw(time);

my ($anna, $bert) = (key_new(), key_new());
my $n = 0;

# Two signatures of one second must differ.
sub input_of {
	my ($host, $key, $prompt, %header) = @_;
	return $host->http(POST => '/input', \%header, signed_body($key,
		{ prompt => $prompt, timestamp => now($host), nonce => $n++ }));
}

# A client of the address that a proxy speaks for.
sub from { return ('x-forwarded-for' => "192.0.2.$_[0]") }

sub connect_as {
	my ($host, $key, %o) = @_;
	my $ws = $host->ws(headers => delete $o{headers});
	$ws->send_json(connect_frame($key, $host, %o, payload => { nonce => $n++ }));
	return ($ws, $ws->next(type => ['CONNECTED', 'ERROR']));
}

# So many at once, and what came again meanwhile.
sub is_limit {
	my ($got, $most, $began, $name) = @_;
	my $again = int((time - $began) * $most / 60) + 1;
	ok $got >= $most && $got < $most + $again, $name
	    or diag "$got of $most, and less than $again that came again";
}

# ---- requests ----

my $host = CoHost->start(clock => 1, yaml => "limit_requests: 6\nlimit_peer_requests: 8\n"
	    . "trusted_proxies: 127.0.0.1\n");
my $began = time;
my @replies = map { input_of($host, $anna, 'echo hi') } 1 .. 20;
my @good = grep { $_->{status} == 200 } @replies;
my ($refused) = grep { $_->{status} == 429 } @replies;
is_limit(scalar(@good), 6, $began, 'an identity has its limit over all workers together');
is $good[0]{header}{'ratelimit-policy'}, '"requests";q=6;w=60', 'an answer names the limit';
like $good[0]{header}{ratelimit}, qr/^"requests";r=5;t=\d+$/,
    'an answer says how many requests are left';
is $refused->{header}{'ratelimit-policy'}, '"requests";q=6;w=60', 'a refusal names the limit';
like $refused->{header}{ratelimit}, qr/^"requests";r=0;t=\d+$/,
    'a refusal says that no requests are left';
my $after = $refused->{header}{'retry-after'};
like $after, qr/^(?:[1-9]|10)$/, 'a refusal has Retry-After';
is $refused->{json}{error}, "too many requests: 6 per minute for one identity; retry in $after s",
    'a refusal says in words when to retry';
is $refused->{json}{code}, -32029, 'a refusal has the code for limits';
ok $refused->{json}{data}{retryable}, 'a refusal is said to be retryable';
my $ms = $refused->{json}{data}{retry_after_ms};
ok $ms > ($after - 1) * 1000 && $ms <= $after * 1000, 'retry_after_ms agrees with Retry-After';
is input_of($host, $bert, 'echo hi')->{status}, 200,
    'the limit of one identity does not affect another';
is $host->input('echo hi')->{status}, 200,
    'the limit of an identity does not affect unsigned loopback requests' for 1 .. 20;
is $host->input('echo hi')->{header}{ratelimit}, undef,
    'an unsigned loopback request is told of no limit';
is $host->metric('cohostd_limited_requests_total'), 20 - @good, 'refused requests are counted';

my ($ws, $hello) = connect_as($host, $anna);
is $hello->{type}, 'CONNECTED', 'a client over its limit may still connect';
my $end = ($ws->turn('echo hi'))[-1];
is $end->{type}, 'ERROR', 'a client over its limit is refused on its socket';
is $end->{code}, -32029, 'the ERROR on a socket has the code for limits';
like $end->{message}, qr/^too many requests: 6 per minute for one identity; retry in \d+ s$/,
    'the ERROR on a socket says in words when to retry';
ok $end->{retryable} && $end->{retry_after_ms} > 0, 'the ERROR on a socket says when to retry';
$host->pass(70);
is +($ws->turn('echo again'))[-1]{result}, 'again', 'a socket goes on when its minute is over';
is input_of($host, $anna, 'echo hi')->{status}, 200,
    'requests of an identity are answered when its minute is over';

# ---- of an address ----

sub wrong {
	my ($host, %header) = @_;
	my $body = signed_body($anna, { prompt => 'x', timestamp => now($host), nonce => $n++ });
	substr($body->{signature}, 9, 1) =~ tr/0-9a-f/1-9a-f0/;
	return $host->http(POST => '/input', \%header, $body)->{status};
}

$began = time;
my @wrong = map { wrong($host, from(1)) } 1 .. 20;
is_limit(scalar(grep { $_ == 401 } @wrong), 8, $began,
    'bad signatures count against their address');
is scalar(grep { $_ == 429 } @wrong), 20 - grep({ $_ == 401 } @wrong),
    'requests over the limit of an address are not verified';
my $reply = $host->http(POST => '/input', { from(1) }, { prompt => 'echo hi' });
is $reply->{status}, 429, 'the limit of an address holds for unsigned requests';
like $reply->{json}{error}, qr/^too many requests: 8 per minute from one address; /,
    'the refusal for an address names the limit';
is $reply->{header}{'ratelimit-policy'}, '"peer-requests";q=8;w=60',
    'the refusal for an address has the limit in a header';
is $host->http(GET => '/admin/logs', { from(1) })->{status}, 429,
    'the limit of an address holds for admins';
is $host->http(GET => '/health', { from(1) })->{status}, 200,
    '/health is answered to an address over its limit';
$reply = input_of($host, $bert, 'echo hi', from(2));
is $reply->{status}, 200, 'the limit of one address does not affect another';
like $reply->{header}{'ratelimit-policy'}, qr/"peer-requests";q=8;w=60, "requests";q=6;w=60/,
    'an answer names both limits of a signed request';

$ws = $host->ws(headers => { from(3) });
$ws->send_json({ type => 'PING' }) for 1 .. 12;
my @frames = map { $ws->next(type => ['PONG', 'ERROR']) } 1 .. 12;
ok 8 <= grep({ $_->{type} eq 'PONG' } @frames),
    'frames of an address are answered up to its limit';
is $frames[-1]{code}, -32029, 'frames over the limit of an address are refused';
like $frames[-1]{message}, qr/ from one address; /,
    'the ERROR for a frame names the limit of the address';
$host->stop;

# ---- polling clients of Socket.IO ----

$host = CoHost->start(workers => 4, clock => 1,
	yaml => "limit_peer_polling: 3\nmax_polling: 16\ntrusted_proxies: 127.0.0.1\n");

sub poll_from {
	my ($from) = @_;
	my %header = $from ? from($from) : ();
	return $host->http(GET => '/socket.io/?EIO=4&transport=polling&conversation_id=x', \%header);
}

is poll_from(1)->{status}, 200, 'an address may begin as many Socket.IO sessions as its limit' for 1 .. 3;
my $r = poll_from(1);
is $r->{status}, 429, 'an address with as many Socket.IO sessions as its limit is refused';
is $r->{json}{error}, 'too many Socket.IO clients that poll: 3 from one address '
    . '(limit_peer_polling); retry when one has ended', 'the refusal of a Socket.IO session names the limit';
is $r->{header}{'retry-after'}, 1, 'the refusal of a Socket.IO session says when to retry';
is poll_from(2)->{status}, 200, 'the limit of Socket.IO sessions of one address is not that of another';
is poll_from(0)->{status}, 200, 'a client on the same machine has no limit of Socket.IO sessions' for 1 .. 12;
is poll_from(2)->{status}, 503, 'a full table of Socket.IO sessions refuses';
is $host->metric('cohostd_limited_polling_total'), 1, 'refusals by limit_peer_polling are counted';
is $host->metric('cohostd_polling_refused_total'), 1, 'refusals by max_polling are counted';
$host->pass(5);
ok wait_for(20, sub { $host->metric('cohostd_polling_idle_total') == 16 }),
    'Socket.IO sessions that did not connect leave a full table after a few seconds';
is poll_from(1)->{status}, 200, 'an address may begin Socket.IO sessions when its others have ended';
$host->stop;

# ---- sockets ----

$host = CoHost->start(yaml => "limit_sockets: 2\nlimit_peer_sockets: 3\n"
	    . "trusted_proxies: 127.0.0.1\n");
my @sockets = map { $host->ws(headers => { from(1) }) } 1 .. 3;
is_deeply [map { $_->status } @sockets], [101, 101, 101],
    'an address may open sockets up to its limit';
my $more = $host->ws(headers => { from(1) });
is $more->status, 429, 'an address cannot open a socket over its limit';
ok $more->{head}{header}{'retry-after'}, 'the refusal of a socket has Retry-After';
is $host->ws(headers => { from(2) })->status, 101, 'another address may open a socket';
(shift @sockets)->close;
is wait_for(10, sub {
	my $ws = $host->ws(headers => { from(1) });
	push @sockets, $ws if $ws->status == 101;
	return $ws->status == 101 && 101;
}), 101, 'a closed socket makes room for another';

my @hers = map { (connect_as($host, $anna))[0] } 1 .. 2;
($ws, $hello) = connect_as($host, $anna);
is $hello->{message}, 'too many WebSockets at once: 2 for one identity; retry when one has ended',
    'an identity cannot open a socket over its limit';
ok $hello->{retryable} && $hello->{retry_after_ms},
    'the refusal of a socket of an identity is retryable';
(undef, $hello) = connect_as($host, $bert);
is $hello->{type}, 'CONNECTED', 'another identity may open a socket';
$hers[0]->close;
ok wait_for(10, sub { (connect_as($host, $anna))[1]{type} eq 'CONNECTED' }),
    'a closed socket makes room for another of its identity';

# What a worker held is gone with it.
my %old = map { $_ => 1 } $host->workers;
$host->kill_worker($_) for keys %old;
wait_for(20, sub { 4 == grep { !$old{$_} } $host->workers });
my @new;
for (1 .. 3) {
	push @new, wait_for(10, sub { eval { $host->ws(headers => { from(1) }) } });
}
is_deeply [map { $_->status } @new], [101, 101, 101], 'sockets of a dead worker are not counted';
is $host->ws(headers => { from(1) })->status, 429,
    'new sockets after the death of a worker are counted';
my @types;
for (1 .. 3) {
	my ($ws, $hello) = connect_as($host, $anna);
	push @new, $ws; # it stays open
	push @types, $hello->{type};
}
is_deeply \@types, ['CONNECTED', 'CONNECTED', 'ERROR'],
    'sockets of an identity in a dead worker are not counted';
$host->stop;

# ---- turns ----

$host = CoHost->start(yaml => "limit_runs: 2\n");

# A turn that waits for an answer.
sub ask_in {
	my ($id) = @_;
	my ($ws) = connect_as($host, $anna, session_id => $id);
	$ws->send_json({ type => 'INPUT', prompt => 'ask Which?|red|blue' });
	$ws->next(type => 'ask_user') or diag "no question in $id";
	return $ws;
}

my @asking = map { ask_in("ask$_") } 1, 2;
my $full = 'too many turns at once: 2 for one identity; retry when one has ended';
$reply = input_of($host, $anna, 'echo hi');
is $reply->{status}, 429, 'a turn over the limit of an identity is refused';
is $reply->{json}{error}, $full, 'the refusal of a turn names the limit';
ok $reply->{header}{'retry-after'} >= 1, 'the refusal of a turn has Retry-After';
my ($third) = connect_as($host, $anna, session_id => 'third');
is +($third->turn('echo hi'))[-1]{message}, $full, 'a turn over the limit is refused on a socket';
is input_of($host, $bert, 'echo hi')->{status}, 200, 'another identity may begin a turn';
is $host->metric('cohostd_limited_runs_total'), 2, 'refused turns are counted';
$asking[0]->send_json({ type => 'ASK_USER_RESPONSE', answer => 'red' });
is $asking[0]->next(type => 'OUTPUT')->{type}, 'OUTPUT', 'one of the turns at the limit ends';
is +($third->turn('echo hi'))[-1]{result}, 'hi', 'a turn may begin when another has ended';
is +($third->turn("echo $_"))[-1]{result}, $_,
    'turns one after the other are not limited' for 1 .. 10;

# A turn that another worker takes over counts there, once.
my $again = ask_in('ask3');
%old = map { $_ => 1 } $host->workers;
$host->kill_worker($_) for keys %old;
wait_for(20, sub { 4 == grep { !$old{$_} } $host->workers });
for my $id ('ask2', 'ask3') {
	my ($ws) = wait_for(10, sub {
		my @found = eval { connect_as($host, $anna, session_id => $id) };
		return @found && $found[1]{status} && $found[1]{status} eq 'running' && $found[0];
	});
	ok $ws && $ws->next(type => 'ask_user'), "the turn of $id goes on in another worker";
	is input_of($host, $anna, 'echo hi')->{json}{error}, $full,
	    'a turn that moved to another worker is counted'
	    if $id eq 'ask2';
	$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => 'red' });
	is $ws->next(type => 'OUTPUT')->{type}, 'OUTPUT', "the turn of $id ends";
	is input_of($host, $anna, 'echo hi')->{status}, 200,
	    "the end of the turn of $id makes room for another";
}
my @both = map { ask_in("both$_") } 1, 2;
is input_of($host, $anna, 'echo hi')->{status}, 429,
    'two turns may run again after both moves, and no third';
$host->stop;

# ---- budgets ----

my $dir = CoHost::directory();
write_file("$dir/agent.sh", <<'END');
read input
echo '{"type":"llm_result","status":"success","usage":{"input_tokens":20,"output_tokens":40,"total_tokens":60,"cost":0.004}}'
echo '{"type":"OUTPUT","result":"fine"}'
END
my %start = (dir => $dir, clock => 1, agent => "exec:sh $dir/agent.sh",
	yaml => "limit_tokens: 100\n");
my $noon = 86400 - time % 86400 + 43200;

# No test shall be divided by midnight.
sub begin {
	my ($yaml) = @_;
	$host = CoHost->start(%start, $yaml ? (yaml => $yaml) : ());
	$host->pass($noon);
}

begin();
is_deeply [map { input_of($host, $anna, 'hi')->{status} } 1 .. 4], [200, 200, 429, 429],
    'turns begin while there is a budget left';
$reply = input_of($host, $anna, 'hi');
like $reply->{json}{error},
    qr/^budget used up: 100 tokens per day for one identity; it resets at \d{4}-\d\d-\d\dT00:00:00Z$/,
    'the refusal for a used budget says when it is reset';
ok $reply->{header}{'retry-after'} > 36000 && $reply->{header}{'retry-after'} <= 43200,
    'the refusal for a used budget has Retry-After';
is input_of($host, $bert, 'hi')->{status}, 200, 'another identity has a budget of its own';
is_deeply [map { $host->input('hi')->{status} } 1 .. 3], [200, 200, 429],
    'unsigned callers of one address share a budget';
is $host->metric('cohostd_tokens_total'), 300, 'the metrics count tokens';
is $host->metric('cohostd_cost_dollars_total'), 0.02, 'the metrics count cost';
is $host->metric('cohostd_limited_budget_total'), 4,
    'the metrics count refusals for a used budget';
$host->stop;

begin();
is input_of($host, $anna, 'hi')->{status}, 429, 'a used budget stays used over a restart';
is input_of($host, $bert, 'hi')->{status}, 200, 'the rest of a budget survives a restart';
$host->pass(86400);
is input_of($host, $anna, 'hi')->{status}, 200, 'budgets are reset on the next day';
$host->stop;

begin("limit_cost: 1\n");
like input_of($host, $anna, 'hi')->{json}{error} // '', qr/^$/,
    'a cost within its budget is accepted';
is input_of($host, $anna, 'hi')->{json}{error} =~ s/ for one.*//r,
    'budget used up: 0.01 dollars per day', 'a used budget of cost is refused';
$host->stop;
done_testing;
