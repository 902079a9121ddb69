# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Roam;

# Clients of OpenHands that break off and come back again and again, by a WebSocket, by polling or
# by an upgrade, and so to any worker, while workers are killed.
#
#   my $r = Roam::story($host, id => 'c', events => 300, step_ms => 8, clients => 2,
#       reconnects => 25, kill_every => 0.7);
#
# One turn streams the events. Each client is a process. $r->{seen} has for each of them the ids
# of the events that it was shown, without those that tell the state: a replay leaves some out.
# $r->{expected} has what each should have seen, which follows from the ids being consecutive.
use strict;
use warnings;

use JSON::PP ();
use POSIX ();
use SIO;
use Time::HiRes qw(sleep time);

my $json = JSON::PP->new->utf8;

sub state_of { return $_[0]{extras} ? $_[0]{extras}{agent_state} : undef }

# Break the connection as a network does.
sub cut {
	my ($c) = @_;
	my $http = $c->ws ? $c->ws->{http} : $c->{get};
	$http->{socket}->close if $http;
}

# One connection. Returns whether the agent awaits its user; dies if the connection broke.
sub attend {
	my ($host, $id, $me) = @_;
	my $kind = (qw(websocket polling upgrade))[rand 3];
	my $method = $kind eq 'websocket' ? 'websocket' : 'polling';
	my $c = SIO->$method($host, conversation_id => $id, latest_event_id => $me->{last});
	$c->connect =~ /^40/ or die "not connected\n";
	$c->upgrade if $kind eq 'upgrade';
	my $left = 1 + int rand $me->{stride};
	while (my $event = $c->event(sub { 1 }, 10)) {
		my $state = state_of($event);
		return 1 if $state && $state eq 'awaiting_user_input' && $event->{id} > 0;
		next if $state;
		$me->{last} = $event->{id};
		push @{ $me->{seen} }, $event->{id};
		next if $me->{cuts} >= $me->{reconnects} || --$left;
		$me->{cuts}++;
		$me->{by}{$kind}++;
		cut($c);
		return 0;
	}
}

# What a client sees that breaks off 'reconnects' times, with up to 'stride' events in between.
sub client {
	my ($host, $id, %o) = @_;
	my $me = { last => -1, seen => [], cuts => 0, by => {}, %o };
	my $end = time + ($o{deadline} // 60);
	while (time < $end) {
		return $me if eval { attend($host, $id, $me) };
	}
	push @{ $me->{seen} }, 'it did not end';
	return $me;
}

# Run a client in a process of its own; the end from which to read what it saw.
sub spawn {
	my ($host, $id, %o) = @_;
	pipe my $out, my $in or die "pipe: $!";
	my $pid = fork // die "fork: $!";
	return { pid => $pid, out => $out } if $pid;
	close $out;
	srand $o{seed};
	print $in $json->encode(client($host, $id, %o));
	close $in;
	POSIX::_exit(0);
}

sub has_ended { return waitpid($_[0]{pid}, POSIX::WNOHANG()) != 0 }

sub story {
	my ($host, %o) = @_;
	my $starter = SIO->websocket($host, conversation_id => $o{id});
	$starter->emit(oh_user_action =>
	    { type => 'message', message => "stream $o{events} $o{step_ms}" });
	$starter->event(sub { (state_of($_[0]) // '') eq 'running' });
	$starter->ws->close;
	my $stride = $o{events} / $o{reconnects};
	my @clients = map { spawn($host, $o{id}, seed => $_, stride => $stride,
		reconnects => $o{reconnects}, deadline => $o{deadline}) } 1 .. $o{clients};
	my %r = (kills => 0);
	my @running = @clients;
	while (@running) {
		sleep $o{kill_every};
		@running = grep { !has_ended($_) } @running;
		my ($worker) = $host->workers;
		$r{kills} += kill KILL => $worker if @running && $worker;
	}
	for my $c (@clients) {
		local $/;
		my $me = $json->decode(readline $c->{out});
		push @{ $r{seen} }, $me->{seen};
		push @{ $r{cuts} }, $me->{cuts};
		$r{by}{$_} += $me->{by}{$_} for keys %{ $me->{by} };
	}
	# 0: the conversation began; 1: the message; 2: the agent runs; the last: it awaits its user.
	$r{expected} = [1, 3 .. ($r{seen}[0][-1] =~ /^(\d+)$/ ? $1 : 3)];
	return \%r;
}

1;
