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
is $r->{json}{result}, 'hers', 'who knows the id may speak in it, signed';
is $r->{json}{session}{requester}{address}, $anna->{address}, 'and the agent is told who';
is small('free')->{status}, 200, 'it has not become the first signer\'s';
is signed($bert, 'echo his', 'free')->{status}, 200, 'a second one may come as well';
my $ws = $host->ws;
$ws->send_json(connect_frame($anna, $host, session_id => 'free',
	payload => { nonce => 1 }));
is $ws->next(type => 'CONNECTED')->{session_id}, 'free', 'over the WebSocket, too';
is +($ws->turn('echo here'))[-1]{result}, 'here', 'and speaks there';
$r = $host->input('echo again', session => { session_id => 'free' });
is $r->{json}{result}, 'again', 'who began it goes on';
ok !exists $r->{json}{session}{requester}, 'and is not taken for the signer before it';

my $idle = $host->ws(session => { session_id => 'idle' });
$ws = $host->ws;
$ws->send_json(connect_frame($anna, $host, session_id => 'idle',
	payload => { nonce => 2 }));
$ws->next(type => 'CONNECTED');
$ws->send_json({ type => 'mode_change', mode => 'read-only' });
is $ws->next(type => ['mode_changed', 'ERROR'])->{type}, 'mode_changed',
    'a signer sets the mode of one in which nothing was said';
is small('idle')->{status}, 200, 'which does not make it the signer\'s';

is signed($anna, 'echo x', 'hers')->{status}, 200, 'a new id that a signer names';
is small('hers')->{status}, 404, 'is the signer\'s';
is signed($bert, 'echo x', 'hers')->{status}, 404, 'and nobody else\'s';

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
is list(undef, %away), 401, 'from elsewhere, unsigned, there is no list, with open trust too';
is_deeply list($anna, %away), ['hers'], 'a signer elsewhere is listed the own sessions alone';
is_deeply list($bert, %away), [], 'and a key that is new none';
is_deeply list($own, %away), [qw(free idle)], 'an admin sees those that are nobody\'s';
is_deeply list(undef), [qw(free idle)], 'and so does who is on this machine';
is_deeply list($anna), [qw(free hers idle)], 'signed or not';

# ---- also after a death ----

my $c = $host->client;
my $payload = { prompt => 'sleep 3000', to => host_address($host), timestamp => now($host) };
$c->send(POST => '/input', {}, signed_body($anna, $payload, session => { session_id => 'free' }));
ok wait_for(5, sub { $host->metric('cohostd_runs') == 1 }), 'a signed turn runs in it';
$host->kill_worker($_) for $host->workers;
ok wait_for(20, sub { (eval { small('free')->{json}{status} } // '') eq 'done' }),
    'its workers die, and others end it';
is whole($bert, 'free')->{json}{session}{requester}{address}, $anna->{address},
    'as that of who asked';
is small('free')->{status}, 200, 'and it is nobody\'s still';

$c = $host->client;
$payload = { prompt => 'sleep 60000', to => host_address($host), timestamp => now($host) };
$c->send(POST => '/input', {}, signed_body($anna, $payload, session => { session_id => 'hers' }));
ok wait_for(5, sub { $host->metric('cohostd_runs') == 1 }), 'a turn runs in a session of a signer';
my @all = ($host->pid, keys %{ { $host->children } });
kill KILL => @all;
$host->wait_exit;
$host = CoHost->start(@open);
is small('hers')->{status}, 404, 'when all are dead and begin anew, it is not nobody\'s';
is signed($bert, 'echo x', 'hers')->{status}, 404, 'nor that of who names it first';
is whole($anna, 'hers')->{json}{session_id}, 'hers', 'but the signer\'s';
$host->stop('QUIT');
done_testing;
