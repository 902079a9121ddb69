#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The Python clients 0.9.7 and 1.4.0 answer a question by their next input().
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Sign qw(:all);
use Test::More;

my $host = CoHost->start(clock => 1, args => ['-o', 'trust=open']);
my $n_inputs = 0;

# The frames of those clients. They sign whole seconds, and nothing else that changes.
sub signed {
	my ($key, $payload) = @_;
	return () unless $key;
	return %{ sign_payload($key, { timestamp => now($host), %$payload }) };
}

sub connect_of {
	my ($client) = @_;
	my $session = $client->{session};
	return { type => 'CONNECT', timestamp => now($host),
		$session ? (session_id => $session->{session_id}, session => $session) : (),
		signed($client->{key}, { to => host_address($host) }) };
}

sub input_of {
	my ($client, $prompt) = @_;
	return { type => 'INPUT', input_id => 'input-' . ++$n_inputs, prompt => $prompt,
		timestamp => now($host), signed($client->{key}, { prompt => $prompt }) };
}

# input(): a socket of its own, up to the result, a question or an error.
sub input {
	my ($client, $prompt) = @_;
	my $ws = $host->ws;
	$ws->send_json(connect_of($client));
	my $f = $ws->next(type => [qw(CONNECTED ERROR)]);
	return "ERROR $f->{message}" if $f->{type} eq 'ERROR';
	$client->{session}{session_id} = $f->{session_id};
	$ws->send_json(input_of($client, $prompt));
	$f = $ws->next(type => [qw(OUTPUT ERROR ask_user)]);
	$ws->close;
	return "? $f->{text}" if $f->{type} eq 'ask_user';
	return "ERROR $f->{message}" if $f->{type} eq 'ERROR';
	$client->{session} = $f->{session};
	return $f->{result};
}

for my $key (key_new(), undef) {
	my $who = $key ? 'signed' : 'unsigned';
	my $client = { key => $key };
	is input($client, 'ask Which?|red|green'), '? Which?', "$who: the agent asks in the first turn";
	is input($client, 'green'), 'You answered: green',
	    "$who: the next input() answers the question";
	is input($client, 'ask Name?'), '? Name?', "$who: the agent asks in the next turn";
	is input($client, 'Zoe'), 'You answered: Zoe',
	    "$who: the question of the next turn is answered";
	is input($client, 'echo on'), 'on', "$who: the conversation goes on without a question";
	is input($client, 'ask Later?'), '? Later?', "$who: the agent asks once more";
	$host->pass(20);
	is input($client, 'yes'), 'You answered: yes',
	    "$who: a question may be answered after a while";
}

# ---- who says nothing is asked all the same ----

sub come_back {
	my ($client, %more) = @_;
	my $ws = $host->ws;
	$ws->send_json({ %{ connect_of($client) }, %more });
	$ws->next(type => 'CONNECTED');
	return $ws;
}

my $client = { key => key_new() };
input($client, 'ask Still there?');
my $oip = { name => 'oip', version => '0.1', min_version => '0.1', max_version => '0.1' };
my $page = come_back($client, protocol => $oip);
is $page->next(type => 'ask_user')->{text}, 'Still there?',
    'a client that names its protocol is asked again';
my $ws = come_back($client);
my $wrong = input_of($client, 'x');
substr($wrong->{signature}, 9, 1) =~ tr/0-9a-f/1-9a-f0/;
$ws->send_json($wrong);
is $ws->next(type => [qw(ERROR ask_user)])->{message}, 'unauthorized: invalid signature',
    'an answer with a wrong signature is refused';
is $ws->next(type => 'ask_user')->{text}, 'Still there?',
    'a question is asked again after a refused answer';
$ws = come_back($client);
is_deeply [grep { $_->{type} eq 'ask_user' } $ws->settle], [],
    'a client that may be about to answer is not asked at once';
$host->pass(4);
is $ws->next(type => 'ask_user')->{text}, 'Still there?',
    'a client that says nothing is asked after a moment';
$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => 'yes' });
is $ws->next(type => 'OUTPUT')->{result}, 'You answered: yes',
    'a client that is asked after a moment may answer';
$host->stop;
done_testing;
