#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Prompts join turns while workers are killed: each that was acknowledged is taken up by
# its turn, or has one of its own, once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(source wait_for write_file);
use Test::More;
use Time::HiRes qw(time sleep);

my $SESSIONS = 8;
my $SECONDS = $ENV{KILL_SECONDS} || 6;

# Say it under its name until it is acknowledged or begins a turn; whether it did.
sub say_it {
	my ($host, $s, $prompt, $name) = @_;
	my $end = time + 20;
	while (time < $end) {
		my $f = eval {
			$s->{ws} //= $host->ws(session => { session_id => $s->{id} });
			$s->{ws}->send_json({ type => 'INPUT', prompt => $prompt, input_id => $name });
			my $got;
			# An end without this name is of a turn before.
			do { $got = $s->{ws}->next(timeout => 3, type =>
				['RUNTIME_INPUT_ACK', 'OUTPUT', 'ERROR', 'user_input']) }
			    while $got && $got->{type} ne 'RUNTIME_INPUT_ACK'
			    && ($got->{content} // '') ne $prompt && ($got->{input_id} // '') ne $name
			    && !$got->{retryable};
			$got;
		};
		$s->{name_of}{ $f->{id} } = $name if $f && $f->{type} eq 'RUNTIME_INPUT_ACK';
		return 1 if $f && !$f->{retryable};
		$s->{ws} = undef;
		sleep 0.05;
	}
	return 0;
}

sub story {
	my ($what, $agent, $turn) = @_;
	my $host = CoHost->start(agent => $agent, args => ['-o', 'journal_events=100000']);
	my @all = map { { id => "$what$_", n => 0, said => [] } } 1 .. $SESSIONS;
	my $stop = time + $SECONDS;
	my ($kills, $next_kill) = (0, time + 0.3);
	while (time < $stop) {
		for my $s (@all) {
			my $name = "$s->{id}-" . ++$s->{n};
			my $prompt = $s->{n} % 4 == 1 ? $turn : "echo $name";
			push @{ $s->{said} }, $name if say_it($host, $s, $prompt, $name);
			sleep 0.02;
			next if time < $next_kill;
			$host->kill_worker;
			$kills++;
			$next_kill = time + 0.2 + rand 0.4;
		}
	}
	cmp_ok $kills, '>', 3, "$what: $kills workers were killed";
	my ($n, @lost, @doubled) = (0);
	ok wait_for(60, sub {
		(@lost, @doubled) = ();
		for my $s (@all) {
			my %times = times_of($host, $s);
			push @lost, grep { !$times{$_} } @{ $s->{said} };
			push @doubled, grep { ($times{$_} // 0) > 1 } @{ $s->{said} };
		}
		return !@lost && !$host->metric('cohostd_runs');
	}), "$what: all that was acknowledged comes to its end";
	$n += @{ $_->{said} } for @all;
	is "@lost", '', "$what: of $n inputs none is lost";
	is "@doubled", '', "$what: no input is done twice";
	$host->stop;
}

# How often each name began a turn, or was taken up by one.
sub times_of {
	my ($host, $s) = @_;
	my %times;
	my $c = $host->client;
	$c->send(GET => "/sessions/$s->{id}/events?from=0");
	$c->head;
	while (my $e = $c->event) {
		my $j = $e->{json};
		my $name = $e->{type} eq 'input' ? $j->{input_id}
		    : $e->{type} eq 'user_input' && $j->{runtime_input} ? $s->{name_of}{ $j->{id} }
		    : undef;
		$times{$name}++ if defined $name;
	}
	return %times;
}

story('demo', 'demo', 'stream 10 20');
story('deaf', 'exec:read -r line; sleep 0.05; echo \'{"type":"OUTPUT","result":"x"}\'', 'go');
done_testing;
