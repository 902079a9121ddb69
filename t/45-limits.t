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
is $good[0]{header}{'ratelimit-policy'}, '"requests";q=6;w=60', 'it is told of the limit';
like $good[0]{header}{ratelimit}, qr/^"requests";r=5;t=\d+$/, 'and of what is left';
is $refused->{header}{'ratelimit-policy'}, '"requests";q=6;w=60', 'as it is when refused';
like $refused->{header}{ratelimit}, qr/^"requests";r=0;t=\d+$/, 'when nothing is left';
my $after = $refused->{header}{'retry-after'};
like $after, qr/^(?:[1-9]|10)$/, 'and when to come again';
is $refused->{json}{error}, "too many requests: 6 per minute for one identity; retry in $after s",
    'in words';
is $refused->{json}{code}, -32029, 'with a number';
ok $refused->{json}{data}{retryable}, 'which says that it may';
my $ms = $refused->{json}{data}{retry_after_ms};
ok $ms > ($after - 1) * 1000 && $ms <= $after * 1000, 'and exactly when';
is input_of($host, $bert, 'echo hi')->{status}, 200, 'another identity is not affected';
is $host->input('echo hi')->{status}, 200, 'nor is nobody, on this machine' for 1 .. 20;
is $host->input('echo hi')->{header}{ratelimit}, undef, 'who is told of no limit';
is $host->metric('cohostd_limited_requests_total'), 20 - @good, 'refusals are counted';

my ($ws, $hello) = connect_as($host, $anna);
is $hello->{type}, 'CONNECTED', 'who is refused may still connect';
my $end = ($ws->turn('echo hi'))[-1];
is $end->{type}, 'ERROR', 'but has no more on a socket';
is $end->{code}, -32029, 'where the number is the same';
like $end->{message}, qr/^too many requests: 6 per minute for one identity; retry in \d+ s$/,
    'and the words are';
ok $end->{retryable} && $end->{retry_after_ms} > 0, 'and the time is told';
$host->pass(70);
is +($ws->turn('echo again'))[-1]{result}, 'again', 'after a minute it goes on';
is input_of($host, $anna, 'echo hi')->{status}, 200, 'everywhere';

# ---- of an address ----

sub wrong {
	my ($host, %header) = @_;
	my $body = signed_body($anna, { prompt => 'x', timestamp => now($host), nonce => $n++ });
	substr($body->{signature}, 9, 1) =~ tr/0-9a-f/1-9a-f0/;
	return $host->http(POST => '/input', \%header, $body)->{status};
}

$began = time;
my @wrong = map { wrong($host, from(1)) } 1 .. 20;
is_limit(scalar(grep { $_ == 401 } @wrong), 8, $began, 'bad signatures count for their address');
is scalar(grep { $_ == 429 } @wrong), 20 - grep({ $_ == 401 } @wrong), 'and the rest is not looked at';
my $reply = $host->http(POST => '/input', { from(1) }, { prompt => 'echo hi' });
is $reply->{status}, 429, 'whoever else is there waits as well';
like $reply->{json}{error}, qr/^too many requests: 8 per minute from one address; /, 'and is told why';
is $reply->{header}{'ratelimit-policy'}, '"peer-requests";q=8;w=60', 'in the headers, too';
is $host->http(GET => '/admin/logs', { from(1) })->{status}, 429, 'admins are no exception';
is $host->http(GET => '/health', { from(1) })->{status}, 200, 'but what costs nothing is there';
$reply = input_of($host, $bert, 'echo hi', from(2));
is $reply->{status}, 200, 'another address is not affected';
like $reply->{header}{'ratelimit-policy'}, qr/"peer-requests";q=8;w=60, "requests";q=6;w=60/,
    'who has two limits is told of both';

$ws = $host->ws(headers => { from(3) });
$ws->send_json({ type => 'PING' }) for 1 .. 12;
my @frames = map { $ws->next(type => ['PONG', 'ERROR']) } 1 .. 12;
ok 8 <= grep({ $_->{type} eq 'PONG' } @frames), 'messages of an address count';
is $frames[-1]{code}, -32029, 'and more are refused';
like $frames[-1]{message}, qr/ from one address; /, 'as its address';
$host->stop;

# ---- sockets ----

$host = CoHost->start(yaml => "limit_sockets: 2\nlimit_peer_sockets: 3\n"
	    . "trusted_proxies: 127.0.0.1\n");
my @sockets = map { $host->ws(headers => { from(1) }) } 1 .. 3;
is_deeply [map { $_->status } @sockets], [101, 101, 101], 'an address may have so many sockets';
my $more = $host->ws(headers => { from(1) });
is $more->status, 429, 'and no more';
ok $more->{head}{header}{'retry-after'}, 'but later';
is $host->ws(headers => { from(2) })->status, 101, 'another address may';
(shift @sockets)->close;
is wait_for(10, sub {
	my $ws = $host->ws(headers => { from(1) });
	push @sockets, $ws if $ws->status == 101;
	return $ws->status == 101 && 101;
}), 101, 'one that is closed makes room';

