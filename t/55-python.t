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
	    turn_result OUTPUT)], 'events of a Python agent arrive in order';
my ($call, $result) = @all[3, 4];
is_deeply $call->{args}, { text => '6*7' }, 'tool_call has the arguments of the tool';
is $call->{status}, 'running', 'tool_call has the status running';
is $result->{status}, 'success', 'tool_result has the status success';
is $result->{result}, '42', 'tool_result has its result as text';
is $result->{tool_id}, $call->{tool_id}, 'tool_result has the tool_id of its tool_call';
is $all[1]{id}, $all[2]{id}, 'llm_call and llm_result share an id';
is $all[2]{usage}{input_tokens}, 3, 'llm_result has the usage';
is $all[7]{usage}{cost}, 0.5, 'turn_result has the usage';
is $all[-1]{result}, '42', 'OUTPUT has the answer';
ok wait_for(10, sub { PyAgent::logged($host) =~ /calculating 6\*7/ }),
    'the log has what a tool prints';

is +($ws->turn('hello'))[-1]{result}, 'hello (2 so far, 0 images)',
    'the next turn has the messages of the last';
my ($failed) = grep { $_->{type} eq 'tool_result' } $ws->turn('calculate 1/0');
is $failed->{status}, 'error', 'a tool that raises gives the status error';
is +($ws->turn('later on'))[-1]{result}, 'on', 'a coroutine can be a tool';

my $r = $host->input('look', images => ['data:image/png;base64,iVBORw0KGgo=']);
is $r->{json}{result}, 'look (1 so far, 1 images)', 'the model gets an image';
$r = $host->input('files', files => [{ name => 'a.txt', data => encode_base64('12345', '') }]);
my ($note) = grep { $_->{role} eq 'user' && $_->{content} =~ /uploaded/ }
    @{ $r->{json}{session}{messages} };
my ($path) = $note->{content} =~ m{^- (/\S+)$}m;
is CoHost::read_file($path // ''), '12345', 'the agent is told the path of an uploaded file';
is scalar(() = glob $host->dir . '/.co/uploads/*'), 1, 'an uploaded file is stored once';

$ws->send_json({ type => 'INPUT', prompt => 'ask_user Which?|red|blue' });
my $ask = $ws->next(type => 'ask_user');
is $ask->{text}, 'Which?', 'ask_user reaches the client';
is_deeply $ask->{options}, ['red', 'blue'], 'ask_user has its options';
$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => ['red', 'blue'] });
is $ws->next(type => 'OUTPUT')->{result}, 'red, blue', 'ask_user returns the choices';

is +($ws->turn('leave now'))[-1]{result}, 'refused',
    'a tool that needs approval is refused for an unsigned client';
my $anna = key_new();
write_file($host->dir . '/.co/contacts.txt', "$anna->{address}\n");
my $known = $host->ws;
$known->send_json(connect_frame($anna, $host));
$known->next(type => 'CONNECTED');
for my $answer ([1, 'granted'], [0, 'refused']) {
	$known->send_json({ type => 'INPUT', prompt => 'leave now' });
	is $known->next(type => 'approval_needed')->{tool}, 'leave',
	    'a tool that needs approval asks a contact';
	$known->send_json({ type => 'APPROVAL_RESPONSE', scope => 'once',
		approved => $answer->[0] ? JSON::PP::true : JSON::PP::false });
	is $known->next(type => 'OUTPUT')->{result}, $answer->[1],
	    "the approval of a contact counts: $answer->[1]";
}
$ws->send_json({ type => 'INPUT', prompt => 'review dig' });
is $ws->next(type => 'plan_review')->{plan_content}, 'dig', 'plan_review reaches the client';
$ws->send_json({ type => 'PLAN_REVIEW_RESPONSE', message => 'deeper' });
is $ws->next(type => 'OUTPUT')->{result}, 'deeper', 'plan_review returns the message';

$ws->send_json({ type => 'INPUT', prompt => 'nap 1' });
$ws->next(type => 'tool_call');
$ws->send_json({ type => 'INPUT', prompt => 'and this' });
my $ack = $ws->next(type => 'RUNTIME_INPUT_ACK');
my $taken = $ws->next(type => 'user_input');
is $taken->{id}, $ack->{id}, 'a prompt during a turn is taken up under its id';
is $taken->{content}, 'and this', 'a prompt during a turn is taken up unchanged';
ok $taken->{runtime_input}, 'a prompt during a turn is marked as runtime input';
like $ws->next(type => 'OUTPUT')->{result}, qr/and this/,
    'the model gets a prompt that came during the turn';

$ws->send_json({ type => 'INPUT', prompt => 'nap 60' });
$ws->next(type => 'tool_call');
$ws->send_json({ type => 'INTERRUPT' });
my $end = $ws->next(type => 'turn_result');
is $end->{reason}, 'interrupted', 'an interrupted turn has the reason interrupted';
is $ws->next(type => 'OUTPUT')->{result}, 'What would you like me to do?',
    'an interrupted turn ends in OUTPUT';
$ws->send_json({ type => 'INPUT', prompt => 'ask_user Sure?|yes' });
$ws->next(type => 'ask_user');
$ws->send_json({ type => 'INTERRUPT' });
is $ws->next(type => 'OUTPUT')->{result}, 'What would you like me to do?',
    'a turn can be interrupted while it asks';

@all = $ws->turn('odd x');
is $all[-1]{type}, 'OUTPUT', 'incomplete events do not end the turn';
is_deeply [grep { /^(thinking|agent_done|compact|eval|agent_image)$/ } @{ types(@all) }],
    [qw(thinking agent_done compact eval agent_image)], 'incomplete events are completed';
my ($cyclic) = grep { $_->{type} eq 'compact' } @all;
is_deeply $cyclic->{all}, [{ again => { type => 'compact', status => 'done', all => undef,
	ts => $cyclic->{all}[0]{again}{ts} } }],
    'an event that contains itself is cut where it repeats';

my $error = ($ws->turn('boom'))[-1];
is $error->{reason}, 'failed', 'an exception of the model ends the turn as failed';
is $error->{message}, 'Unable to run agent', 'an exception of the model is not shown to clients';
ok wait_for(10, sub { PyAgent::logged($host) =~ /ValueError: the model is out of order/ }),
    'the log has the traceback of an exception';
is +($ws->turn('hi'))[-1]{type}, 'OUTPUT', 'a session takes inputs after an exception';
is $host->input('use x')->{json}{result}, '1', 'each turn has a fresh agent' for 1 .. 4;

ok wait_for(10, sub { $host->http(GET => '/info')->{json}{name} eq 'factory' }),
    '/info has the name of the agent';
my $info = $host->http(GET => '/info')->{json};
is $info->{model}, 'scripted-1', '/info has the model of the agent';
ok +(grep { $_ eq 'ask_user' } @{ $info->{tools} }), '/info has the tools of the agent';
$host->stop;
done_testing;
