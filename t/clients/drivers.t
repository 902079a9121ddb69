#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Clients of Socket.IO for Java, Go, Rust, Python and JavaScript, unmodified, over each transport:
# they talk, get replays and refusals, lose their workers, come through nginx, and do nothing for 70
# seconds. "make test-clients" runs this.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin";

use Clients;
use CoHost qw(lacks lacks_here read_file source wait_for);
use Driver;
use Test::More;
use Time::HiRes qw(sleep time);

my $home = Clients::socketio_more() or lacks 'no more JavaScript clients of Socket.IO';
my $python = Clients::socketio_python() or lacks 'no Python clients of Socket.IO';
my $py = [$python, source('t/clients/drivers/driver.py')];
my $mjs = ['node', source('t/clients/drivers/driver.mjs')];

# NAME => [its program, its environment]; a language that this machine lacks is left out.
my %clients = (
	'socket.io-client 4.8.4' => [$mjs, NODE_HOME => $home, PACKAGE => 'socket.io-client'],
	'socket.io-client 3.1.3' => [$mjs, NODE_HOME => $home, PACKAGE => 'sc3'],
	'python sync' => [$py, KIND => 'sync', PYTHONDONTWRITEBYTECODE => 1],
	'python asyncio' => [$py, KIND => 'asyncio', PYTHONDONTWRITEBYTECODE => 1],
);
my %programs = (
	java => sub { ['java', '-cp', "$_[0]:$_[0]/lib/*", 'Driver'] },
	go => sub { ["$_[0]/driver"] },
	rust => sub { ["$_[0]/driver"] },
);
for my $language (sort keys %programs) {
	my ($place, $why) = Clients::driver($language);
SKIP: {
		skip "$language: $why", 1 if $why;
		lacks_here "the client for $language could not be built", 1 unless $place;
		$clients{$language} = [$programs{$language}->($place)];
		pass "there is a client for $language";
	}
}
# CLIENTS=go,java leaves the others out.
my @names = grep { !$ENV{CLIENTS} || ",$ENV{CLIENTS}," =~ /,\Q$_\E,/ } sort keys %clients;
my @transports = qw(ws polling default);
my $n_conversations = 0;

sub start {
	my ($name, $url, $transport, $query) = @_;
	my ($program, %env) = @{ $clients{$name} };
	my $c = Driver->start($program, $url, $query, $transport, %env);
	return $name eq 'python sync' ? $c->reorder : $c;
}

sub new_conversation { return 'c' . ++$n_conversations }

sub whole {
	my ($host, $conversation) = @_;
	my ($program, %env) = @{ $clients{'socket.io-client 4.8.4'} };
	my $c = Driver->start($program, $host->url, "conversation_id=$conversation&latest_event_id=-1",
		'ws', %env);
	$c->until(sub { $c->is_idle });
	my @events = $c->events;
	$c->leave;
	return @events;
}

sub hello {
	my ($host, $url, $name, $transport) = @_;
	my $case = "$name, $transport";
	my $conversation = new_conversation();
	my $c = start($name, $url, $transport, "conversation_id=$conversation&latest_event_id=-1");
	ok $c->wait('connect'), "a client connects ($case)";
	$c->tell('ack What is 42 * 17?');
	ok $c->wait('ack'), "a message is acknowledged ($case)";
	ok $c->until(sub { $c->is_idle }), "a turn comes to its end ($case)";
	is_deeply [$c->said], ['The result of 42 * 17 is 714.'], "the agent says its result ($case)";
	$c->tell('bin 150');
	# That for Rust sends an event with bytes and an ack id as an ack (type 6): it gets none.
	my $n_acks = $name eq 'rust' ? 1 : 2;
	ok $c->wait('ack', $n_acks), "an event with 150 bytes is acknowledged ($case)" if $n_acks > 1;
	$c->tell('ack echo after');
	ok $c->wait('ack', $n_acks + 1), "a message after bytes is acknowledged ($case)";
	ok $c->until(sub { ($c->said)[-1] eq 'after' }), "a message after bytes is answered ($case)";
	my @events = $c->events; # that for Rust comes back even if it left by itself
	is $c->leave, 0, "a client disconnects ($case)";
	return ($conversation, @events);
}

