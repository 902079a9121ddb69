#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Workers are killed one by one while a turn runs: others go on with it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Test::More;

my $host = CoHost->start;
my %turns = (
	'stream 120 20' => 'Streamed 120 steps.',
	'sleep 2500' => 'Slept 2500 ms.',
	'ask Ready?' => 'You answered: yes',
	'approve ls' => 'ls was approved and ran.',
);

# A connection that lands on a worker which dies is simply made again.
sub come {
	my ($id) = @_;
	return wait_for(10, sub { eval { $host->ws(session => { session_id => $id }) } });
}

for my $prompt (sort keys %turns) {
	my $id = $prompt =~ s/\W/-/gr;
	my $ws = come($id);
	$ws->send_json({ type => 'INPUT', prompt => $prompt, input_id => $id });
	ok $ws->next(type => 'user_input'), "$prompt: runs";

	# One of these owns the turn.
	for my $pid ($host->workers) {
		$host->kill_worker($pid);
		wait_for(10, sub { scalar($host->workers) == 4 });
	}
	my $c = come($id);
	is $c->connected->{status}, 'running',
	    "$prompt: the turn is still running" unless $prompt =~ /^s/;
	$c->send_json({ type => 'ASK_USER_RESPONSE', answer => 'yes' })
	    if $prompt =~ /^ask/ && $c->next(type => 'ask_user');
	$c->send_json({ type => 'APPROVAL_RESPONSE', approved => JSON::PP::true,
		scope => 'once' })
	    if $prompt =~ /^approve/ && $c->next(type => 'approval_needed');
	$c->send_json({ type => 'INPUT', prompt => $prompt, input_id => $id })
	    unless $c->connected->{status} eq 'running';
	is $c->next(type => ['OUTPUT', 'ERROR'])->{result}, $turns{$prompt},
	    "$prompt: the turn has its result";

	my $w = $host->client;
	$w->send(GET => "/sessions/$id/events?from=0");
	my (@events, %n);
	$w->head;
	while (my $e = $w->event) { push @events, $e; $n{ $e->{type} }++ }
	is_deeply [map { $_->{id} =~ /-(\d+)$/ } @events], [1 .. @events],
	    "$prompt: the journal has no gap";
	is $n{done}, 1, "$prompt: the journal has one end";
	is $n{input}, 1, "$prompt: the journal has one input";
	is $n{tool_result}, 120, "$prompt: the journal has every step" if $prompt =~ /^stream/;
}
is $host->metric('cohostd_runs'), 0, 'no turn is left running';
$host->stop;
done_testing;
