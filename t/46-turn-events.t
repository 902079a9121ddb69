#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The events of a turn: their members and pairs, and who sees them again when coming back.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(source write_file);
use JSON::PP;
use Sign qw(:all);
use Test::More;

my $json = JSON::PP->new->utf8->canonical;
my $true = JSON::PP::true;
my $anna = key_new();
my ($host, $n_hellos) = (undef, 0);

# Only who is known is asked for approvals.
sub start {
	my $dir = CoHost::directory();
	write_file("$dir/.co/contacts.txt", "$anna->{address}\n");
	return CoHost->start(dir => $dir, @_);
}

# A socket of anna's on which she has said CONNECT.
sub socket_of {
	my (%connect) = @_;
	my $ws = $host->ws;
	$ws->send_json(connect_frame($anna, $host, %connect, payload => { nonce => $n_hellos++ }));
	$ws->{connected} = $ws->next(type => 'CONNECTED') or die "no CONNECTED\n";
	return $ws;
}
$host = start();

# ---- the events of every script of the demo agent ----

my $ws = socket_of(session_id => 'all');
my %answer = (
	ask_user => { type => 'ASK_USER_RESPONSE', answer => 'red' },
	approval_needed => { type => 'APPROVAL_RESPONSE', approved => $true, scope => 'once' },
	plan_review => { type => 'PLAN_REVIEW_RESPONSE', message => 'go' },
);
my @turns;
for my $prompt ('What is 42 * 17?', 'think 2', 'stream 2', 'ask Which?|red|green', 'approve rm',
	'plan Dig|Fill', 'events', 'echo x', 'translate hello to French', 'calculate 1/0') {
	$ws->send_json({ type => 'INPUT', prompt => $prompt });
	my @all;
	while (my $f = $ws->next) {
		push @all, $f;
		$ws->send_json($answer{ $f->{type} }) if $answer{ $f->{type} };
		last if $f->{type} =~ /^(?:OUTPUT|ERROR)$/;
	}
	is $all[-1]{type}, 'OUTPUT', "$prompt: the turn ends in OUTPUT";
	push @turns, \@all;
}
my @events = grep { $_->{type} ne 'OUTPUT' } map { @$_ } @turns;
my @bare = grep {
	!length($_->{id} // '') || ($_->{ts} // '') !~ /^\d+\.\d+$/ || $_->{session_id} ne 'all'
} @events;
is_deeply \@bare, [], 'every event has id, ts and session_id';

my %of = map { my $type = $_; $type => [grep { $_->{type} eq $type } @events] }
    qw(llm_call llm_result tool_call tool_result ask_user plan);
is_deeply [map { $_->{id} } @{ $of{llm_result} }], [map { $_->{id} } @{ $of{llm_call} }],
    'each llm_result has the id of its llm_call';
my (%called, @odd);
for my $f (@events) {
	$called{ $f->{tool_id} } = $f->{name} if $f->{type} eq 'tool_call';
	push @odd, $f if $f->{type} eq 'tool_result' && ($called{ $f->{tool_id} } // '') ne $f->{name};
}
is_deeply \@odd, [], 'a tool_result follows its tool_call and has its tool_id';
cmp_ok scalar(@{ $of{tool_result} }), '>=', 5, 'the turns have at least five tool results';
is_deeply [grep { $_->{status} ne 'running' } @{ $of{tool_call} }], [],
    'tool_call.status is running';
is_deeply [grep { $_->{status} !~ /^(?:success|error)$/ } @{ $of{tool_result} }], [],
    'tool_result.status is success or error';
my ($q) = @{ $of{ask_user} };
is "$q->{text} $q->{question}", 'Which? Which?', 'ask_user has its text as text and question';
is_deeply [$q->{options}, $q->{multi_select}], [['red', 'green'], JSON::PP::false],
    'ask_user has options and multi_select';
my @entries = map { @{ $_->{entries} } } @{ $of{plan} };
cmp_ok scalar(@entries), '>', 0, 'the events have a plan';
is_deeply [grep { $_->{priority} !~ /^(?:high|medium|low)$/
	|| $_->{status} !~ /^(?:pending|in_progress|completed)$/ } @entries], [],
    'plan entries have priorities and statuses that clients know';

# ---- an answer of another kind ----

$ws->send_json({ type => 'INPUT', prompt => 'approve rm' });
$ws->next(type => 'approval_needed');
$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => 'yes' });
$ws->send_json({ type => 'PLAN_REVIEW_RESPONSE', message => 'yes' });
is_deeply [$ws->settle], [], 'an answer of another kind does not give an approval';
is $host->http(GET => '/sessions/all', signed_get_headers($anna, '/sessions/all'))
    ->{json}{status}, 'waiting_approval',
    'a turn waits for an approval after an answer of another kind';
