#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# INPUT: events in order, one OUTPUT with all it should carry.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start;

my $ws = $host->ws;
my @all = $ws->turn('What is 42 * 17?');
is $all[0]{type}, 'CONNECTED', 'a bare INPUT connects first';
is $all[0]{status}, 'new', 'to a new session';
my $id = $all[0]{session_id};
is_deeply [map { $_->{type} } @all[1 .. $#all]],
    [qw(user_input llm_call llm_result tool_call tool_result assistant turn_result OUTPUT)],
    'then the events of the turn';
for my $e (@all[1 .. $#all - 1]) {
	ok $e->{id}, "$e->{type} has an id";
	like $e->{ts}, qr/^\d+\.\d+$/, 'a time';
	is $e->{session_id}, $id, 'and its session';
}
my ($call) = grep { $_->{type} eq 'tool_call' } @all;
my ($result) = grep { $_->{type} eq 'tool_result' } @all;
is $call->{name}, 'calculate', 'the tool';
is $call->{status}, 'running', 'it runs';
is ref $call->{args}, 'HASH', 'its arguments are an object';
is $result->{tool_id}, $call->{tool_id}, 'its result is matched by tool_id';
is $result->{status}, 'success', 'it went well';
is $result->{result}, '714', 'and what it gave';

my $out = $all[-1];
is $out->{result}, 'The result of 42 * 17 is 714.', 'OUTPUT: result';
is $out->{session_id}, $id, 'session_id';
like $out->{duration_ms}, qr/^\d+$/, 'duration_ms';
is $out->{session}{turn}, 1, 'session';
is_deeply [map { $_->{type} } @{ $out->{chat_items} }], [qw(user tool_call agent)],
    'chat_items';

@all = $ws->turn('think 3', input_id => 'named');
is_deeply [map { $_->{content} } grep { $_->{type} eq 'thinking' } @all],
    ['Thought 1 of 3', 'Thought 2 of 3', 'Thought 3 of 3'], 'think N';
is $all[-1]{input_id}, 'named', 'input_id is given back';

@all = $ws->turn('stream 50');
is_deeply [map { "$_->{type} $_->{tool_id}" } grep { $_->{type} =~ /^tool/ } @all],
    [map { ("tool_call s3-$_", "tool_result s3-$_") } 0 .. 49], 'stream N';
is_deeply [map { $_->{args} } grep { $_->{type} eq 'tool_call' } @all],
    [map { { i => $_, n => 50 } } 0 .. 49], 'with its numbers';
is +($ws->turn('echo done'))[-1]{session}{turn}, 4, 'four turns';
is $host->metric('cohostd_inputs_accepted_total'), 4, 'four inputs were accepted';
is $host->metric('cohostd_runs_done_total'), 4, 'four turns ended';
$ws->send_json({ type => 'INPUT', prompt => $_ }),
    is $ws->next(type => 'ERROR')->{message}, 'prompt required', 'no prompt: an error'
    for '', undef, 17, ['x'];
$host->stop;
done_testing;
