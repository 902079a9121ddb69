#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Agents of early versions of the package, whose IO has other methods or none for it, get
# answers, approvals, prompts that join a turn, and interrupts.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/clients";

use Clients;
use CoHost qw(write_file);
use PyAgent;
use Sign qw(connect_frame key_new);
use Test::More;

my %python = Clients::early()
    or CoHost::lacks('no early versions of connectonion (t/clients/install)');

my $ENDED = 'What would you like me to do?';

sub begin {
	my ($ws, $prompt, $type) = @_;
	$ws->send_json({ type => 'INPUT', prompt => $prompt });
	return $ws->next(type => $type);
}

sub result {
	my ($ws) = @_;
	my $end = $ws->next(type => [qw(OUTPUT ERROR)]);
	return $end->{result} // "ERROR $end->{message}";
}

sub ask {
	my ($host, $v) = @_;
	my $anna = key_new();
	write_file($host->dir . '/.co/contacts.txt', "$anna->{address}\n");
	my $ws = $host->ws;
	$ws->send_json(connect_frame($anna, $host));
	$ws->next(type => 'CONNECTED');
	for (['red', 'red'], [['red', 'blue'], 'red, blue']) {
		my ($answer, $heard) = @$_;
		my $question = begin($ws, 'ask_user Which?|red|blue', 'ask_user');
		is $question->{text}, 'Which?', "$v: a question is asked";
		is_deeply $question->{options}, ['red', 'blue'], "$v: with its choices";
		$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => $answer });
		is result($ws), $heard, "$v: and the agent hears: $heard";
	}
	for ([JSON::PP::true, qr/^did it$/], [JSON::PP::false, qr/no leave/]) {
		my ($approved, $expected) = @$_;
		is begin($ws, 'guarded it', 'approval_needed')->{tool}, 'guarded',
		    "$v: leave is asked for";
		$ws->send_json({ type => 'APPROVAL_RESPONSE', approved => $approved, scope => 'once' });
		like result($ws), $expected, "$v: and the agent hears the answer";
	}
	like begin($ws, 'choose Sure?', 'OUTPUT')->{result}, qr/asked at a terminal/,
	    "$v: a question at the terminal is refused";
	$ws->close;
}

sub join_turn {
	my ($host, $v) = @_;
	my $ws = $host->ws(session => { session_id => 'joined' });
	for (['nap 1', 'tool_call', 'while a tool runs'],
		['ponder', 'thinking', 'during the last call of the model']) {
		my ($prompt, $type, $when) = @$_;
		begin($ws, $prompt, $type);
		my $ack = begin($ws, "then $type", 'RUNTIME_INPUT_ACK');
		my $taken = $ws->next(type => 'user_input');
		is $taken->{id}, $ack->{id}, "$v: a prompt that comes $when is taken up under its id";
		like result($ws), qr/then $type/, "$v: and answered";
	}
	my $said = begin($ws, 'recall', 'OUTPUT')->{result};
	is scalar(() = $said =~ /then/g), 2, "$v: each input is heard once" or diag $said;
	$ws->close;
}

sub interrupt {
	my ($host, $v) = @_;
	my $ws = $host->ws(session => { session_id => 'interrupted' });
	for (['ask_user Sure?|yes', 'ask_user', 'while it asks'],
		['talk 60', 'thinking', 'while it tells of its work']) {
		my ($prompt, $type, $when) = @$_;
		begin($ws, $prompt, $type);
		$ws->send_json({ type => 'INTERRUPT' });
		is $ws->next(type => 'turn_result')->{reason}, 'interrupted',
		    "$v: a turn is interrupted $when";
		is result($ws), $ENDED, "$v: and ends";
	}
	like begin($ws, 'recall', [qw(OUTPUT ERROR)])->{result}, qr/said ask_user.*talk 60/,
	    "$v: its conversation stays whole";
	$ws->close;
}

sub kill_turn {
	my ($host, $v) = @_;
	my $ws = $host->ws;
	begin($ws, 'nap 60', 'tool_call');
	$ws->send_json({ type => 'INTERRUPT' });
	is result($ws), $ENDED, "$v: a turn that tells and asks nothing is killed";
	like begin($ws, 'hello', 'OUTPUT')->{result}, qr/^hello/, "$v: and the session goes on";
	$ws->close;
}

sub story {
	my ($v, $state, @parts) = @_;
	local $ENV{CO_TEST_PYTHON} = $python{$v};
	my $host = PyAgent->start('early.py', workers => 1, yaml => "agent_state: $state\n");
	$_->($host, "$v, $state") for @parts;
	$host->stop;
}

my ($oldest, @newer) = sort keys %python;
story($oldest, isolated => \&ask, \&join_turn, \&interrupt, \&kill_turn);
story($oldest, shared => \&ask, \&join_turn, \&interrupt);
story($_, isolated => \&ask, \&join_turn, \&interrupt) for @newer;
done_testing;
