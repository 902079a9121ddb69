#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# All workers are killed, again and again, in the middle of 100 turns of a model with tools: each
# turn goes on after its last step and ends well, and no tool runs twice.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for read_file write_file);
use JSON::PP ();
use ScriptedModel;
use Sign qw(connect_frame key_new);
use Test::More;
use Time::HiRes qw(sleep);

use constant TURNS => 100;

my $model = ScriptedModel->start({
	job => [
		{ text => 'First I look.', calls => [ { name => 'glob', args => { pattern => '*.none' } } ], delay => 0.2 },
		{ calls => [ { name => 'write', args => { path => 'made-$1', content => 'by $1' } } ], delay => 0.3 },
		{ text => 'Now $1 is finished, as you see.', piece => 4, pause => 0.1 },
	],
	touch => [ { calls => [ { name => 'write', args => { path => 'late', content => 'x' } } ] }, { text => 'Done.' } ],
	ask => [ { calls => [ { name => 'ask_user', args => { question => 'Which?' } } ] }, { text => 'As you like.' } ],
});
my $host = $model->host(yaml => "permissions:\n  write: {allowed: true, when: {path: 'made-*'}}\n");

sub events_of {
	my ($id) = @_;
	my $client = $host->client;
	$client->send(GET => "/sessions/$id/events?from=0");
	return unless $client->head->{status} == 200;
	my @events;
	while (my $e = $client->event) { push @events, $e }
	return @events;
}

sub kill_all {
	my @were = $host->workers;
	kill KILL => @were;
	my %old = map { $_ => 1 } @were;
	wait_for(10, sub { 4 == grep { !$old{$_} } $host->workers });
}

my @clients = map { $host->ws(session => { session_id => "s$_" }) } 1 .. TURNS;
$clients[$_ - 1]->send_json({ type => 'INPUT', prompt => "do \@job $_", input_id => "i$_" }) for 1 .. TURNS;
$_->next(type => 'llm_call') for @clients;
for (1 .. 4) {
	kill_all();
	sleep 0.25;
}
my @unfinished = grep {
	my $id = "s$_";
	!wait_for(20, sub { (eval { $host->http(GET => "/sessions/$id") } // {})->{json}{status} eq 'done' })
} 1 .. TURNS;
is_deeply \@unfinished, [], 'all turns end well';

my (%wrong, %interrupted);
for my $n (1 .. TURNS) {
	my $record = $host->http(GET => "/sessions/s$n")->{json};
	my @events = events_of("s$n");
	my %count;
	$count{ $_->{type} }++ for @events;
	my @results = grep { $_->{type} eq 'tool_result' } @events;
	my @cut = grep { $_->{json}{result} =~ /was interrupted/ } @results;
	my ($written) = grep { $_->{json}{name} eq 'write' } @results;
	$interrupted{$n}++ if @cut;
	$wrong{result}{$n}++ if ($record->{result} // '') ne "Now $n is finished, as you see.";
	$wrong{end}{$n}++ if ($count{done} // 0) != 1 || $count{failed};
	$wrong{calls}{$n}++ if $count{tool_call} != 2 || @results != 2;
	$wrong{twice}{$n}++ if $written->{json}{status} ne 'success' && !@cut;
	$wrong{effect}{$n}++ if !@cut && read_file($host->dir . "/made-$n") ne "by $n";
	$wrong{idempotent}{$n}++ if grep { $_->{json}{name} eq 'glob' } @cut;
	$wrong{gap}{$n}++ if join(' ', map { $_->{id} =~ /-(\d+)$/ } @events) ne join ' ', 1 .. @events;
}
is_deeply $wrong{result}, undef, 'each turn has the result of its model';
is_deeply $wrong{end}, undef, 'each turn ends once';
is_deeply $wrong{calls}, undef, 'each call of a tool has one tool_call and one tool_result';
is_deeply $wrong{twice}, undef, 'no tool runs twice';
is_deeply $wrong{effect}, undef, 'what a tool did is there';
is_deeply $wrong{idempotent}, undef, 'a tool that does no harm runs again and is not reported as interrupted';
is_deeply $wrong{gap}, undef, 'the journal of each turn has no gap';
diag scalar(keys %interrupted), ' turns had a tool that was interrupted' if keys %interrupted;
cmp_ok $host->metric('cohostd_takeovers_total'), '>=', TURNS, 'each turn was taken over';

# ---- questions ----

my $anna = key_new();
write_file($host->dir . '/.co/contacts.txt', "$anna->{address}\n");

sub contact {
	my ($id) = @_;
	return wait_for(10, sub { eval {
		my $ws = $host->ws;
		$ws->send_json(connect_frame($anna, $host, session_id => $id));
		$ws->next(type => 'CONNECTED') && $ws;
	} });
}

my $ws = contact('ask');
$ws->send_json({ type => 'INPUT', prompt => '@ask' });
my $q = $ws->next(type => 'ask_user');
kill_all();
$ws = contact('ask');
is $ws->next(type => 'ask_user')->{id}, $q->{id}, 'a question stays open, with its id, when its worker is killed';
$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => 'red' });
is $ws->next(type => 'OUTPUT')->{result}, 'As you like.', 'a question of a killed worker is answered';

$ws = contact('approve');
$ws->send_json({ type => 'INPUT', prompt => '@touch' });
$q = $ws->next(type => 'approval_needed');
kill_all();
$ws = contact('approve');
is $ws->next(type => 'approval_needed')->{id}, $q->{id}, 'an approval stays open when its worker is killed';
ok !-e $host->dir . '/late', 'a tool that is not approved does not run after a crash';
$ws->send_json({ type => 'APPROVAL_RESPONSE', approved => JSON::PP::true, scope => 'session' });
my @all = $ws->all_until('OUTPUT');
is $all[-1]{result}, 'Done.', 'an approval counts after its worker was killed';
ok -e $host->dir . '/late', 'a tool runs when it is approved after a crash';
is_deeply [ keys %{ $all[-1]{session}{permissions} } ], ['write'], 'an approval for the session survives a crash';
$host->stop;
done_testing;