$ws->send_json({ type => 'APPROVAL_RESPONSE', approved => $true, scope => 'once' });
is $ws->next(type => 'OUTPUT')->{result}, 'rm was approved and ran.',
    'a turn goes on when the approval comes';
$host->stop;

# ---- a plan and an approval as an agent process sees them ----

$host = start(agent => 'exec:perl ' . source('t/agents/puppet.pl'));
my %need = (type => 'approval_needed', tool => 'rm', arguments => {});
$ws = socket_of(session_id => 'heard');
my %hard = (type => 'APPROVAL_RESPONSE', approved => JSON::PP::false, scope => 'once',
	mode => 'reject_hard');
for my $said ('"yes"', '1', 'null', '"false"') {
	$ws->send_json({ type => 'INPUT', prompt => $json->encode([\%need, 'listen']) });
	$ws->next(type => 'approval_needed');
	my $text = qq({"type":"APPROVAL_RESPONSE","approved":$said,"scope":"once"});
	$ws->send_text($text) for 1 .. 3;
	my @all = $ws->all_until('OUTPUT', 'ERROR');
	my ($heard) = grep { $_->{type} eq 'heard' } @all;
	is_deeply $heard->{line}, \%hard, "approved $said counts as reject_hard";
	is $all[-1]{result}, 'done',
	    "a repeated answer with approved $said does not disturb the turn";
}

# ---- what an agent says that is not so ----

my @plans = ({ content => 'a', priority => 'urgent', status => 'pending' },
	{ content => 'a', priority => 'high', status => 'started' });
for my $entry (@plans) {
	my @all = $ws->turn($json->encode([{ type => 'plan', entries => [$entry] }]));
	my @shown = map { @{ $_->{entries} } } grep { $_->{type} eq 'plan' } @all;
	is_deeply [grep { $_->{priority} !~ /^(?:high|medium|low)$/
		|| $_->{status} !~ /^(?:pending|in_progress|completed)$/ } @shown], [],
	    "a plan entry that is $entry->{priority} and $entry->{status} is not shown as such";
}

# ---- coming back ----

# Events that share ids, a question and an approval that are answered, one that waits.
my @script = (
	{ type => 'llm_call', id => 'l1' }, { type => 'thinking', content => 'one' },
	{ type => 'llm_result', id => 'l1' }, { type => 'compact', id => 'k1', status => 'compacting' },
	{ type => 'ask_user', id => 'q1', question => 'First?' }, 'listen',
	{ type => 'compact', id => 'k1', status => 'done' },
	{ type => 'approval_needed', id => 'a1', tool => 'rm', arguments => {} }, 'listen',
	{ type => 'progress', id => 'p1', done => 3 },
	{ type => 'ask_user', id => 'q2', question => 'Second?' }, 'listen',
	{ type => 'thinking', content => 'two' },
);
my $client = socket_of(session_id => 'back');
$client->turn('what was before');
$client->send_json({ type => 'INPUT', prompt => $json->encode(\@script) });
my @seen;
while (my $f = $client->next) {
	push @seen, $f;
	$client->send_json($answer{ $f->{type} }) if $answer{ $f->{type} } && $f->{id} ne 'q2';
	last if $f->{id} eq 'q2';
}
my @again = grep { $_->{id} !~ /^(?:q1|a1)$/ } @seen;
my $key = sub { map { "$_->{type} $_->{id}" } @_ };

