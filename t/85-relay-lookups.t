#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Questions about agents: look-ups by HTTP, the look-up socket, searches, and records that a
# client can verify without trusting the relay.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use CoRelay;
use JSON::PP ();
use Sign qw(canonical key_new sign_text);
use Test::More;

my ($true, $false) = (JSON::PP::true, JSON::PP::false);

# What the agent itself signs of an ANNOUNCE, computed by the test.
sub verifies {
	my ($key, $announce) = @_;
	my %rest = %{ $announce // {} };
	my $signature = delete $rest{signature} // '';
	return $signature eq sign_text($key, CoRelay::spaced(\%rest));
}

sub ask {
	my ($ws, $question) = @_;
	$ws->send_json($question);
	return $ws->next(type => [qw(AGENT_INFO AGENTS ERROR)]) // {};
}

for my $workers (1, 4) {
	my $relay = CoRelay->start(workers => $workers, clock => 1);
	my $key = key_new();
	my $profile = { alias => 'übersetzer', model => 'm', tools => ['translate'],
		skills => [{ name => 's 1', description => 'Spanish', body => 'B', files => { 'a' => 'QQ==' } },
			{ name => 'bare', description => 'no files', body => 'C' },
			{ name => 'listed', description => 'no body' }] };
	my $agent = $relay->agent(key => $key, summary => 'translates: 翻译', profile => $profile,
		extra => { signed => 'too' });
	my $about = "/api/agents/$key->{address}";
	my $record;
	ok wait_for(10, sub { $record = $relay->http(GET => $about); $record->{status} == 200 }),
	    "-w $workers: an announced agent can be looked up";
	my $r = $record->{json};
	is_deeply [@$r{qw(address endpoints relay online summary)}],
	    [$key->{address}, ['http://192.168.1.5:8000'], $relay->ws_url, $true, 'translates: 翻译'],
	    "-w $workers: the record has endpoints, relay and online";
	like $r->{last_seen}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
	    "-w $workers: last_seen is ISO 8601 with Z";
	is_deeply $r->{profile}{skills}, [map { { name => $_->{name}, description => $_->{description} } }
		@{ $profile->{skills} }], "-w $workers: the profile lists skills without bodies and files";
	is $record->{header}{'access-control-allow-origin'}, '*', "-w $workers: look-ups have CORS headers";
	is $relay->http(OPTIONS => $about)->{status}, 204, "-w $workers: OPTIONS of a look-up is 204";

	# Paths as published programs make them.
	for my $path ("/api/relay/agents/$key->{address}", "/ws/announce$about", "/ws$about",
		"/ws/announce/ws/announce$about", "/api/agents/" . uc($key->{address}) =~ s/0X/0x/r) {
		my $got = $relay->http(GET => $path);
		is $got->{status}, 200, "-w $workers: the record is found at " . ($path =~ s/0x.*/.../r);
	}
	for my $path (qw(/announce /ws/announce /ws/announce/ws/announce /ws/ws/announce)) {
		my $a = eval { $relay->agent(path => $path) };
		ok $a, "-w $workers: agents are taken at $path" or diag $@;
	}
	for my $path (qw(/input /ws/input /ws/announce/ws/input /ws/ws/input)) {
		my $client = bless $relay->ws(path => $path), 'CoRelay::Client';
		$client->send_json({ type => 'CONNECT', to => $key->{address}, path => $path });
		is(($agent->next_frame // {})->{path}, $path, "-w $workers: clients are taken at $path");
		$client->close;
		$agent->next_frame;
	}
	for my $path (qw(/ws /ws/announce /ws/input /ws/lookup /ws/announce/ws/input)) {
		my $got = $relay->http(GET => $path);
		is_deeply [$got->{status}, $got->{header}{upgrade}], [426, 'websocket'],
		    "-w $workers: GET of $path is told to upgrade to a WebSocket";
		like $got->{json}{error}, qr{clients to /ws/input}, "-w $workers: GET of $path is told where sockets are";
	}
	is $relay->http(GET => '/wsx')->{status}, 404, "-w $workers: GET of an unknown path is not found";
	is $relay->http(GET => $_)->{status}, 200, "-w $workers: $_ is there"
	    for qw(/health /ws/announce/health /metrics);
	is $relay->http(GET => "/api/agents/0x12")->{status}, 400,
	    "-w $workers: an address that is none is refused";
	my $unknown = key_new()->{address};
	is $relay->http(GET => "/api/agents/$unknown")->{status}, 404,
	    "-w $workers: an unknown address is not found";
	is $relay->http(GET => '/api/agents')->{status}, 404, "-w $workers: there is no list of all agents";

	# Profile and skills.
	my $proof = $relay->http(GET => "$about/profile")->{json};
	is $proof->{publisher}, $key->{address}, "-w $workers: a profile names its publisher";
	is $proof->{signature}, sign_text($key, canonical($profile)),
	    "-w $workers: a profile comes with the signature of the agent";
	is_deeply $relay->http(GET => "$about/skills/s%201")->{json}, { body => 'B', files => { a => 'QQ==' } },
	    "-w $workers: a skill has its body and the files that were announced";
	is_deeply $relay->http(GET => "$about/skills/bare")->{json}, { body => 'C' },
	    "-w $workers: a skill without files has no files";
	for my $name (qw(listed unknown)) {
		my $got = $relay->http(GET => "$about/skills/$name");
		is_deeply [$got->{status}, $got->{json}], [200, { error => 'skill body not published' }],
		    "-w $workers: a skill without a body says so ($name)";
	}

	# The look-up socket.
	my $ws = $relay->ws(path => '/ws/lookup');
	my $info = ask($ws, { type => 'GET_AGENT', address => $key->{address} });
	is_deeply [@{ $info->{agent} }{qw(address summary online)}], [$key->{address}, 'translates: 翻译', $true],
	    "-w $workers: GET_AGENT tells of an agent";
	like "$info->{agent}{last_seen} $info->{agent}{last_announce}", qr/^\d+ \d+$/,
	    "-w $workers: GET_AGENT tells times in seconds";
	is_deeply ask($ws, { type => 'GET_AGENT', address => $unknown }),
	    { type => 'AGENT_INFO', agent => undef, error => 'Agent not found or offline' },
	    "-w $workers: GET_AGENT of an unknown address yields agent null with the error";
	is ask($ws, { type => 'GET_AGENT', address => 'x' })->{error},
	    'Invalid field: address must be 0x and 64 hex digits',
	    "-w $workers: GET_AGENT of an address that is none is refused";
	is ask($ws, { type => 'FIND' })->{error}, 'Missing field: query', "-w $workers: FIND needs a query";
	is ask($ws, { type => 'HELLO' })->{error}, 'Unknown type: use FIND or GET_AGENT',
	    "-w $workers: other questions are refused with the ones that are known";

	# Searches.
	my @others = map { $relay->agent(summary => $_->[0], profile => { alias => $_->[1], tools => [],
		skills => $_->[2] // [] }) }
	    ['Summarises translations of contracts', 'lawyer'],
	    ['Answers questions', 'helper', [{ name => 'translate', description => 'any language' }]],
	    ['Weather for sailors', 'weather'];
	my $found;
	ok wait_for(10, sub {
		$found = ask($ws, { type => 'FIND', query => 'translate' });
		$relay->pass(10);
		@{ $found->{agents} // [] } == 3 }), "-w $workers: FIND tells of all that fit, and of no others"
	    or diag explain $found;
	is $found->{agents}[2]{address}, $others[0]->address,
	    "-w $workers: a word in a skill or tool counts more than in a summary";
	# The records are written one after the other; the last may not be there yet.
	my @sailing;
	ok wait_for(10, sub {
		@sailing = map { $_->{address} }
		    @{ ask($ws, { type => 'FIND', query => 'weather sail' })->{agents} };
		$relay->pass(10);
		@sailing > 0 }), "-w $workers: FIND takes stems and beginnings of words";
	is_deeply \@sailing, [$others[2]->address], "-w $workers: all words of a query must fit";
	is_deeply ask($ws, { type => 'FIND', query => 'quantum "AND (' })->{agents}, [],
	    "-w $workers: FIND of what nobody does tells of nobody, whatever signs it has";
	$others[2]->close;
	$relay->wait_agents(3);
	is ask($ws, { type => 'FIND', query => 'weather' })->{agents}[0]{online}, $false,
	    "-w $workers: FIND says who is offline";
	my @errors = grep { defined } map { ask($ws, { type => 'FIND', query => "q $_" })->{error} } 1 .. 12;
	is $errors[-1], 'Rate limit exceeded', "-w $workers: more searches than limit_finds are refused";
	cmp_ok $relay->counter('limited_lookups_total'), '>', 0, "-w $workers: refused searches are counted";

	# The signed record.
	my $signed = $relay->http(GET => "$about/signed")->{json};
	is $signed->{announce}, undef, "-w $workers: an ANNOUNCE that is still valid elsewhere is not shown";
	$relay->pass(20), $agent->next_text(0.05) for 1 .. 16;
	ok wait_for(10, sub { $signed = $relay->http(GET => "$about/signed")->{json}; $signed->{announce} }),
	    "-w $workers: it is shown once it is older than its window";
	ok verifies($key, $signed->{announce}), "-w $workers: a client can verify all that the agent signed";
	is_deeply $signed->{announce}{extra}, { signed => 'too' },
	    "-w $workers: unknown members are signed members";
	is $signed->{profile_signature}, sign_text($key, canonical($signed->{profile})),
	    "-w $workers: a client can verify the profile";

	$agent->close;
	ok wait_for(10, sub { !$relay->http(GET => $about)->{json}{online} }),
	    "-w $workers: an agent that leaves is offline";
	$r = $relay->http(GET => $about)->{json};
	is_deeply [@$r{qw(relay online endpoints)}], [undef, $false, ['http://192.168.1.5:8000']],
	    "-w $workers: its record stays, without a relay";
	$relay->stop;
	$relay = $relay->start_again(workers => $workers);
	is $relay->http(GET => $about)->{json}{summary}, 'translates: 翻译',
	    "-w $workers: records survive a restart";
	$relay->stop;
}

# Who may know of private endpoints.
my $relay = CoRelay->start(workers => 1, args => ['-o', 'trusted_proxies=127.0.0.1']);
my $agent = $relay->agent(endpoints => ['http://10.0.0.5:8000', 'https://agent.example', 'http://[::1]:8000']);
my $about = '/api/agents/' . $agent->address;
wait_for(10, sub { $relay->http(GET => $about)->{status} == 200 });
is_deeply $relay->http(GET => $about, { 'x-forwarded-for' => '203.0.113.9' })->{json}{endpoints},
    ['https://agent.example'], 'strangers are not told of private endpoints';
is_deeply $relay->http(GET => $about, { 'x-forwarded-for' => '192.168.7.7' })->{json}{endpoints},
    ['http://10.0.0.5:8000', 'https://agent.example', 'http://[::1]:8000'],
    'clients in private networks are told of all endpoints';
$relay->stop;

# Look-ups without an end.
$relay = CoRelay->start(workers => 4, args => ['-o', 'limit_lookups=20']);
my $address = key_new()->{address};
my @status = map { $relay->http(GET => "/api/agents/$address")->{status} } 1 .. 25;
is "@status", join(' ', (404) x 20, (429) x 5), 'look-ups over limit_lookups are refused';
$relay->stop;
done_testing;
