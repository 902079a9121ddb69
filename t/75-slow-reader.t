#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A reader that never reads is cut; it comes back and has lost nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Test::More;

my $host = CoHost->start(args => ['-o', 'output_limit=1048576', '-o', 'slow_reader_timeout=1',
	'-o', 'journal_events=1000000', '-o', 'journal_bytes=1073741824']);
my $n = 30_000;
my %small = (sockopts => [[SOL_SOCKET, SO_RCVBUF, 4096]]);

my $slow = $host->ws(session => { session_id => 'slow' }, %small);
my $sse = $host->client(%small);
my $good = $host->ws(session => { session_id => 'slow' });
$slow->send_json({ type => 'INPUT', prompt => "stream $n" });
my $first = $slow->next(type => 'user_input');
$sse->send(GET => '/sessions/slow/events?from=0');

# Read to the end of the turn: steps seen, and the last event's id.
sub read_all {
	my ($ws) = @_;
	my ($n_steps, $last, $end) = (0, undef, '');
	while (!$end && defined(my $text = $ws->next_text(30))) {
		$n_steps++ if $text =~ /^\{"type":"tool_result"/;
		$last = $1 if $text =~ /"id":\s*"(e\d+-\d+)"/;
		$end = $1 if $text =~ /^\{"type":"(OUTPUT|ERROR)"/;
	}
	return ($n_steps, $last, $end);
}

my ($n_seen, undef, $end) = read_all($good);
is $n_seen, $n, 'a fast reader gets all steps beside slow ones';
is $end, 'OUTPUT', 'a fast reader gets the end beside slow ones';
ok wait_for(20, sub { $host->metric('cohostd_slow_readers_total') >= 2 }),
    'two readers that do not read are cut';
ok wait_for(10, sub { $host->metric('cohostd_websockets') == 1 }),
    'the sockets of the readers that were cut are gone';

# What was on the way arrives; then the line is dead.
my ($at, $last) = read_all($slow);
$last //= $first->{id};
ok defined $slow->closed, "the slow reader saw $at steps";
cmp_ok $at, '<', $n, 'the slow reader did not see all steps';
my $back = $host->ws(session => { session_id => 'slow', last_msg_id => $last });
(my $rest, undef, $end) = read_all($back);
is $at + $rest, $n, 'a slow reader that comes back gets the rest';
is $end, 'OUTPUT', 'a slow reader that comes back gets the end';
is $host->http(GET => '/sessions/slow')->{json}{status}, 'done',
    'the session of a slow reader ends well';
$host->stop;
done_testing;