sub replay {
	my (%connect) = @_;
	my $c = socket_of(session_id => 'back', %connect);
	my @all = $c->settle;
	$c->close(how => 'cut');
	shift @all if ($connect{last_msg_id} // '') eq 'who' && $all[0]{type} eq 'reset';
	return ($c->connected->{status}, @all);
}
for my $place (['absent'], ['null', last_msg_id => undef], ['unknown', last_msg_id => 'who'],
	['empty', last_msg_id => ''], ['a number', last_msg_id => 5]) {
	my ($what, %connect) = @$place;
	my ($status, @all) = replay(%connect);
	is $status, 'running', "last_msg_id is $what: the turn is running";
	is_deeply \@all, \@again,
	    "last_msg_id is $what: the whole turn is replayed as it was first sent";
}
unlike join(' ', $key->(@again)), qr/ (?:q1|a1)\b/,
    'a question is not replayed when it was answered';
is $again[-1]{id}, 'q2', 'an open question is replayed';
my @first = map { my $id = $_->{id}; (grep { $seen[$_]{id} eq $id } 0 .. $#seen)[0] } @seen;
for my $n (0 .. $#seen) {
	my ($status, @all) = replay(last_msg_id => $seen[$n]{id});
	my @rest = grep { $_->{id} !~ /^(?:q1|a1)$/ } @seen[$first[$n] + 1 .. $#seen];
	is_deeply \@all, \@rest, 'after ' . ($key->($seen[$n]))[0]
	    . ' comes what followed the first event with this id';
}

# Whoever comes while events come misses none and gets none twice.
my @late = map { socket_of(session_id => 'back', last_msg_id => 'p1') } 1 .. 4;
$late[0]->send_json({ type => 'ASK_USER_RESPONSE', answer => 'now' });
my @more = map { socket_of(session_id => 'back', last_msg_id => 'p1') } 1 .. 4;
my @whole = $client->all_until('OUTPUT');
for my $c (@late) {
	is_deeply [grep { $_->{id} && $_->{id} ne 'q2' } $c->all_until('OUTPUT')],
	    [grep { $_->{id} } @whole], 'live events follow the replay without a gap';
}

# ---- the turn before is not told any more ----

$client->send_json({ type => 'INPUT', prompt => $json->encode([
	{ type => 'ask_user', id => 'q3', question => 'Third?' }, 'listen']) });
my @new = ($client->next, $client->next);
for my $id (map { $_->{id} } @seen) {
	my ($status, @all) = replay(last_msg_id => $id);
	is_deeply [grep { $_->{type} ne 'reset' } @all], \@new,
	    "last_msg_id $id of the turn before: only the new turn is replayed";
	is $all[0]{type}, 'reset', "last_msg_id $id of the turn before: a reset comes first";
}
$client->send_json({ type => 'ASK_USER_RESPONSE', answer => 'so' });
$client->all_until('OUTPUT');
$host->stop;

# ---- the Python client that says its answer as INPUT ----

$host = start(clock => 1);

# One call of input(): CONNECT, INPUT, and all until it returns.
sub call_input {
	my ($prompt, %connect) = @_;
	my $c = socket_of(v2 => 1, %connect);
	$c->send_json(command_frame($anna, $host, INPUT => prompt => $prompt));
	my $f = $c->next(type => ['OUTPUT', 'ERROR', 'ask_user']);
	$c->close;
	return $f;
}
for my $n (1 .. 8) {
	my $id = "python$n";
	my $ask = call_input('ask Which?|red|green', session_id => $id);
	is "$ask->{type} $ask->{question}", 'ask_user Which?',
	    'input() of the Python client ends with the question';
	my $end = call_input('green', session_id => $id);
	is_deeply [@$end{qw(type result)}], ['OUTPUT', 'You answered: green'],
	    'the next input() of the Python client answers the question';
}
call_input('ask Which?', session_id => 'silent');
my $silent = socket_of(v2 => 1, session_id => 'silent');
is $silent->connected->{status}, 'running',
    'a client that does not speak attaches to a running turn';
$host->pass(4);
is $silent->next(type => 'ask_user')->{question}, 'Which?',
    'a client that does not speak is asked after a moment';
$silent->send_json(command_frame($anna, $host, 'INTERRUPT'));
$silent->all_until('OUTPUT');
$host->stop;
done_testing;
