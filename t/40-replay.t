#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# last_msg_id: the rest of the turn, also when it ended meanwhile.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Test::More;

my $host = CoHost->start;
my %session = (session_id => 'replay');
my $ws = $host->ws(session => {%session});
$ws->send_json({ type => 'INPUT', prompt => 'stream 30 30' });
my @seen = map { $ws->next } 1 .. 10;
$ws->close(how => 'cut');

sub come_back {
	my (%more) = @_;
	my $c = $host->ws(session => { %session, %more });
	my @all = eval { $c->all_until('OUTPUT', 'ERROR', { timeout => 10 }) };
	return ($c->connected->{status}, @all);
}
my $key = sub { "$_[0]{type} $_[0]{id}" };

my ($status, @rest) = come_back(last_msg_id => $seen[-1]{id});
is $status, 'running', 'a client comes back while the turn runs';
is $rest[-1]{type}, 'OUTPUT', 'the end of the turn follows the replay';
my @whole = map { $key->($_) } @seen, @rest[0 .. $#rest - 1];
my %twice;
is_deeply [grep { $twice{$_}++ } @whole], [], 'no event is replayed twice';
is_deeply [map { /tool_call e/ ? $_ : () } @whole],
    [map { 'tool_call e1-' . (1 + 2 * $_) } 0 .. 29], 'no event is missing from the replay';

($status, my @after) = come_back(last_msg_id => $seen[4]{id});
is $status, 'running', 'a client comes back after the end that it has not seen';
is_deeply [map { $key->($_) } @after[0 .. $#after - 1]],
    [map { $key->($_) } @seen[5 .. 9], @rest[0 .. $#rest - 1]],
    'a client that missed the end gets the rest of the turn';
is $after[-1]{result}, 'Streamed 30 steps.', 'a client that missed the end gets the OUTPUT';

my $c = $host->ws(session => {%session});
is_deeply [$c->settle], [], 'an idle session without last_msg_id has no replay';
$c = $host->ws(session => { %session, last_msg_id => 'who knows' });
is_deeply [map { $_->{type} } $c->settle], ['reset'],
    'an idle session with an unknown last_msg_id gets only a reset';
$c->turn('echo next');
$c = $host->ws(session => { %session, last_msg_id => $seen[4]{id} });
is_deeply [map { $_->{type} } $c->settle], ['reset', 'user_input', 'turn_result', 'OUTPUT'],
    'last_msg_id of the turn before gets a reset and the turn that was missed';
my $talk = $host->http(GET => "/sessions/$session{session_id}")->{json};
$c = $host->ws(session => { %session, last_msg_id => $seen[4]{id},
	session => { iteration => 1e9 } });
is_deeply [$c->settle], [], "a client with a conversation as new as the server's gets no replay";

my $long = $host->ws(session => {%session});
$long->send_json({ type => 'INPUT', prompt => 'stream 15 30' });
$long->next(type => 'tool_call');
($status, my @all) = come_back(last_msg_id => 'who knows');
is $status, 'running', 'a client with an unknown last_msg_id comes back while a turn runs';
is "$all[0]{type} $all[1]{type}", 'reset user_input',
    'an unknown last_msg_id gets a reset and the whole running turn';
is scalar(grep { $_->{type} eq 'tool_call' } @all), 15,
    'the replay of a running turn goes on to its end';

$c = $host->ws(session => {%session});
$c->turn('fail loudly');
($status, @all) = come_back(last_msg_id => "e4-0");
is $all[-1]{type}, 'ERROR', 'a missed ERROR is told to a client that comes back';
$host->stop;
done_testing;
