#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The name of an input counts for whoever gave it, and tells nobody else anything.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Sign qw(:all);
use Test::More;

my $host = CoHost->start(clock => 1,
	args => ['-o', 'trust=open', '-o', 'trusted_proxies=127.0.0.1']);
my $runs = sub { $host->metric('cohostd_runs_done_total') };
my ($anna, $bert) = (key_new(), key_new());

sub signed {
	my ($who, $prompt, $key, %more) = @_;
	my $payload = { prompt => $prompt, to => host_address($host),
		timestamp => now($host), nonce => rand };
	return $host->http(POST => '/input', { 'idempotency-key' => $key },
		signed_body($who, $payload, %more))->{json};
}

sub unsigned {
	my ($at, $where, $prompt, $key, %more) = @_;
	return $at->input($prompt, header => { 'idempotency-key' => $key,
		'x-forwarded-for' => $where }, %more);
}

# ---- callers and sessions ----

my $hers = signed($anna, 'echo her secret', 'order-1');
is $hers->{result}, 'her secret', 'a signed input with a key runs';
is signed($anna, 'echo her secret', 'order-1')->{session_id}, $hers->{session_id},
    'a repeated signed input with a key gets the first result';
my %as_her = (session => { session_id => $anna->{address} });
my $r = unsigned($host, '203.0.113.9', 'echo her secret', 'order-1', %as_her);
is $r->{json}{session_id}, $anna->{address},
    'a session that is named as an address is not the scope of that address';
unlike $r->{body}, qr/$hers->{session_id}/,
    'a session named like an address shows nothing of that address';
$r = unsigned($host, '203.0.113.9', 'echo a guess', 'order-1', %as_her);
is $r->{json}{error}, 'input_id reused with different input',
    'a used key is refused for another input in the same session';
$r = unsigned($host, '203.0.113.9', 'echo a guess', 'order-1',
	session => { session_id => "$anna->{address}x" });
is $r->{json}{result}, 'a guess', 'a used key is free in another session';

unsigned($host, '203.0.113.9', 'echo mine first', 'order-2',
	session => { session_id => $bert->{address} });
is signed($bert, 'echo his own', 'order-2')->{result}, 'his own',
    'a key that somebody else claimed before does not block its owner';

# ---- places ----

my @at = map { unsigned($host, $_, 'echo alike', 'order-3')->{json} }
    qw(203.0.113.1 203.0.113.2 203.0.113.1);
isnt $at[0]{session_id}, $at[1]{session_id},
    'two unsigned callers at two addresses do not share a key';
is $at[2]{session_id}, $at[0]{session_id}, 'a retry from the same address is known';
is unsigned($host, '203.0.113.2', 'echo otherwise', 'order-4')->{status}, 200,
    'a key is free at one address';
is unsigned($host, '203.0.113.3', 'echo another', 'order-4')->{status}, 200,
    'a key used at another address is free';

is unsigned($host, '203.0.113.3', 'What is 42 * 17?', 'order-6',
	session => { messages => [{ role => 'user', content => 'hi' }] })->{json}{result},
    'The result of 42 * 17 is 714.',
    'a key, a conversation and what the model took are kept together';

my $behind = CoHost->start(args => ['-o', 'trust=open']);
@at = map { unsigned($behind, $_, 'echo alike', 'order-5')->{json} }
    qw(203.0.113.1 203.0.113.2 203.0.113.1);
isnt $at[0]{session_id}, $at[1]{session_id},
    'clients of a proxy that is not trusted do not share a key';
is $at[2]{session_id}, $at[0]{session_id},
    'a retry through an untrusted proxy gets the first result';
$behind->stop;

# ---- what that turn answered ----

my %named = (session => { session_id => 'long' });
unsigned($host, '203.0.113.1', 'echo first', 'a', %named);
$r = unsigned($host, '203.0.113.1', 'echo first', 'a', %named);
is scalar(@{ $r->{json}{session}{messages} }), 2,
    'the repeat of the latest turn comes with its conversation';
unsigned($host, '203.0.113.1', 'echo said later', 'b', %named);
$r = unsigned($host, '203.0.113.1', 'echo first', 'a', %named);
is $r->{json}{result}, 'first', 'the repeat of an older turn has the result of that turn';
is_deeply $r->{json}{session}, { session_id => 'long' },
    'the repeat of an older turn has no later conversation';
unlike $r->{body}, qr/said later/, 'the repeat of an older turn shows nothing said since';

my $ws = $host->ws(session => { session_id => 'long' });
my $end = ($ws->turn('echo first', input_id => 'a'))[-1];
is $end->{result}, 'first', 'the repeat of an older turn over WebSocket has its result';
is_deeply $end->{session}, { session_id => 'long' },
    'the repeat of an older turn over WebSocket has no later conversation';
is_deeply $end->{chat_items}, [], 'the repeat of an older turn over WebSocket has no chat items';

# ---- who comes back from another place ----

my $before = $runs->();
my %home = (headers => { 'x-forwarded-for' => '203.0.113.1' });
my %away = (headers => { 'x-forwarded-for' => '198.51.100.7' });
my $first = $host->ws(%home);
my %input = (type => 'INPUT', prompt => 'sleep 300', input_id => 'roams');
$first->send_json({%input});
my $id = $first->next(type => 'CONNECTED')->{session_id};
$first->close(how => 'cut');
my $again = $host->ws(%away, session => { session_id => $id });
$again->send_json({%input});
is $again->next(type => ['OUTPUT', 'ERROR'])->{result}, 'Slept 300 ms.',
    'an unsigned client that comes back from elsewhere repeats its INPUT';
$again->close;
$again = $host->ws(%away, session => { session_id => $id });
$again->send_json({%input});
is $again->next(type => ['OUTPUT', 'ERROR'])->{result}, 'Slept 300 ms.',
    'an unsigned client may repeat its INPUT after the end of the turn';
is $runs->() - $before, 1, 'a repeated INPUT ran once';
$host->stop;

# ---- a session that has become another's ----

$host = CoHost->start(clock => 1, args => ['-o', 'trust=open', '-o', 'result_ttl=60',
	'-o', 'idle_timeout=1', '-o', 'trusted_proxies=127.0.0.1']);
my $c = $host->client;
$c->send(POST => '/input', { 'idempotency-key' => 'slow' }, { prompt => 'sleep 30000' });
ok wait_for(5, sub { $host->metric('cohostd_runs') == 1 }), 'a turn of 30 s begins';
$host->pass(31);
$id = $c->reply->{json}{session_id};
$host->pass(40);
ok wait_for(20, sub { $host->metric('cohostd_sessions') == 0 }),
    'the session of a turn of 30 s expires';
is signed($anna, 'echo mine now', 'x', session => { session_id => $id })->{result},
    'mine now', 'an expired id is given to a session with an owner';
$r = $host->input('sleep 30000', header => { 'idempotency-key' => 'slow' });
is $r->{status}, 404, "a repeat does not open a session that became another's";
unlike $r->{body}, qr/Slept|mine now/, 'a refused repeat shows nothing of the session';
$host->stop;
done_testing;
