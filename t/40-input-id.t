#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# input_id: the same input again attaches or returns the first result.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start;
my %session = (session_id => 'named');
my $ws = $host->ws(session => {%session});
my @all = $ws->turn('echo first', input_id => 'one');
is $all[-1]{result}, 'first', 'an input with a new input_id runs';

for (1 .. 4) {
	my $c = $host->ws(session => {%session});
	my @again = $c->turn('echo first', input_id => 'one');
	is $again[-1]{result}, 'first', 'an input with a known input_id gets the first result';
	is_deeply [grep { $_->{type} =~ /OUTPUT|ERROR/ } $c->settle], [],
	    'an input with a known input_id gets one end';
}
$ws->send_json({ type => 'INPUT', prompt => 'echo other', input_id => 'one' });
my $f = $ws->next(type => ['OUTPUT', 'ERROR']);
is $f->{message}, 'input_id reused with different input',
    'a known input_id with another prompt is refused';

$ws->turn('echo between');
@all = $host->ws(session => {%session})->turn('echo first', input_id => 'one');
is $all[-1]{result}, 'first', 'a known input_id gets the first result after another turn';

my @clients = map { $host->ws(session => {%session}) } 1 .. 8;
$_->send_json({ type => 'INPUT', prompt => 'sleep 300', input_id => 'two' }) for @clients;
for my $c (@clients) {
	my @all = $c->all_until('OUTPUT', 'ERROR');
	is $all[-1]{result}, 'Slept 300 ms.',
	    'eight inputs with one input_id at once all get the end';
	is_deeply [grep { $_->{type} eq 'RUNTIME_INPUT_ACK' } @all, $c->settle], [],
	    'no input with a known input_id becomes more input of the turn';
}
is $host->metric('cohostd_runs_done_total'), 3, 'three inputs with input_ids ran three turns';

$ws->turn('fail once', input_id => 'three');
my $bad = ($ws->turn('fail once', input_id => 'three'))[-1];
is $bad->{type}, 'ERROR', 'a failed turn with a known input_id is answered with an ERROR again';
is $bad->{code}, -32603, 'the repeated ERROR has the same code';
is $host->metric('cohostd_runs_failed_total'), 1,
    'a failed turn with a known input_id is not run again';
$host->stop;
done_testing;
