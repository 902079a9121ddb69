#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# OUTPUT and ERROR have the input_id of their turn, whatever their reader saw before.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start;

# A turn, seen in the middle by its client; the id of the last event it saw.
sub begin {
	my ($id, $prompt) = @_;
	my $ws = $host->ws(session => { session_id => $id });
	$ws->send_json({ type => 'INPUT', prompt => $prompt, input_id => 'mine' });
	my $seen = $ws->next(type => 'tool_call') or die "no event\n";
	$ws->close;
	return $seen->{id};
}

sub back { return $host->ws(session => { session_id => $_[0], last_msg_id => $_[1] }) }

my $ws = back('run', begin('run', 'stream 30 20'));
is $ws->connected->{status}, 'running', 'a client comes back while its turn runs';
my @all = $ws->all_until('OUTPUT', 'ERROR');
ok !(grep { $_->{type} eq 'user_input' } @all),
    'a client that comes back does not see the beginning again';
is $all[-1]{input_id}, 'mine', 'OUTPUT has the input_id';

my $seen = begin('past', 'stream 3 20');
CoHost::wait_for(10, sub { ($host->http(GET => '/sessions/past')->{json}{status} // '') eq 'done' });
@all = back('past', $seen)->all_until('OUTPUT', 'ERROR');
is $all[-1]{input_id}, 'mine', 'OUTPUT has the input_id when the turn ended meanwhile';

$ws = back('stop', begin('stop', 'stream 3000 20'));
$ws->send_json({ type => 'INTERRUPT' });
is +($ws->all_until('OUTPUT', 'ERROR'))[-1]{input_id}, 'mine',
    'OUTPUT has the input_id when the turn was stopped';

$seen = begin('kill', 'stream 60 20');
kill KILL => $host->workers;
$ws = CoHost::wait_for(15, sub { eval { back('kill', $seen) } });
is +($ws->all_until('OUTPUT', 'ERROR'))[-1]{input_id}, 'mine',
    'OUTPUT has the input_id when another worker took the turn over';

my $f = ($host->ws(session => { session_id => 'fail' })->turn('fail now', input_id => 'bad'))[-1];
is "$f->{type} $f->{input_id}", 'ERROR bad', 'ERROR has the input_id';
is +($host->ws(session => { session_id => 'bare' })->turn('hi'))[-1]{input_id}, undef,
    'OUTPUT of an input without a name has no input_id';

my $c = $host->client;
$c->send(GET => '/sessions/run/events?from=3');
is $c->head->{status}, 200, 'the events of a session are served as a stream';
my @events;
while (my $e = $c->event) { push @events, $e }
is $events[-1]{json}{input_id}, 'mine', 'the last event of a stream has the input_id';
$host->stop;
done_testing;