my @hers = map { (connect_as($host, $anna))[0] } 1 .. 2;
($ws, $hello) = connect_as($host, $anna);
is $hello->{message}, 'too many WebSockets at once: 2 for one identity; retry when one has ended',
    'an identity may have so many, too';
ok $hello->{retryable} && $hello->{retry_after_ms}, 'it may come again';
(undef, $hello) = connect_as($host, $bert);
is $hello->{type}, 'CONNECTED', 'another may connect';
$hers[0]->close;
ok wait_for(10, sub { (connect_as($host, $anna))[1]{type} eq 'CONNECTED' }),
    'when one is closed, the next is welcome';

# What a worker held is gone with it.
my %old = map { $_ => 1 } $host->workers;
$host->kill_worker($_) for keys %old;
wait_for(20, sub { 4 == grep { !$old{$_} } $host->workers });
my @new;
for (1 .. 3) {
	push @new, wait_for(10, sub { eval { $host->ws(headers => { from(1) }) } });
}
is_deeply [map { $_->status } @new], [101, 101, 101], 'a dead worker holds no sockets';
is $host->ws(headers => { from(1) })->status, 429, 'the new ones count as before';
my @types;
for (1 .. 3) {
	my ($ws, $hello) = connect_as($host, $anna);
	push @new, $ws; # it stays open
	push @types, $hello->{type};
}
is_deeply \@types, ['CONNECTED', 'CONNECTED', 'ERROR'], 'nor does it hold any of an identity';
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
is $reply->{status}, 429, 'an identity may have so many turns';
is $reply->{json}{error}, $full, 'and hears how many';
ok $reply->{header}{'retry-after'} >= 1, 'and when to come again';
my ($third) = connect_as($host, $anna, session_id => 'third');
is +($third->turn('echo hi'))[-1]{message}, $full, 'on a socket, too';
is input_of($host, $bert, 'echo hi')->{status}, 200, 'another identity may begin one';
is $host->metric('cohostd_limited_runs_total'), 2, 'refusals are counted';
$asking[0]->send_json({ type => 'ASK_USER_RESPONSE', answer => 'red' });
is $asking[0]->next(type => 'OUTPUT')->{type}, 'OUTPUT', 'one ends';
is +($third->turn('echo hi'))[-1]{result}, 'hi', 'and the next may begin at once';
is +($third->turn("echo $_"))[-1]{result}, $_, 'one after the other has no end' for 1 .. 10;

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
	ok $ws && $ws->next(type => 'ask_user'), "$id goes on elsewhere";
	is input_of($host, $anna, 'echo hi')->{json}{error}, $full, 'and is counted there'
	    if $id eq 'ask2';
	$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => 'red' });
	is $ws->next(type => 'OUTPUT')->{type}, 'OUTPUT', 'until it ends';
	is input_of($host, $anna, 'echo hi')->{status}, 200, 'which makes room';
}
my @both = map { ask_in("both$_") } 1, 2;
is input_of($host, $anna, 'echo hi')->{status}, 429, 'for two, and not for more';
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
    'a turn begins while there is a budget left';
$reply = input_of($host, $anna, 'hi');
like $reply->{json}{error},
    qr/^budget used up: 100 tokens per day for one identity; it resets at \d{4}-\d\d-\d\dT00:00:00Z$/,
    'who has none is told when it is new';
ok $reply->{header}{'retry-after'} > 36000 && $reply->{header}{'retry-after'} <= 43200,
    'and in how many seconds';
is input_of($host, $bert, 'hi')->{status}, 200, 'another has its own';
is_deeply [map { $host->input('hi')->{status} } 1 .. 3], [200, 200, 429],
    'who does not sign shares one';
is $host->metric('cohostd_tokens_total'), 300, 'tokens are counted';
is $host->metric('cohostd_cost_dollars_total'), 0.02, 'and cost is';
is $host->metric('cohostd_limited_budget_total'), 4, 'and refusals are';
$host->stop;

begin();
is input_of($host, $anna, 'hi')->{status}, 429, 'a restart gives nothing back';
is input_of($host, $bert, 'hi')->{status}, 200, 'and takes nothing away';
$host->pass(86400);
is input_of($host, $anna, 'hi')->{status}, 200, 'the next day is new';
$host->stop;

begin("limit_cost: 1\n");
like input_of($host, $anna, 'hi')->{json}{error} // '', qr/^$/, 'cost has a budget of its own';
is input_of($host, $anna, 'hi')->{json}{error} =~ s/ for one.*//r,
    'budget used up: 0.01 dollars per day', 'which can be used up';
$host->stop;
done_testing;
