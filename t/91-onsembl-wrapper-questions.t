#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# An agent with a model, behind onsembl-agent, asks: the answers that clients of all doors give
# to our server reach it, from any worker, and once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use ClaudeStandIn;
use CoHost qw(wait_for write_file);
use File::Temp;
use OnsAgent;
use Onsembl;
use Sign qw(:all);
use Test::More;
use Wrapper;

my $bin = File::Temp->newdir;
ClaudeStandIn::install($bin);
local $ENV{ONSEMBL_JWT_SECRET} = $OnsAgent::SECRET;
# Only who is known is asked for approvals.
my $anna = key_new();
my $dir = CoHost::directory();
write_file("$dir/.co/contacts.txt", "$anna->{address}\n");
my $host = CoHost->start(dir => $dir, args => ['-w', 4, '-a', 'onsembl:Alice']);
my $w = Wrapper->start(server => $host->url, token => OnsAgent::token('ann'), agent => 'claude',
	args => ['--auth-type', 'api-key', '--name', 'Alice'],
	env => { PATH => "$bin:$ENV{PATH}", ANTHROPIC_API_KEY => 'k' });
my $is_here = sub { $host->metric('cohostd_agents_dialed_in') == 1 };
ok wait_for(20, $is_here), 'the wrapper dials in';

my $n_hellos = 0;
sub socket_of {
	my ($id) = @_;
	my $ws = $host->ws;
	$ws->send_json(connect_frame($anna, $host, session_id => $id, payload => { nonce => $n_hellos++ }));
	$ws->next(type => 'CONNECTED') or die "no CONNECTED\n";
	return $ws;
}

sub prompt {
	my ($id, $text) = @_;
	my $ws = socket_of($id);
	$ws->send_json({ type => 'INPUT', prompt => $text });
	return $ws;
}

sub record {
	my ($id) = @_;
	my $path = "/sessions/$id";
	return $host->http(GET => $path, signed_get_headers($anna, $path))->{json} // {};
}

