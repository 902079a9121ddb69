#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Clients reach the agent through a relay: what is announced, and a turn on any worker.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for);
use Relay;
use Sign qw(:all);
use Test::More;

my $relay = Relay->start;

# A value as Python's json.dumps(sort_keys=True) writes it.
sub python_text {
	my ($v) = @_;
	return '[' . join(', ', map { python_text($_) } @$v) . ']' if ref $v eq 'ARRAY';
	return canonical($v) if ref $v ne 'HASH';
	return '{' . join(', ', map { canonical($_) . ': ' . python_text($v->{$_}) }
		sort keys %$v) . '}';
}

sub announced_text {
	my %rest = %{ $_[0] };
	delete $rest{signature};
	return python_text(\%rest);
}

for my $workers (1, 4) {
	my $host = CoHost->start(relay => $relay->url . '/ws/announce', workers => $workers,
		args => ['-o', 'trust=open', '-o', 'summary=a translator: 翻译']);
	my $key = key_of($host);
	my $announce = $relay->agent($key->{address});
	ok $announce, "-w $workers: the agent is announced";
	is $announce->{summary}, 'a translator: 翻译', "-w $workers: its summary is announced";
	is_deeply $announce->{endpoints}, [$host->url, 'ws://' . $host->address . '/ws'],
	    "-w $workers: a relay on this machine is told of loopback addresses";
	is $announce->{relay}, $relay->url, "-w $workers: the relay's own URL is announced";
	is_deeply $announce->{relay_features}, ['conn_id'],
	    "-w $workers: the relay may tell sockets apart";
	is $announce->{profile}{alias}, 'demo', "-w $workers: the profile names the agent";
	is $announce->{signature}, sign_text($key, announced_text($announce)),
	    "-w $workers: the announcement is signed";
	is $announce->{profile_signature}, sign_text($key, canonical($announce->{profile})),
	    "-w $workers: the profile is signed by itself";
	ok wait_for(10, sub { $host->words =~ /^✓ relay /m }),
	    "-w $workers: the relay is mentioned once it has accepted";
	unlike $host->words, qr/no relay/, "-w $workers: the banner does not deny the relay";
	is $host->metric('cohostd_relay_connected'), 1, "-w $workers: the connection is counted";

	my @clients = map { $relay->client($key->{address}) } 1 .. 8;
	$_->send_json({ type => 'CONNECT' }) for @clients;
	my @connected = map { $_->next(type => 'CONNECTED') } @clients;
	my %sessions = map { ($_ // {})->{session_id} // '' => 1 } @connected;
	is scalar(keys %sessions), 8, "-w $workers: each client gets a session of its own";
	is $host->metric('cohostd_relay_clients'), 8, "-w $workers: clients are counted";
	my ($route) = map { $_->{frame}{session_id} } grep { $_->{what} eq 'agent'
		&& ($_->{frame}{type} // '') eq 'CONNECTED' } $relay->story;
	like $route, qr/^routed-/, "-w $workers: the relay's id becomes that of the session";
	my $n = 0;
	for my $ws (@clients) {
		my @frames = $ws->turn('echo ' . ++$n);
		is $frames[-1]{result}, "$n", "-w $workers: client $n gets the end of its turn"
		    or diag explain $frames[-1];
	}
	like $host->words, qr/^OIP_COMPAT transport=relay /m, "-w $workers: the console names the relay";
	$clients[0]->close;
	ok wait_for(10, sub { $host->metric('cohostd_relay_clients') == 7 }),
	    "-w $workers: a client that leaves is gone";
	$host->stop;
	my ($closed) = grep { $_->{what} eq 'closed' && $_->{is_agent} } reverse $relay->story;
	is $closed->{code}, 1000, "-w $workers: a server that stops closes the connection";
}

# A summary of 5,400 characters, each of three bytes.
utf8::encode(my $yaml = 'summary: "' . '译' x 5400 . '"');
my $wordy = CoHost->start(relay => $relay->url, workers => 1, yaml => $yaml);
my $wordy_announce = $relay->agent(key_of($wordy)->{address});
is $wordy_announce->{summary}, '译' x 1000, 'a long summary is cut at 1000 characters';
is $wordy_announce->{signature}, sign_text(key_of($wordy), announced_text($wordy_announce)),
    'the summary that was cut is what is signed';
ok wait_for(10, sub { $wordy->words =~ /^\[announce\] summary is 5400 characters and the relay takes 1000; announcing the first 1000\. Shorten `summary:` in \.co\/host\.yaml to choose what goes\.$/m }),
    'the operator is told that the summary is too long';
$wordy->stop;

my $none = CoHost->start(workers => 1);
is $none->children_of_kind('link'), 0, 'a server without relay_url has no link process';
$none->stop;
$relay->stop;
done_testing;
