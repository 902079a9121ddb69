#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# An agent of Onsembl as the hosted agent, prompted through three doors in one session: Socket.IO as
# OpenHands speaks it, POST /input, and /ws. Each request may reach any of four workers.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use CoHost qw(wait_for);
use OnsAgent;
use SIO;
use Test::More;

local $ENV{ONSEMBL_JWT_SECRET} = $OnsAgent::SECRET;
my $host = CoHost->start(args => ['-w', 4, '-a', 'onsembl:mock-1']);
my $agent = OnsAgent->new($host, id => 'mock-1', user => 'ann', says => { activeCommands => [] });

sub join_in {
	my ($kind) = @_;
	my $c = SIO->$kind($host, conversation_id => 'shared', latest_event_id => -1);
	$c->connect =~ /^40/ or die "not connected\n";
	return $c;
}

# What the user and the agent have said, as a client of OpenHands is shown it.
sub said {
	my ($c) = @_;
	return map { ($_->{source} eq 'user' ? 'user: ' : 'agent: ') . ($_->{message} // $_->{args}{content}) =~ s/\s+\z//r }
	    grep { ($_->{action} // '') eq 'message' } $c->events;
}

# The agent runs one command.
sub run_next {
	my ($prompt) = @_;
	my $q = $agent->command or return;
	is $q->{command}, $prompt, "the agent is sent '$prompt'";
	$agent->ask(TERMINAL_OUTPUT => { commandId => $q->{commandId}, content => "did $prompt\n", streamType => 'STDOUT',
		sequence => 1 });
	$agent->complete($q->{commandId});
	return $q->{commandId};
}

my ($page, $poller) = (join_in('websocket'), join_in('polling'));
my @ids;
$page->emit(oh_user_action => { type => 'message', source => 'user', message => 'one' });
push @ids, run_next('one');
for (['a WebSocket', $page], ['polls', $poller]) {
	my ($name, $c) = @$_;
	ok $c->event(sub { ($_[0]{action} // '') eq 'message' && $_[0]{source} eq 'agent' }),
	    "a client of OpenHands with $name is shown the result of its message";
}

my $http = $host->client;
$http->send(POST => '/input', undef, { prompt => 'two', session => { session_id => 'shared' } });
push @ids, run_next('two');
is $http->reply->{json}{result}, "did two\n", 'POST /input gets the result of its prompt in the same session';

my $ws = $host->ws(session => { session_id => 'shared' });
$ws->send_json({ type => 'INPUT', prompt => 'three' });
push @ids, run_next('three');
is $ws->next(type => ['OUTPUT', 'ERROR'])->{result}, "did three\n", '/ws gets the result of its prompt in the same session';
is scalar(keys %{ { map { $_ => 1 } @ids } }), 3, 'each turn of a session is a command of its own';

my @want = map { ("user: $_", "agent: did $_") } qw(one two three);
for (['that was there', $page], ['that polls', $poller], ['that comes later', join_in('websocket')]) {
	my ($name, $c) = @$_;
	$c->event(sub { ($_[0]{action} // '') eq 'message' && ($_[0]{message} // $_[0]{args}{content} // '') =~ /did three/ });
	is_deeply [said($c)], \@want, "a client of OpenHands $name is shown the turns of all doors";
}
my $e = $host->client;
$e->send(GET => '/sessions/shared/events?from=0');
$e->head;
my @all;
while (my $ev = $e->event) { push @all, $ev->{json} // JSON::PP::decode_json($ev->{data}) }
is join('', map { $_->{content} } grep { ($_->{type} // '') eq 'terminal_output' } @all), "did one\ndid two\ndid three\n",
    'the events of the session have the output of all doors';
is $host->http(GET => '/sessions/shared')->{json}{result}, "did three\n", 'the session has the result of its last turn';

# One that is not there: a prompt waits, whichever door it came by.
$agent->vanish;
ok wait_for(10, sub { $host->metric('cohostd_agents_dialed_in') == 0 }), 'the agent goes';
$page->emit(oh_user_action => { type => 'message', source => 'user', message => 'four' });
ok wait_for(10, sub { $host->metric('cohostd_turns_left_total') >= 1 }), 'a message of OpenHands waits for its agent';
$agent = OnsAgent->new($host, id => 'mock-1', user => 'ann', says => { activeCommands => [] });
run_next('four');
ok $poller->event(sub { ($_[0]{action} // '') eq 'message' && ($_[0]{message} // $_[0]{args}{content} // '') =~ /did four/ }),
    'a message that waited for its agent is answered to all clients';
$host->stop;
done_testing;
