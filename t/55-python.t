#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# An unmodified ConnectOnion agent: its events, tools, questions, files and session.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file);
use MIME::Base64 qw(encode_base64);
use PyAgent;
use Sign qw(connect_frame key_new);
use Test::More;

PyAgent->need;
my $host = PyAgent->start('factory.py', workers => 2);

sub types { return [map { $_->{type} } @_] }

my $ws = $host->ws(session => { session_id => 'py' });
my @all = $ws->turn('calculate 6*7');
is_deeply types(@all),
    [qw(user_input llm_call llm_result tool_call tool_result llm_call llm_result
	    turn_result OUTPUT)], 'its events come in order';
my ($call, $result) = @all[3, 4];
is_deeply $call->{args}, { text => '6*7' }, 'a tool call has its arguments';
is $call->{status}, 'running', 'and a status that clients know';
is $result->{status}, 'success', 'as its result has';
is $result->{result}, '42', 'which is a text';
is $result->{tool_id}, $call->{tool_id}, 'with the same id';
is $all[1]{id}, $all[2]{id}, 'the two ends of a call of the model share an id';
is $all[2]{usage}{input_tokens}, 3, 'and tell what it used';
is $all[7]{usage}{cost}, 0.5, 'as does the end of the turn';
is $all[-1]{result}, '42', 'the answer';
ok wait_for(10, sub { PyAgent::logged($host) =~ /calculating 6\*7/ }),
    'what a tool prints is in the log';

is +($ws->turn('hello'))[-1]{result}, 'hello (2 so far, 0 images)',
    'the session goes to the next turn';
my ($failed) = grep { $_->{type} eq 'tool_result' } $ws->turn('calculate 1/0');
is $failed->{status}, 'error', 'a tool that fails';
is +($ws->turn('later on'))[-1]{result}, 'on', 'a coroutine is a tool';

my $r = $host->input('look', images => ['data:image/png;base64,iVBORw0KGgo=']);
is $r->{json}{result}, 'look (1 so far, 1 images)', 'an image';
$r = $host->input('files', files => [{ name => 'a.txt', data => encode_base64('12345', '') }]);
my ($note) = grep { $_->{role} eq 'user' && $_->{content} =~ /uploaded/ }
    @{ $r->{json}{session}{messages} };
my ($path) = $note->{content} =~ m{^- (/\S+)$}m;
is CoHost::read_file($path // ''), '12345', 'a file is there, and the agent is told where';
is scalar(() = glob $host->dir . '/.co/uploads/*'), 1, 'once';

$ws->send_json({ type => 'INPUT', prompt => 'ask_user Which?|red|blue' });
my $ask = $ws->next(type => 'ask_user');
is $ask->{text}, 'Which?', 'ask_user asks';
is_deeply $ask->{options}, ['red', 'blue'], 'with choices';
$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => ['red', 'blue'] });
is $ws->next(type => 'OUTPUT')->{result}, 'red, blue', 'and hears';

is +($ws->turn('leave now'))[-1]{result}, 'refused', 'who is nobody is not asked for leave';
my $anna = key_new();
write_file($host->dir . '/.co/contacts.txt', "$anna->{address}\n");
my $known = $host->ws;
$known->send_json(connect_frame($anna, $host));
$known->next(type => 'CONNECTED');
for my $answer ([1, 'granted'], [0, 'refused']) {
	$known->send_json({ type => 'INPUT', prompt => 'leave now' });
	is $known->next(type => 'approval_needed')->{tool}, 'leave', 'it asks for leave';
	$known->send_json({ type => 'APPROVAL_RESPONSE', scope => 'once',
		approved => $answer->[0] ? JSON::PP::true : JSON::PP::false });
	is $known->next(type => 'OUTPUT')->{result}, $answer->[1], $answer->[1];
}
$ws->send_json({ type => 'INPUT', prompt => 'review dig' });
is $ws->next(type => 'plan_review')->{plan_content}, 'dig', 'it shows a plan';
$ws->send_json({ type => 'PLAN_REVIEW_RESPONSE', message => 'deeper' });
is $ws->next(type => 'OUTPUT')->{result}, 'deeper', 'and hears';

$ws->send_json({ type => 'INPUT', prompt => 'nap 1' });
$ws->next(type => 'tool_call');
$ws->send_json({ type => 'INPUT', prompt => 'and this' });
my $ack = $ws->next(type => 'RUNTIME_INPUT_ACK');
my $taken = $ws->next(type => 'user_input');
is $taken->{id}, $ack->{id}, 'a prompt that comes meanwhile is taken up under its id';
is $taken->{content}, 'and this', 'as it was said';
ok $taken->{runtime_input}, 'and is marked';
like $ws->next(type => 'OUTPUT')->{result}, qr/and this/, 'the model sees it';

$ws->send_json({ type => 'INPUT', prompt => 'nap 60' });
$ws->next(type => 'tool_call');
$ws->send_json({ type => 'INTERRUPT' });
my $end = $ws->next(type => 'turn_result');
is $end->{reason}, 'interrupted', 'a turn can be interrupted';
is $ws->next(type => 'OUTPUT')->{result}, 'What would you like me to do?', 'and ends';
$ws->send_json({ type => 'INPUT', prompt => 'ask_user Sure?|yes' });
$ws->next(type => 'ask_user');
$ws->send_json({ type => 'INTERRUPT' });
is $ws->next(type => 'OUTPUT')->{result}, 'What would you like me to do?',
    'also while it asks';

@all = $ws->turn('odd x');
is $all[-1]{type}, 'OUTPUT', 'events that lack something do not end the turn';
is_deeply [grep { /^(thinking|agent_done|compact|eval|agent_image)$/ } @{ types(@all) }],
    [qw(thinking agent_done compact eval agent_image)], 'they are made whole';
my ($cyclic) = grep { $_->{type} eq 'compact' } @all;
is_deeply $cyclic->{all}, [{ again => { type => 'compact', status => 'done', all => undef,
	ts => $cyclic->{all}[0]{again}{ts} } }],
    'an event that contains itself does so no more';

my $error = ($ws->turn('boom'))[-1];
is $error->{reason}, 'failed', 'an exception ends the turn';
is $error->{message}, 'Unable to run agent', 'without telling a client what it was';
ok wait_for(10, sub { PyAgent::logged($host) =~ /ValueError: the model is out of order/ }),
    'the log has the traceback';
is +($ws->turn('hi'))[-1]{type}, 'OUTPUT', 'the session goes on';
is $host->input('bump x')->{json}{result}, '1', 'each turn' for 1 .. 2;

ok wait_for(10, sub { $host->http(GET => '/info')->{json}{name} eq 'factory' }),
    '/info has the name of the agent';
my $info = $host->http(GET => '/info')->{json};
is $info->{model}, 'scripted-1', 'its model';
ok +(grep { $_ eq 'ask_user' } @{ $info->{tools} }), 'and its tools';
$host->stop;
done_testing;
