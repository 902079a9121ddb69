#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Clients come back again and again, over either transport and to any worker, while workers
# are killed: each gets every event once and in order.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use SIO;
use Test::More;
use Time::HiRes qw(time);

my $host = CoHost->start(workers => 4);
srand 7;

# ---- a client that comes back ----

# The events of a conversation as a client sees them that breaks off all the time, until the
# agent awaits its user. Of the states only the last one counts: a replay leaves others out.
sub roam {
	my ($id, $cuts) = @_;
	my ($last, @seen) = (-1);
	my $end = time + 60;
	while (time < $end) {
		my $is_done = eval { attend($id, \$last, \@seen, $cuts-- > 0) };
		return @seen if $is_done;
	}
	return (@seen, 'it did not end');
}

# One connection; breaks off after some events if it is to be cut.
sub attend {
	my ($id, $last, $seen, $is_cut) = @_;
	my $kind = (qw(websocket polling upgrade))[rand 3];
	my $method = $kind eq 'websocket' ? 'websocket' : 'polling';
	my $c = SIO->$method($host, conversation_id => $id, latest_event_id => $$last);
	$c->connect =~ /^40/ or die "not connected\n";
	$c->upgrade if $kind eq 'upgrade';
	my $left = 1 + int rand 20;
	while (my $event = $c->event(sub { 1 }, 10)) {
		my $state = $event->{extras} ? $event->{extras}{agent_state} : undef;
		return 1 if $state && $state eq 'awaiting_user_input' && $event->{id} > 0;
		next if $state;
		$$last = $event->{id};
		push @$seen, $event->{id};
		next if !$is_cut || --$left;
		($c->ws ? $c->ws->{http} : $c->{get} // {})->{socket}->close
		    if $c->ws || $c->{get};
		return 0;
	}
}

# ---- workers are killed meanwhile ----

my $starter = SIO->websocket($host, conversation_id => 'roam');
$starter->emit(oh_user_action => { type => 'message', message => 'stream 300 8' });
$starter->event(sub { ($_[0]{extras}{agent_state} // '') eq 'running' });
$starter->ws->close;
my $killer = fork // die "fork: $!";
if (!$killer) {
	for (1 .. 4) {
		select undef, undef, undef, 0.7;
		kill KILL => ($host->workers)[0];
	}
	POSIX::_exit(0);
}
my @seen = roam('roam', 25);
waitpid $killer, 0;

my $whole = SIO->websocket($host, conversation_id => 'roam');
$whole->connect;
$whole->event(sub { ($_[0]{extras}{agent_state} // '') eq 'awaiting_user_input' });
my @all = map { $_->{id} } grep { !$_->{extras}{agent_state} } $whole->events;
cmp_ok scalar(@all), '>', 300, 'the conversation has its events';
is "@seen", "@all", 'a client that roams gets each event once and in order, workers being killed';
my @again = roam('roam', 10);
is "@again", "@all", 'a client that reads the conversation later gets each event once and in order';
ok CoHost::wait_for(10, sub { $host->workers == 4 }), 'the workers were replaced';

# ---- a reload ----

my $p = SIO->polling($host, conversation_id => 'reload');
$p->connect;
my $ws = SIO->websocket($host, conversation_id => 'reload');
$ws->connect;
my %old = map { $_ => 1 } $host->workers;
$host->signal('HUP');
is $ws->wait_close, 1001, 'a WebSocket is closed by a reload so that its client comes back';
$p->emit(oh_user_action => { type => 'message', message => 'echo after the reload' });
ok $p->event(sub { ($_[0]{message} // '') eq 'echo after the reload' }),
    'a polling client goes on over a reload, in its session';
ok CoHost::wait_for(20, sub { !grep { $old{$_} } $host->workers }), 'no old worker is left';
$p->emit(oh_user_action => { type => 'message', message => 'echo once more' });
ok $p->event(sub { ($_[0]{message} // '') eq 'echo once more' }),
    'a polling client goes on when the old workers are gone';
$host->stop;
done_testing;
