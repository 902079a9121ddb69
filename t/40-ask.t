#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# ask_user: the question waits for an answer, through any connection.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Test::More;

my $host = CoHost->start;
my $ws = $host->ws(session => { session_id => 'ask' });

$ws->send_json({ type => 'INPUT', prompt => 'ask Which?|red|green' });
my $q = $ws->next(type => 'ask_user');
is $q->{question}, 'Which?', 'ask_user has the question';
is $q->{text}, 'Which?', 'ask_user has the question as its text';
is_deeply $q->{options}, ['red', 'green'], 'ask_user has the options';
is $q->{multi_select}, JSON::PP::false, 'ask_user says that one option may be chosen';
$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => 'green' });
is $ws->next(type => 'OUTPUT')->{result}, 'You answered: green', 'the agent gets the answer';

$ws->send_json({ type => 'INPUT', prompt => 'ask Which?|a|b|c' });
$ws->next(type => 'ask_user');
$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => ['a', 'c'] });
is $ws->next(type => 'OUTPUT')->{result}, 'You answered: a, c', 'an array is joined';

$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => 'late' });
is_deeply [map { $_->{type} } $ws->settle], [], 'an answer too late is ignored';

# The Python client leaves with the question and comes back with INPUT.
$ws->send_json({ type => 'INPUT', prompt => 'ask Name?' });
$q = $ws->next(type => 'ask_user');
$ws->close(how => 'cut');
for (1 .. 4) {
	my $look = $host->ws(session => { session_id => 'ask' });
	is $look->connected->{status}, 'running', 'a session with an open question is running';
	my $again = $look->next(type => 'ask_user');
	is $again->{id}, $q->{id}, 'an open question is asked again on every connection';
	$look->close;
}
my $back = $host->ws(session => { session_id => 'ask' });
$back->send_json({ type => 'INPUT', prompt => 'Zoe' });
is $back->next(type => 'RUNTIME_INPUT_ACK')->{session_id}, 'ask',
    'an INPUT answers the open question';
is $back->next(type => 'OUTPUT')->{result}, 'You answered: Zoe',
    'the agent gets the INPUT as its answer';

my $late = $host->ws(session => { session_id => 'ask', last_msg_id => 'unknown' });
is_deeply [map { $_->{type} } grep { $_->{type} eq 'ask_user' } $late->settle], [],
    'an answered question is not asked again';
is $host->metric('cohostd_runs'), 0, 'no turn is left running';
$host->stop;
done_testing;
