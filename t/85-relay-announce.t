#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What a relay accepts of agents: ANNOUNCEs that are forged, replayed, of another time, too
# long or too many are refused with a reason, and counted, and harm nobody.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use CoRelay;
use JSON::PP ();
use Sign qw(key_new);
use Test::More;

my $json = JSON::PP->new->utf8->canonical;

sub refusal {
	my ($ws, $frame) = @_;
	ref $frame ? $ws->send_json($frame) : $ws->send_text($frame);
	my $answer = $ws->next(type => [qw(ANNOUNCE_OK ERROR)]) // {};
	return $answer->{error} // $answer->{type} // 'nothing';
}

# Whether a client that comes now gets to this socket.
sub is_routed_to {
	my ($relay, $agent) = @_;
	my $client = $relay->client($agent, word => 'hello');
	my $frame = $agent->next_frame(timeout => 5) // {};
	$client->close;
	return ($frame->{word} // '') eq 'hello' && ($agent->next_frame // {})->{type} eq 'close';
}

for my $workers (1, 4) {
	my $relay = CoRelay->start(workers => $workers, clock => 1,
		args => ['-o', 'max_announce=65536', '-o', 'max_agents=16']);
	my ($key, $other) = (key_new(), key_new());
	my $good = sub { $relay->announce($key, @_) };
	my $now = Sign::now($relay);
	my $ws = $relay->ws(path => '/ws/announce');
	my %tampered = (%{ $good->() }, summary => 'Another agent');
	my %profile = %{ $good->(profile => { alias => 'a' }, profile_signature => 'ab' x 64) };
	my @cases = (
		['a tampered ANNOUNCE', \%tampered, 'Invalid signature'],
		['an ANNOUNCE with another agent\'s address',
			{ %{ $good->() }, address => $other->{address} }, 'Invalid signature'],
		['an unknown member that is not signed', { %{ $good->() }, extra => 1 },
			'Invalid signature'],
		['a signature of the wrong length', { %{ $good->() }, signature => 'ab' },
			'Invalid signature'],
		['a forged signature of the profile', \%profile, 'Invalid profile_signature'],
		['an old ANNOUNCE', $good->(timestamp => $now - 320), 'Timestamp too old'],
		['a future-dated ANNOUNCE', $good->(timestamp => $now + 320),
			'Timestamp is in the future'],
		['a summary of 1,001 characters', $good->(summary => 'x' x 1001),
			'Summary too long (max 1000 chars)'],
		['a summary of 5,400 characters', $good->(summary => '界' x 5400),
			'Summary too long (max 1000 chars)'],
		['an ANNOUNCE above 64 KiB where that is the limit', $good->(note => 'x' x 65536),
			'Announce too long (max 65536 bytes: max_announce)'],
		['an address that is none', $good->(address => '0x12'),
			'Invalid address: it must be 0x and 64 hex digits'],
		['a timestamp that is none', $good->(timestamp => 'now'),
			'Invalid timestamp: it must be a number'],
		['endpoints that are no list', $good->(endpoints => 'http://192.168.1.5'),
			'Invalid endpoints: they must be a list'],
		['a profile without a revision', $good->(profile => { attestation_version => 'profile-v2' }),
			'Invalid revision: it must be a positive integer'],
		['a key that occurs twice', '{"type":"ANNOUNCE","type":"ANNOUNCE"}', qr/^Invalid JSON: /],
		map { my $name = $_; my %without = %{ $good->() }; delete $without{$name};
			["an ANNOUNCE without $name", \%without, "Missing field: $name"] }
			qw(address timestamp summary endpoints signature),
	);
	for my $case (@cases) {
		my ($what, $frame, $why) = @$case;
		my $got = refusal($ws, $frame);
		ref $why ? like $got, $why, "-w $workers: $what is refused"
		    : is $got, $why, "-w $workers: $what is refused";
	}
	is $relay->counter('announces_refused_total'), scalar @cases,
	    "-w $workers: refused ANNOUNCEs are counted";
	is $relay->health->{agents}, 0, "-w $workers: none of them made an agent";

	# The socket is still good.
	$ws->send_json({ type => 'OUTPUT', session_id => 'x', result => 'mine' });
	my $first = $good->(summary => '界' x 1000);
	is refusal($ws, $first), 'ANNOUNCE_OK',
	    "-w $workers: the same socket may announce itself after refusals, with 1,000 characters";
	is $relay->counter('bad_agent_frames_total'), 1,
	    "-w $workers: a frame before the ANNOUNCE is dropped and counted";
	is refusal($ws, $first), 'Announce already used', "-w $workers: an ANNOUNCE counts once";
	my $thief = $relay->ws(path => '/announce');
	is refusal($thief, $first), 'Announce already used',
	    "-w $workers: a replayed ANNOUNCE is refused on another socket";
	is refusal($thief, $good->(timestamp => $now - 60, summary => 'earlier')),
	    'Timestamp is older than that of an earlier announce',
	    "-w $workers: time does not go back for an address";
	like refusal($ws, $relay->announce($other)), qr/^Invalid address: this socket announced /,
	    "-w $workers: a socket has one address";
	bless $ws, 'CoRelay::Agent';
	$ws->{key} = $key;
	ok is_routed_to($relay, $ws), "-w $workers: who replays an ANNOUNCE gets no client";
	$thief->close;

	# Three at once, then one each ten seconds.
	my $busy = $relay->agent;
	is refusal($busy, $relay->announce($busy->{key}, summary => "n $_")), 'ANNOUNCE_OK',
	    "-w $workers: ANNOUNCE $_ of three at once is accepted" for 2, 3;
	is refusal($busy, $relay->announce($busy->{key}, summary => 'n 4')), 'Rate limit exceeded',
	    "-w $workers: ANNOUNCE more often than allowed is refused";
	ok is_routed_to($relay, $busy), "-w $workers: and keeps the registration";
	is $relay->counter('announces_limited_total'), 1,
	    "-w $workers: ANNOUNCEs over the limit are counted";
	$relay->pass(11);
	is refusal($busy, $relay->announce($busy->{key}, summary => 'n 5')), 'ANNOUNCE_OK',
	    "-w $workers: later it may announce itself again";

	# A socket that says nothing.
	my $silent = $relay->ws(path => '/ws/announce');
	$relay->http(GET => '/health') for 1 .. 8;
	$relay->pass(11);
	my $error = $silent->next(type => 'ERROR') // {};
	is $error->{error}, 'No ANNOUNCE came for 10 s', "-w $workers: an agent has to announce itself";
	is $silent->wait_close, 1008, "-w $workers: a socket without an ANNOUNCE is closed";

	# All places are taken.
	my @agents = map { $relay->agent } 1 .. 14;
	my $late = $relay->agent(wait => 0);
	is(($late->next_frame // {})->{error}, 'Too many agents are connected (max_agents)',
		"-w $workers: an agent over max_agents is refused");
	is $late->wait_close, 1013, "-w $workers: and told to try again";
	is $relay->counter('roster_full_total'), 1, "-w $workers: agents over max_agents are counted";
	$agents[0]->close;
	ok $relay->wait_agents(15), "-w $workers: an agent that leaves makes room";
	ok eval { $relay->agent }, "-w $workers: then the next one is accepted";
	$relay->stop;
}

# Forgeries without an end.
my $relay = CoRelay->start(workers => 1);
my $ws = $relay->ws(path => '/ws/announce');
my $forged = { %{ $relay->announce(key_new()) }, summary => 'forged' };
$ws->send_json($forged) for 1 .. 80;
my @errors;
while (my $error = $ws->next(type => 'ERROR')) { push @errors, $error->{error} }
is $ws->closed, 1008, 'an address that sends forgeries without an end is disconnected';
is scalar(grep { !/^(Invalid signature|Rate limit exceeded)$/ } @errors), 0,
    'an agent is told why each ANNOUNCE was refused';
my $agent = eval { $relay->agent };
ok $agent, 'an agent of the same address can still announce itself';
$relay->stop;
done_testing;
