#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A session that nobody signed for stays nobody's, and its id is all that opens it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Sign qw(:all);
use Test::More;

my $dir = CoHost::directory();
my @open = (dir => "$dir", args => ['-o', 'trust=open', '-o', 'trusted_proxies=127.0.0.1']);
my $host = CoHost->start(@open);
my ($anna, $bert) = (key_new(), key_new());

sub signed {
	my ($who, $prompt, $id) = @_;
	my $payload = { prompt => $prompt, to => host_address($host),
		timestamp => now($host), nonce => rand };
	return $host->http(POST => '/input', {},
		signed_body($who, $payload, session => { session_id => $id }));
}

sub small { my ($id) = @_; return $host->http(GET => "/sessions/$id") }

sub whole {
	my ($who, $id) = @_;
	return $host->http(GET => "/sessions/$id",
		signed_get_headers($who, "/sessions/$id"));
}

# ---- never owned by who names it ----

$host->input('echo mine', session => { session_id => 'free' });
my $r = signed($anna, 'echo hers', 'free');
is $r->{json}{result}, 'hers', 'a signed caller may speak in a session of nobody';
is $r->{json}{session}{requester}{address}, $anna->{address},
    'the agent is told the signer in a session of nobody';
is small('free')->{status}, 200, "a session of nobody does not become the first signer's";
is signed($bert, 'echo his', 'free')->{status}, 200,
    'a second signer may speak in a session of nobody';
my $ws = $host->ws;
$ws->send_json(connect_frame($anna, $host, session_id => 'free',
	payload => { nonce => 1 }));
is $ws->next(type => 'CONNECTED')->{session_id}, 'free',
    'a signer may connect to a session of nobody';
is +($ws->turn('echo here'))[-1]{result}, 'here',
    'a signer may run a turn over WebSocket in a session of nobody';
$r = $host->input('echo again', session => { session_id => 'free' });
is $r->{json}{result}, 'again', 'the unsigned caller who began a session of nobody goes on';
ok !exists $r->{json}{session}{requester},
    'an unsigned caller is not taken for the signer before';

my $idle = $host->ws(session => { session_id => 'idle' });
$ws = $host->ws;
$ws->send_json(connect_frame($anna, $host, session_id => 'idle',
	payload => { nonce => 2 }));
$ws->next(type => 'CONNECTED');
$ws->send_json({ type => 'mode_change', mode => 'read-only' });
is $ws->next(type => ['mode_changed', 'ERROR'])->{type}, 'mode_changed',
    'a signer sets the mode of a session without turns';
is small('idle')->{status}, 200, "setting the mode of a session does not make it the signer's";

is signed($anna, 'echo x', 'hers')->{status}, 200,
    'a signer begins a session with an id of its own choice';
is small('hers')->{status}, 404, 'a session that a signer began is hidden from unsigned callers';
is signed($bert, 'echo x', 'hers')->{status}, 404,
    'a session that a signer began is refused to another signer';

# ---- listed to nobody who could not read the files ----

my %away = ('x-forwarded-for' => '203.0.113.9');
my $own = key_of($host);

sub list {
	my ($who, %header) = @_;
	my $r = $host->http(GET => '/sessions',
		{ $who ? %{ signed_get_headers($who, '/sessions') } : (), %header });
	return $r->{json}{sessions} ? [sort map { $_->{session_id} } @{ $r->{json}{sessions} }]
	    : $r->{status};
}
is list(undef, %away), 401, 'an unsigned caller from elsewhere gets no list under open trust';
is_deeply list($anna, %away), ['hers'],
    'a signer from elsewhere is listed its own sessions alone';
is_deeply list($bert, %away), [], 'a new key from elsewhere is listed no sessions';
is_deeply list($own, %away), [qw(free idle)],
    'an admin from elsewhere is listed sessions of nobody';
is_deeply list(undef), [qw(free idle)],
    'an unsigned caller on this machine is listed sessions of nobody';
is_deeply list($anna), [qw(free hers idle)],
    'a signer on this machine is listed its own sessions and those of nobody';

# ---- also after a death ----

my $c = $host->client;
my $payload = { prompt => 'sleep 3000', to => host_address($host), timestamp => now($host) };
$c->send(POST => '/input', {}, signed_body($anna, $payload, session => { session_id => 'free' }));
ok wait_for(5, sub { $host->metric('cohostd_runs') == 1 }),
    'a signed turn runs in a session of nobody';
$host->kill_worker($_) for $host->workers;
ok wait_for(20, sub { (eval { small('free')->{json}{status} } // '') eq 'done' }),
    'the turn ends in another worker when its worker is killed';
is whole($bert, 'free')->{json}{session}{requester}{address}, $anna->{address},
    'a turn that moved to another worker keeps its requester';
is small('free')->{status}, 200, 'a session of nobody stays so when its worker is killed';

$c = $host->client;
$payload = { prompt => 'sleep 60000', to => host_address($host), timestamp => now($host) };
$c->send(POST => '/input', {}, signed_body($anna, $payload, session => { session_id => 'hers' }));
ok wait_for(5, sub { $host->metric('cohostd_runs') == 1 }),
    'a turn runs in a session of a signer';
my @all = ($host->pid, keys %{ { $host->children } });
kill KILL => @all;
$host->wait_exit;
$host = CoHost->start(@open);
is small('hers')->{status}, 404,
    'a session of a signer stays hidden after the death of all processes';
is signed($bert, 'echo x', 'hers')->{status}, 404,
    'a session of a signer is refused to another after the death of all processes';
is whole($anna, 'hers')->{json}{session_id}, 'hers',
    'a session of a signer is shown to it after the death of all processes';
$host->stop('QUIT');
done_testing;