sub replay {
	my ($url, $name, $transport, $conversation, @events) = @_;
	my $case = "$name, $transport";
	my $last = $events[1]{id};
	my $c = start($name, $url, $transport, "conversation_id=$conversation&latest_event_id=$last");
	$c->until(sub { $c->is_idle });
	is_deeply [map { $_->{id} } $c->events], [map { $_->{id} } @events[2 .. $#events]],
	    "a client that names its last event gets what follows ($case)";
	# That for Go may try WebTransport first.
	my ($first) = grep { $_->{ev} ne 'error' } $c->seen;
	undef $first if $c->{is_unordered};
	is $first->{ev}, 'connect', "no event comes before the connection ($case)" if $first;
	$c->leave;
}

sub refuse {
	my ($url, $name, $transport) = @_;
	my $c = start($name, $url, $transport, 'conversation_id=x&latest_event_id=-1&session_api_key=bad');
	ok $c->until(sub { grep { $_->{args}[0] =~ /invalid_session_api_key/ } $c->seen('error') }),
	    "a client with a wrong key is told why ($name, $transport)";
	is scalar $c->seen('event'), 0, "a client with a wrong key gets no events ($name, $transport)";
	$c->leave;
}

sub killed {
	my ($host, $url, $name, $transport, $where) = @_;
	my $case = "$name, $transport$where";
	my $conversation = new_conversation();
	my $c = start($name, $url, $transport, "conversation_id=$conversation&latest_event_id=-1");
	$c->wait('connect');
	$c->tell('say stream 60 15');
	ok $c->until(sub { $c->events > 20 }), "a turn streams its events ($case)";
	kill KILL => $host->workers;
	ok $c->until(sub { grep { $_ eq 'Streamed 60 steps.' } $c->said }, 60),
	    "a client gets the end of its turn though the workers were killed ($case)";
	my %seen;
	my @once = grep { !$seen{$_}++ } map { $_->{id} } $c->events;
	is_deeply \@once, [map { $_->{id} } whole($host, $conversation)],
	    "a client that comes back misses no event ($case)";
	$c->leave;
	wait_for(20, sub { $host->workers == 4 });
}

# These do nothing while the others work.
my $idle_host = Clients::host(workers => 4);
my %idle;
for my $name (@names) {
	$idle{"$name, $_"} = start($name, $idle_host->url, $_,
		'conversation_id=' . new_conversation() . '&latest_event_id=-1') for @transports;
}
for my $case (sort keys %idle) {
	ok $idle{$case}->wait('connect'), "a client that will do nothing connects ($case)";
}
my $idle_since = time;

my $host = Clients::host(workers => 4);
for my $name (@names) {
	for my $transport (@transports) {
		my ($conversation, @events) = hello($host, $host->url, $name, $transport);
		replay($host->url, $name, $transport, $conversation, @events);
		killed($host, $host->url, $name, $transport, '');
	}
}
$host->stop;

$host = Clients::host(workers => 4, env => { SESSION_API_KEY => 'sesame' });
for my $name (@names) {
	refuse($host->url, $name, $_) for @transports;
}
$host->stop;

SKIP: {
	$host = Clients::host(workers => 4, args => ['-o', 'trusted_proxies=127.0.0.1']);
	my ($front, $pid) = Clients::nginx($host) or lacks_here 'nginx is not installed', 1;
	for my $name (@names) {
		hello($host, "http://$front", $name, 'default');
		killed($host, "http://$front", $name, $_, ', nginx') for @transports;
	}
	kill QUIT => $pid;
	$host->stop;
}

# A reload under all clients at once: their WebSockets are closed, and they come back.
$host = Clients::host(workers => 4);
my %all;
for my $name (@names) {
	$all{$name} = start($name, $host->url, 'ws',
		'conversation_id=' . new_conversation() . '&latest_event_id=-1');
}
for my $name (@names) {
	$all{$name}->wait('connect');
	$all{$name}->tell('say stream 60 30');
}
for my $name (@names) {
	ok $all{$name}->until(sub { $all{$name}->events > 20 }), "a turn streams before a reload ($name)";
}
$host->signal('HUP');
for my $name (@names) {
	my $c = $all{$name};
	ok $c->until(sub { grep { $_ eq 'Streamed 60 steps.' } $c->said }),
	    "a turn comes to its end over a reload ($name)";
	ok $c->wait('connect', 2), "a client comes back after a reload ($name)";
	# That for Rust tells of its new connection a moment before it sends by it.
	sleep 1 if $name eq 'rust';
	$c->tell('say echo again');
	ok $c->until(sub { grep { $_ eq 'again' } $c->said }),
	    "a client that came back after a reload gets an answer ($name)";
	$c->leave;
}
$host->stop;

# Two pings have passed for the idle clients.
sleep $idle_since + 70 - time if time < $idle_since + 70;
for my $case (sort keys %idle) {
	my $c = $idle{$case};
	$c->hear(0);
	is scalar(() = $c->seen('disconnect')), 0,
	    "a client that does nothing for 70 s stays connected ($case)";
	$c->tell('say echo still here');
	ok $c->until(sub { grep { $_ eq 'still here' } $c->said }),
	    "a client that did nothing for 70 s gets an answer ($case)";
	$c->leave;
}
$idle_host->stop;

# Clients that speak something else, and try again and again.
$host = Clients::host(workers => 4);
my $size = -s $host->log;
for (['socket.io-client 2.5.0', PACKAGE => 'sc2'],
	['msgpack', PACKAGE => 'socket.io-client', PARSER => 'socket.io-msgpack-parser']) {
	my ($name, %env) = @$_;
	for my $transport (qw(ws polling)) {
		my $c = Driver->start($mjs, $host->url, 'conversation_id=other&latest_event_id=-1', $transport,
			NODE_HOME => $home, %env);
		$c->until(sub { 0 }, 3);
		is scalar(() = $c->seen('connect'), () = $c->seen('event')), 0,
		    "a client of another protocol does not connect ($name, $transport)";
		$c->leave;
	}
}
my $lines = () = substr(read_file($host->log), $size) =~ /\n/g;
cmp_ok $lines, '<=', 6, 'clients of other protocols that try again and again hardly fill the log';
is $host->http(GET => '/livez')->{status}, 200, 'the server goes on after clients of other protocols';
$host->stop;
done_testing;
