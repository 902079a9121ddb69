#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Several sockets announce one address: two hosts with one key, and a program that publishes a
# profile beside a host. None throws another out.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use CoRelay;
use JSON::PP ();
use Sign qw(key_new);
use Test::More;

my $true = JSON::PP::true;

# A client, and the frame by which an agent learns of it; dies when another one does.
sub meet {
	my ($relay, $agent, $word) = @_;
	my $client = $relay->client($agent, word => $word);
	my $frame = $agent->next_frame // {};
	is $frame->{word}, $word, "the client of '$word' gets to the right host";
	return ($client, $frame);
}

sub record { return $_[0]->http(GET => "/api/agents/$_[1]{address}")->{json} }

for my $workers (1, 4) {
	my $relay = CoRelay->start(workers => $workers);
	my $key = key_new();
	my $first = $relay->agent(key => $key, summary => 'one');
	my ($client, $frame) = meet($relay, $first, "first, -w $workers");
	my $second = $relay->agent(key => $key, summary => 'two');
	is $relay->health->{agents}, 2, "-w $workers: two hosts with one key are both connected";
	my ($client2, $frame2) = meet($relay, $second, "second, -w $workers");

	$client->send_json({ type => 'INPUT', n => 1 });
	is(($first->next_frame // {})->{n}, 1, "-w $workers: a bound client stays where it is");
	$first->answer($frame, type => 'OUTPUT', n => 1);
	is(($client->next_frame // {})->{n}, 1, "-w $workers: and is answered from there");
	$second->answer($frame, type => 'OUTPUT', n => 666);
	$second->answer($frame2, type => 'OUTPUT', n => 2);
	is(($client2->next_frame // {})->{n}, 2, "-w $workers: each host answers its own clients");
	is $relay->counter('stray_frames_total'), 1,
	    "-w $workers: an answer to a client of the other host is dropped and counted";
	is $first->closed, undef, "-w $workers: the older socket is not closed";

	# co announce: no endpoints, and gone at once.
	my $light = $relay->agent(key => $key, endpoints => [], summary => 'published',
		profile => { alias => 'three', revision => 7, attestation_version => 'profile-v2',
			skills => [{ name => 's', description => 'd', body => 'text' }] });
	ok $light, "-w $workers: an ANNOUNCE with empty endpoints is acknowledged";
	my ($client3, $frame3) = meet($relay, $second, "beside co announce, -w $workers");
	$light->close;
	ok $relay->wait_agents(2), "-w $workers: the program that published has left";
	my ($client4) = meet($relay, $second, "after co announce, -w $workers");
	my $proof = $relay->http(GET => "/api/agents/$key->{address}/profile")->{json};
	is $proof->{profile}{alias}, 'three', "-w $workers: what it published is in the directory";
	my $record = record($relay, $key);
	is_deeply $record->{endpoints}, ['http://192.168.1.5:8000'],
	    "-w $workers: the endpoints of the live host stay in the record";

	$second->close;
	is $client2->wait_close, 1012, "-w $workers: clients of a host that leaves are disconnected";
	ok $relay->wait_agents(1), "-w $workers: one host is left";
	is record($relay, $key)->{online}, $true, "-w $workers: the agent stays online by the other host";
	$client->send_json({ type => 'INPUT', n => 3 });
	is(($first->next_frame // {})->{n}, 3, "-w $workers: clients of the host that stays notice nothing");
	my ($client5) = meet($relay, $first, "fallback, -w $workers");

	# Published revisions do not go back.
	my %about = (key => $key, endpoints => [], wait => 0);
	my %profile = (attestation_version => 'profile-v2', alias => 'x');
	my $again = $relay->agent(%about, profile => { %profile, revision => 6 });
	is $again->next_frame->{error}, 'Revision 6 is older than 7, which was published',
	    "-w $workers: an older revision of a profile is refused";
	$again->send_json($relay->announce($key, endpoints => [], profile => { %profile, revision => 7 }));
	is $again->next_frame->{error}, 'Revision 7 was published with another profile',
	    "-w $workers: a revision is published once";
	$relay->stop;
}

for my $workers (1, 4) {
	my $relay = CoRelay->start(workers => $workers, args => ['-o', 'limit_announces=100']);
	my $key = key_new();
	my @sockets = map { $relay->agent(key => $key, summary => "n $_") } 1 .. 8;
	my $ninth = $relay->agent(key => $key, summary => 'n 9', wait => 0);
	is $ninth->next_frame->{error}, 'Too many sockets announce this address',
	    "-w $workers: a key has at most eight sockets";
	is $ninth->wait_close, 1013, "-w $workers: the ninth socket of a key is closed";
	is $relay->counter('roster_full_total'), 1, "-w $workers: it is counted";
	ok eval { $relay->agent }, "-w $workers: another key is not concerned";
	$relay->stop;
}
done_testing;
