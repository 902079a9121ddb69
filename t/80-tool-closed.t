#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Each tool_call has its tool_result before the turn ends, whoever left it out.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(source wait_for);
use JSON::PP;
use Test::More;

my $json = JSON::PP->new->canonical->ascii;
my $host = CoHost->start(agent => 'exec:perl ' . source('t/agents/puppet.pl'));

sub call { return { type => 'tool_call', tool_id => $_[0], name => "tool $_[0]", args => {}, @_[1 .. $#_] } }
sub result { return { type => 'tool_result', tool_id => $_[0], name => "tool $_[0]", status => 'success', result => 'own' } }

# Results of a turn's tools, in the order in which they came, and whether the last came
# before turn_result and the end.
sub results {
	my @all = @_;
	my ($last) = grep { $all[$_]{type} =~ /^(?:turn_result|OUTPUT|ERROR|done|failed)$/ } 0 .. $#all;
	return map { [@$_{qw(tool_id name status result)}] }
	    grep { $_->{type} eq 'tool_result' } @all[0 .. $last];
}

sub closed { return ["$_[0]", "tool $_[0]", 'error', "no result: the turn ended ($_[1])"] }

my $n = 0;
for my $case (
	['OUTPUT' => [call('a'), { type => 'OUTPUT', result => 'x' }], closed('a', 'natural')],
	['ERROR' => [call('a'), { type => 'ERROR', message => 'x' }], closed('a', 'error')],
	['a signal' => [call('a'), 'die'], closed('a', 'error')],
	['tool_blocked' => [call('a'), { type => 'tool_blocked', tool => 'tool a' }], closed('a', 'natural')],
	['several' => [call('a'), call('b'), call('c'), result('b')], ['b', 'tool b', 'success', 'own'],
		closed('a', 'natural'), closed('c', 'natural')],
	['odd names' => [call('q"\\'), call("\x{fc}"), result("\x{fc}")],
		["\x{fc}", "tool \x{fc}", 'success', 'own'], closed('q"\\', 'natural')],
	['a result of its own' => [call('a'), result('a')], ['a', 'tool a', 'success', 'own']],
	['turn_result of its own' => [call('a'), { type => 'turn_result', reason => 'stopped' }],
		closed('a', 'stopped')],
) {
	my ($what, $steps, @expected) = @$case;
	my $id = 'tool' . ++$n;
	my @all = $host->ws(session => { session_id => $id })->turn($json->encode($steps));
	is_deeply [results(@all)], \@expected, "$what: each tool has its result";
	my $c = $host->client;
	$c->send(GET => "/sessions/$id/events?from=0");
	$c->head;
	my @replay;
	while (my $e = $c->event) { push @replay, $e->{json} }
	is_deeply [results(@replay)], \@expected, "$what: also for who reads it later";
}

my $ws = $host->ws(session => { session_id => 'stop' });
$ws->send_json({ type => 'INPUT', prompt => $json->encode([call('a'), 'listen', 'listen']) });
$ws->next(type => 'tool_call');
$ws->send_json({ type => 'INTERRUPT' });
is_deeply [results($ws->all_until('OUTPUT', 'ERROR'))], [closed('a', 'interrupted')],
    'an interrupt closes an open tool call';

$ws = $host->ws(session => { session_id => 'kill' });
$ws->send_json({ type => 'INPUT', prompt => $json->encode([call('a'), 'listen']) });
my $seen = $ws->next(type => 'tool_call');
kill KILL => $host->workers;
$ws = wait_for(15, sub { eval { $host->ws(session =>
	{ session_id => 'kill', last_msg_id => $seen->{id} }) } });
is_deeply [results($ws->all_until('OUTPUT', 'ERROR'))], [closed('a', 'interrupted')],
    "the takeover of a dead worker's turn closes an open tool call";
$host->stop;

$host = CoHost->start;
$ws = $host->ws(session => { session_id => 'no' });
$ws->send_json({ type => 'INPUT', prompt => 'approve shell' });
$ws->next(type => 'approval_needed');
$ws->send_json({ type => 'APPROVAL_RESPONSE', approved => JSON::PP::false });
my @all = $ws->all_until('OUTPUT', 'ERROR');
is scalar(grep { $_->{type} eq 'tool_result' && $_->{status} eq 'error' } @all), 1,
    'the demo agent closes a tool call that was not approved';
$host->stop;

$host = CoHost->start(agent => 'exec:python3 ' . source('examples/echo.py'));
$ws = $host->ws(session => { session_id => 'echo' });
$ws->send_json({ type => 'INPUT', prompt => 'approve shell' });
my $f = $ws->next(type => ['approval_needed', 'tool_blocked']);
$ws->send_json({ type => 'APPROVAL_RESPONSE', approved => JSON::PP::false }) if $f->{type} ne 'tool_blocked';
@all = $ws->all_until('OUTPUT', 'ERROR');
is_deeply [map { $_->{result} } grep { $_->{type} eq 'tool_result' } @all], ['rejected'],
    'echo.py closes a tool call that was not approved';
$host->stop;
done_testing;