sub is_in { my ($id, $status) = @_; return wait_for(20, sub { (record($id)->{status} // '') eq $status }) }

sub result { my ($ws) = @_; return $ws->next(type => ['OUTPUT', 'ERROR'])->{result} }

my %yes = (type => 'APPROVAL_RESPONSE', approved => JSON::PP::true, scope => 'once');
my %no = (type => 'APPROVAL_RESPONSE', approved => JSON::PP::false, feedback => 'too risky');

# ---- /ws ----

my $ws = prompt('yes', 'run expr 42');
is $ws->next(type => 'approval_needed')->{tool}, 'Bash', 'the agent asks for approval';
$ws->send_json(\%yes);
is result($ws), "ran: 42\n", 'a yes reaches the agent';
$ws = prompt('no', 'run expr 42');
$ws->next(type => 'approval_needed');
$ws->send_json(\%no);
is result($ws), 'ran: too risky', 'a no reaches the agent, with the words of the user';
$ws = prompt('ask', 'choose');
is_deeply $ws->next(type => 'ask_user')->{options}, ['red', 'blue'], 'the agent asks a question';
$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => 'blue' });
is result($ws), 'chosen: blue', 'the answer reaches the agent';

$ws = prompt('more', 'run expr 43');
$ws->next(type => 'approval_needed');
$ws->send_json({ type => 'INPUT', prompt => 'say later' });
$ws->next(type => 'RUNTIME_INPUT_ACK');
$ws->send_json(\%yes);
is result($ws), "ran: 43\n", 'the turn goes on while further input waits';
is result($ws), 'later', 'input that the agent does not take up begins the next turn';

$ws = prompt('stop', 'wait');
$ws->next(type => 'assistant');
$ws->send_json({ type => 'INTERRUPT' });
is result($ws), 'What would you like me to do?', 'an interrupt ends the turn of the agent';
$ws = prompt('stop-asked', 'run expr 1');
$ws->next(type => 'approval_needed');
$ws->send_json({ type => 'INTERRUPT' });
is result($ws), 'What would you like me to do?', 'a turn that waits for approval can be interrupted';

# ---- POST /input, answered from connections to all workers ----

my $c = $host->client;
$c->send(POST => '/input', undef,
	signed_body($anna, { prompt => 'run expr 44' }, session => { session_id => 'post' }));
ok is_in('post', 'waiting_approval'), 'a turn of POST /input waits for approval';
for (map { socket_of('post') } 1 .. 4) {
	$_->next(type => 'approval_needed');
	$_->send_json(\%yes);
}
ok is_in('post', 'done'), 'the turn of POST /input goes on';
is record('post')->{result}, "ran: 44\n", 'the first of four answers counts';

# ---- a dashboard ----

my $d = Onsembl->dashboard($host, user => 'ann');
my ($alice) = grep { $_->{name} eq 'Alice' } @{ $d->next('DASHBOARD_CONNECTED')->{payload}{agents} };
$d->say(COMMAND_REQUEST => { commandId => 'dash', agentId => $alice->{agentId}, command => 'choose' });
ok wait_for(10, sub { ($d->next('TERMINAL_STREAM') // die "no question\n")->{payload}{content} =~ /Which\?/ }),
    'a dashboard is shown the question';
$d->say(COMMAND_REQUEST => { commandId => 'dash-answer', agentId => $alice->{agentId}, command => 'red' });
my @all = ($d->until('COMMAND_COMPLETE'), $d->until('COMMAND_COMPLETE'));
my ($end) = grep { $_->{type} eq 'COMMAND_COMPLETE' && $_->{payload}{commandId} eq 'dash' } @all;
is $end->{payload}{status}, 'COMPLETED', 'the next command of a dashboard answers the agent';

$d->say(COMMAND_REQUEST => { commandId => 'steps', agentId => $alice->{agentId}, command => 'work well' });
my @traces = grep { $_->{type} eq 'TRACE_STREAM' } $d->until('COMMAND_COMPLETE');
is_deeply [map { $_->{payload}{trace}{type} . ($_->{payload}{trace}{tokensUsed} // '') } @traces],
    ['LLM_PROMPT', 'RESPONSE', 'TOOL_CALL', 'TOOL_CALL', 'RESPONSE', 'LLM_PROMPT42'],
    'a dashboard gets each step of the agent once, and its tokens at the end';

# ---- workers die, and answers come while the wrapper is away ----

sub kill_all {
	for my $pid ($host->workers) {
		$host->kill_worker($pid);
		wait_for(10, sub { scalar($host->workers) == 4 });
	}
}

sub answered {
	my ($id) = @_;
	is_in($id, 'done');
	my $e = $host->client;
	my $path = "/sessions/$id/events";
	$e->send(GET => "$path?from=0", signed_get_headers($anna, $path));
	$e->head;
	my @events;
	while (my $ev = $e->event) { push @events, JSON::PP::decode_json($ev->{data}) }
	my %n;
	$n{ $_->{type} // '' }++ for @events;
	is $n{approval_needed}, 1, "$id: the agent has asked once";
	return record($id)->{result};
}

prompt('killed', 'run expr 45')->next(type => 'approval_needed');
kill_all();
wait_for(10, $is_here);
$ws = socket_of('killed');
$ws->next(type => 'approval_needed');
$ws->send_json(\%yes);
is answered('killed'), "ran: 45\n", 'an answer reaches the agent after all workers died';

prompt('away', 'run expr 46')->next(type => 'approval_needed');
$w->signal('STOP');
kill_all();
$ws = socket_of('away');
$ws->next(type => 'approval_needed');
$ws->send_json(\%yes);
$ws->settle;
$w->signal('CONT');
is answered('away'), "ran: 46\n", 'an answer that comes while the wrapper is away waits for it';
$w->stop;
$host->stop;
done_testing;
