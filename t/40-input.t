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
is $all[0]{status}, 'new', 'a bare INPUT begins a new session';
my $id = $all[0]{session_id};
is_deeply [map { $_->{type} } @all[1 .. $#all]],
    [qw(user_input llm_call llm_result tool_call tool_result assistant turn_result OUTPUT)],
    'the events of the turn follow CONNECTED in order';
for my $e (@all[1 .. $#all - 1]) {
	ok $e->{id}, "$e->{type} has an id";
	like $e->{ts}, qr/^\d+\.\d+$/, "$e->{type} has a time";
	is $e->{session_id}, $id, "$e->{type} has the session_id";
}
my ($call) = grep { $_->{type} eq 'tool_call' } @all;
my ($result) = grep { $_->{type} eq 'tool_result' } @all;
is $call->{name}, 'calculate', 'tool_call names the tool';
is $call->{status}, 'running', 'tool_call has the status running';
is ref $call->{args}, 'HASH', 'the args of tool_call are an object';
is $result->{tool_id}, $call->{tool_id}, 'tool_result has the tool_id of its tool_call';
is $result->{status}, 'success', 'tool_result has the status success';
is $result->{result}, '714', 'tool_result has the result of the tool';

my $out = $all[-1];
is $out->{result}, 'The result of 42 * 17 is 714.', 'OUTPUT has the result';
is $out->{session_id}, $id, 'OUTPUT has the session_id';
like $out->{duration_ms}, qr/^\d+$/, 'OUTPUT has the duration in milliseconds';
is $out->{session}{turn}, 1, 'OUTPUT has the session';
is_deeply [map { $_->{type} } @{ $out->{chat_items} }], [qw(user tool_call agent)],
    'OUTPUT has the chat_items';

@all = $ws->turn('think 3', input_id => 'named');
is_deeply [map { $_->{content} } grep { $_->{type} eq 'thinking' } @all],
    ['Thought 1 of 3', 'Thought 2 of 3', 'Thought 3 of 3'],
    'the prompt "think 3" is answered by three thoughts';
is $all[-1]{input_id}, 'named', 'OUTPUT returns the input_id';

@all = $ws->turn('stream 50');
is_deeply [map { "$_->{type} $_->{tool_id}" } grep { $_->{type} =~ /^tool/ } @all],
    [map { ("tool_call s3-$_", "tool_result s3-$_") } 0 .. 49],
    'a turn of 50 tools has its events in order';
is_deeply [map { $_->{args} } grep { $_->{type} eq 'tool_call' } @all],
    [map { { i => $_, n => 50 } } 0 .. 49], 'each of 50 tool calls has its own arguments';
is +($ws->turn('echo done'))[-1]{session}{turn}, 4, 'the session counts four turns';
is $host->metric('cohostd_inputs_accepted_total'), 4, 'four inputs were accepted';
is $host->metric('cohostd_runs_done_total'), 4, 'four turns ended';
$ws->send_json({ type => 'INPUT', prompt => $_ }),
    is $ws->next(type => 'ERROR')->{message}, 'prompt required', 'no prompt: an error'
    for '', undef, 17, ['x'];
$host->stop;
done_testing;
