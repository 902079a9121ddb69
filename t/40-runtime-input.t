#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# An INPUT while the turn runs is acknowledged, and taken up under the same id.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start;
my $ws = $host->ws(session => { session_id => 'more' });
$ws->send_json({ type => 'INPUT', prompt => 'stream 60 20' });
$ws->next(type => 'tool_call');

my @clients = ($ws, map { $host->ws(session => { session_id => 'more' }) } 1 .. 3);
for my $n (1 .. 4) {
	my $c = $clients[$n - 1];
	$c->send_json({ type => 'INPUT', prompt => "and $n" });
	my $ack = $c->next(type => ['RUNTIME_INPUT_ACK', 'ERROR']);
	is $ack->{type}, 'RUNTIME_INPUT_ACK', "input $n is acknowledged";
	is $ack->{session_id}, 'more', "the acknowledgement of input $n names the session";
	my $taken;
	do { $taken = $c->next(type => 'user_input') or die "not taken up\n" }
	    until $taken->{id} eq $ack->{id};
	is $taken->{content}, "and $n", "input $n is taken up under the acknowledged id";
	is $taken->{runtime_input}, JSON::PP::true, "input $n is marked as runtime input";
}
my @ends = map { $_->next(type => ['OUTPUT', 'ERROR']) } @clients;
like $_->{result}, qr/and 1.*and 2.*and 3.*and 4/,
    'the result has all inputs of the running turn' for @ends;
is_deeply [grep { $_->{type} =~ /OUTPUT|ERROR/ } map { $_->settle } @clients], [],
    'a turn with more inputs has one end for each client';
is $host->metric('cohostd_runs_done_total'), 1, 'inputs to a running turn begin no other turn';

my $again = $host->ws(session => { session_id => 'twice' });
$again->send_json({ type => 'INPUT', prompt => 'stream 20 20' });
$again->next(type => 'tool_call');
$again->send_json({ type => 'INPUT', prompt => 'extra', input_id => 'x1' }) for 1 .. 3;
my @all = $again->all_until('OUTPUT');
is scalar(grep { $_->{type} eq 'user_input' && $_->{runtime_input} } @all), 1,
    'an input with a name is taken up once';
$host->stop;
done_testing;
