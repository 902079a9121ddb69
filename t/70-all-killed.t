#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# All workers are killed in the middle of turns: each turn goes on and ends once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Test::More;

my $host = CoHost->start;
my @ids = map { "s$_" } 1 .. 20;
my %key = map { $_ => "input-$_" } @ids;

my @clients = map { $host->ws(session => { session_id => $_ }) } @ids;
$clients[$_]->send_json({ type => 'INPUT', prompt => 'stream 50 20',
	input_id => $key{ $ids[$_] } }) for 0 .. $#ids;
$_->next(type => 'tool_call') for @clients;
kill KILL => $host->workers;
is $_->wait_close, 1006, 'a killed worker breaks the connections of its clients' for $clients[0];
ok wait_for(10, sub { scalar($host->workers) == 4 }), 'four new workers replace the killed ones';

for my $id (@ids) {
	my $c = wait_for(10, sub { eval { $host->ws(session => { session_id => $id }) } });
	my @all = $c->connected->{status} eq 'running' ? $c->all_until('OUTPUT', 'ERROR')
	    : $c->turn('stream 50 20', input_id => $key{$id});
	is $all[-1]{result}, 'Streamed 50 steps.', "$id came to its end";
	$c->close;

	my $w = $host->client;
	$w->send(GET => "/sessions/$id/events?from=0");
	is $w->head->{status}, 200, "$id: the journal is served";
	my @events;
	while (my $e = $w->event) { push @events, $e }
	is_deeply [map { $_->{id} =~ /-(\d+)$/ } @events], [1 .. @events],
	    "$id: the journal has no gap";
	is scalar(grep { $_->{type} =~ /^(?:done|failed)$/ } @events), 1,
	    "$id: the journal has one end";
	is scalar(grep { $_->{type} eq 'input' } @events), 1, "$id: the journal has one input";
	is_deeply [map { $_->{json}{args}{i} } grep { $_->{type} eq 'tool_call' } @events],
	    [0 .. 49], "$id: the journal has each step once";
}
# A worker may take a turn over and be killed after all.
cmp_ok $host->metric('cohostd_takeovers_total'), '>=', 20,
    'twenty turns or more were taken over';
is $host->metric('cohostd_runs'), 0, 'no turn is left running';
is_deeply [grep { $_->{status} ne 'done' } @{ $host->http(GET => '/sessions')->{json}{sessions} }],
    [], 'no session is left running';
$host->stop;
done_testing;
