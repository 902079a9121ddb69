#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The ids of OpenHands' events are consecutive in a conversation. They stay the same when the
# server is restarted and when the journal is trimmed, and go on after that.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use SIO;
use Test::More;

my $dir = CoHost::directory();
my $KEPT = 1000;

sub start {
	return CoHost->start(dir => $dir, workers => 2, args => ['-o', "journal_events=$KEPT"]);
}

sub state_of { return ($_[0]{extras} // {})->{agent_state} // '' }

# A client after it got everything up to the state in which the agent awaits its user.
sub join_in {
	my ($host, $last) = @_;
	my $c = SIO->websocket($host, conversation_id => 'ids', latest_event_id => $last);
	$c->connect;
	$c->event(sub { state_of($_[0]) eq 'awaiting_user_input' });
	return $c;
}

# The events of one turn, as they come; in a long one, some may be trimmed before.
sub turn {
	my ($host, $last, $prompt) = @_;
	my $c = SIO->websocket($host, conversation_id => 'ids', latest_event_id => $last);
	$c->emit(oh_user_action => { type => 'message', message => $prompt });
	$c->event(sub { state_of($_[0]) eq 'awaiting_user_input' && $_[0]{id} > $last }, 30);
	return grep { $_ > $last } map { $_->{id} } $c->events;
}

# Consecutive ids as "FIRST-LAST".
sub ranges {
	my @ranges;
	for my $id (@_) {
		if (@ranges && $id == $ranges[-1][1] + 1) { $ranges[-1][1] = $id }
		else { push @ranges, [$id, $id] }
	}
	return join ' ', map { "$_->[0]-$_->[1]" } @ranges;
}

sub ids { return map { $_->{id} } $_[0]->events }

# Those of events that tell no state: a replay has only the newest state.
sub shown { return map { $_->{id} } grep { !state_of($_) } $_[0]->events }

my $host = start();
my @first = turn($host, 0, 'What is 42 * 17?');
is ranges(@first), "1-$first[-1]", 'the ids of a turn are consecutive, from 1';
my @before = ids(join_in($host, -1));
$host->stop;

$host = start();
is "@{[ids(join_in($host, -1))]}", "@before", 'a conversation has the same ids after a restart';
my @second = turn($host, $first[-1], "stream $KEPT 0");
cmp_ok $second[-1], '>', $first[-1] + $KEPT, 'ids go on while the journal is trimmed';
my @kept = shown(join_in($host, -1));
cmp_ok $kept[0], '>', $first[-1], 'events were trimmed';
is ranges(@kept), $kept[0] . '-' . ($second[-1] - 1),
    'events that are kept have the ids that they had before others were trimmed';
$host->stop;

$host = start();
is ranges(shown(join_in($host, -1))), ranges(@kept),
    'a conversation with a trimmed journal has the same ids after a restart';
is +(shown(join_in($host, $kept[7])))[0], $kept[8],
    'a client that comes back after a restart gets the event after its last id';
my @gone = shown(join_in($host, $first[-1]));
is $gone[0], $kept[0], 'a client whose next event was trimmed gets the oldest that is kept';
my @third = turn($host, $second[-1], 'echo more');
is $third[0], $second[-1] + 1, 'the next turn gets the next id';
$host->stop;
done_testing;
