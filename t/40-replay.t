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
is $status, 'running', 'we are back while it runs';
is $rest[-1]{type}, 'OUTPUT', 'the end comes';
my @whole = map { $key->($_) } @seen, @rest[0 .. $#rest - 1];
my %twice;
is_deeply [grep { $twice{$_}++ } @whole], [], 'nothing came twice';
is_deeply [map { /tool_call e/ ? $_ : () } @whole],
    [map { 'tool_call e1-' . (1 + 2 * $_) } 0 .. 29], 'and nothing is missing';

($status, my @after) = come_back(last_msg_id => $seen[4]{id});
is $status, 'running', 'now it is over, but this client has not seen the end';
is_deeply [map { $key->($_) } @after[0 .. $#after - 1]],
    [map { $key->($_) } @seen[5 .. 9], @rest[0 .. $#rest - 1]],
    'the rest of the turn is told all the same';
is $after[-1]{result}, 'Streamed 30 steps.', 'with its OUTPUT';

my $c = $host->ws(session => {%session});
is_deeply [$c->settle], [], 'without last_msg_id nothing is told';
$c = $host->ws(session => { %session, last_msg_id => 'who knows' });
is_deeply [map { $_->{type} } $c->settle], ['reset'],
    'nor with one that is unknown, but that there is a hole';
$c->turn('echo next');
$c = $host->ws(session => { %session, last_msg_id => $seen[4]{id} });
is_deeply [map { $_->{type} } $c->settle], ['reset', 'user_input', 'turn_result', 'OUTPUT'],
    'with one of the turn before, the turn that was missed is told, after the hole';
my $talk = $host->http(GET => "/sessions/$session{session_id}")->{json};
$c = $host->ws(session => { %session, last_msg_id => $seen[4]{id},
	session => { iteration => 1e9 } });
is_deeply [$c->settle], [], 'but not to a client that knows as much as we do';

my $long = $host->ws(session => {%session});
$long->send_json({ type => 'INPUT', prompt => 'stream 15 30' });
$long->next(type => 'tool_call');
($status, my @all) = come_back(last_msg_id => 'who knows');
is $status, 'running', 'while a turn runs, an unknown id';
is "$all[0]{type} $all[1]{type}", 'reset user_input',
    'brings the hole and then the whole turn';
is scalar(grep { $_->{type} eq 'tool_call' } @all), 15, 'to its end';

$c = $host->ws(session => {%session});
$c->turn('fail loudly');
($status, @all) = come_back(last_msg_id => "e4-0");
is $all[-1]{type}, 'ERROR', 'an ERROR is told again as well';
$host->stop;
done_testing;
