#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# last_msg_id of a lost journal, or of turns long past: never a silent hole.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start;

sub back {
	my ($id, $last, %more) = @_;
	return $host->ws(session => { session_id => $id, last_msg_id => $last, %more });
}

# The ids of a turn's events.
sub ids { return grep { defined } map { $_->{id} } @_ }

sub resets { return grep { $_->{type} eq 'reset' } @_ }

my $ws = $host->ws(session => { session_id => 'old' });
my @first = ids($ws->turn('stream 3 1'));
my @second = ids($ws->turn('stream 300 0'));
my @third = ids($ws->turn('echo third'));

my ($reset) = resets(back('old', $first[1])->settle);
is $reset->{recovered}, JSON::PP::false, 'last_msg_id of a turn long past gets a reset';
is $reset->{session_id}, 'old', 'a reset names the session';
is $reset->{missed}, undef, 'a reset names no size when none is known';
ok resets(back('old', 'no-such-event')->settle), 'an unknown last_msg_id gets a reset';
my $stranger = $host->ws(session => { session_id => 'nowhere', last_msg_id => 'x' });
ok resets($stranger->settle), 'last_msg_id in an unknown session gets a reset';
ok !resets(back('old', $third[-1])->settle), 'a client that saw all events gets no reset';
ok !resets($host->ws(session => { session_id => 'old' })->settle),
    'a client without last_msg_id gets no reset';

my @all = back('old', $second[-1])->all_until('OUTPUT');
is $all[-1]{result}, 'third', 'last_msg_id at the end of the turn before gets the latest turn';
ok !resets(@all), 'last_msg_id at the end of the turn before gets no reset';
@all = back('old', $second[-10])->all_until('OUTPUT');
is $all[-1]{result}, 'third', 'last_msg_id in the middle of the turn before gets the latest turn';
is_deeply [map { $_->{missed} } resets(@all)], [9], 'a reset says how many events are left out';
is $all[0]{type}, 'reset', 'a reset comes before the latest turn';

# A turn that fails leaves the conversation as it was.
$ws = $host->ws(session => { session_id => 'bad' });
$ws->send_json({ type => 'INPUT', prompt => 'fail now' });
my $seen = $ws->next(type => 'user_input');
is $ws->next(type => 'ERROR')->{code}, -32603, 'a turn fails';
@all = back('bad', $seen->{id})->all_until('OUTPUT', 'ERROR');
is $all[-1]{type}, 'ERROR', 'a client that was away is told of a failed turn';

# An acknowledgement is no place in the journal.
$ws = $host->ws(session => { session_id => 'ack' });
$ws->send_json({ type => 'INPUT', prompt => 'stream 100 20' });
$ws->next(type => 'tool_call');
$ws->send_json({ type => 'INPUT', prompt => 'more' });
my $ack = $ws->next(type => 'RUNTIME_INPUT_ACK');
@all = back('ack', $ack->{id})->all_until('OUTPUT');
ok !resets(@all), 'the id of an acknowledgement: nothing is missing';

# The journal is lost, as after a crash of the machine.
my %children = $host->children;
kill KILL => $host->pid, keys %children;
$host->wait_exit;
unlink glob $host->dir . '/.co/store/journal*';
$host = CoHost->start(dir => $host->dir);
ok resets(back('old', $third[1])->settle), 'last_msg_id gets a reset when the journal is lost';
for my $case (['old', 'done', 'third'], ['bad', 'failed', undef]) {
	my ($id, $type, $result) = @$case;
	my $c = $host->client;
	$c->send(GET => "/sessions/$id/events", { 'last-event-id' => '1-3' });
	$c->head;
	my @events;
	while (my $e = $c->event) { push @events, $e }
	is_deeply [map { $_->{type} } @events], ['reset', $type],
	    "an event stream of a lost journal: the hole, and that the turn has $type";
	is $events[-1]{json}{result}, $result,
	    "an event stream of a lost journal has the stored result ($id)";
	ok $c->{is_eof} || !$c->event, "an event stream of a lost journal ends ($id)";
}
$host->stop;
done_testing;
