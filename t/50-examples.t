#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The two agents of examples/ do what the demo agent does, in other languages.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(source);
use Sign qw(connect_frame key_new);
use MIME::Base64 qw(encode_base64);
use Test::More;

my $host = CoHost->start(workers => 2, agent => 'exec:python3 ' . source('examples/echo.py'));
is $host->http(GET => '/info')->{json}{name}, 'python3', '/info names the program';

my $r = $host->input('hello', files => [{ name => 'a.txt', data => encode_base64('12345', '') }]);
is $r->{status}, 200, 'echo.py answers an input over HTTP';
is $r->{json}{result}, "You said: hello (after 0 others)\nFile a.txt (5 bytes)",
    'echo.py gets the prompt and the files';
$r = $host->input('again', session => $r->{json}{session});
is $r->{json}{result}, 'You said: again (after 1 others)', 'echo.py gets the conversation so far';

my $ws = $host->ws(session => { session_id => 'py' });
my @all = $ws->turn('count 3');
is_deeply [map { $_->{type} } @all],
    ['user_input', ('tool_call', 'tool_result') x 3, 'turn_result', 'OUTPUT'],
    'events of echo.py arrive in order';
is_deeply [map { $_->{args}{i} } grep { $_->{type} eq 'tool_call' } @all], [0, 1, 2],
    'tool calls of echo.py have their arguments';

$ws->send_json({ type => 'INPUT', prompt => 'ask Which?|red|blue' });
is_deeply $ws->next(type => 'ask_user')->{options}, ['red', 'blue'], 'echo.py asks a question';
$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => 'blue' });
is $ws->next(type => 'OUTPUT')->{result}, 'You answered: blue',
    'echo.py gets the answer to its question';

is +($ws->turn('approve rm'))[-1]{result}, 'rm was not approved.',
    'echo.py asks no approval of an unsigned client';
my $anna = key_new();
open my $contacts, '>', $host->dir . '/.co/contacts.txt' or die $!;
print {$contacts} "$anna->{address}\n";
close $contacts;
$ws = $host->ws;
$ws->send_json(connect_frame($anna, $host));
$ws->next(type => 'CONNECTED');
$ws->send_json({ type => 'INPUT', prompt => 'approve rm' });
$ws->next(type => 'approval_needed');
$ws->send_json({ type => 'APPROVAL_RESPONSE', approved => JSON::PP::true, scope => 'once' });
is $ws->next(type => 'OUTPUT')->{result}, 'rm was approved and ran.', 'echo.py gets an approval';

$ws->send_json({ type => 'INPUT', prompt => 'plan dig|build' });
is $ws->next(type => 'plan_review')->{plan_content}, "dig\nbuild", 'echo.py shows a plan';
$ws->send_json({ type => 'PLAN_REVIEW_RESPONSE', message => 'go' });
is $ws->next(type => 'OUTPUT')->{result}, 'You said: go', 'echo.py gets the review of its plan';

$ws->send_json({ type => 'INPUT', prompt => 'wait' });
$ws->next(type => 'thinking');
$ws->send_json({ type => 'INPUT', prompt => 'and this' });
my $ack = $ws->next(type => 'RUNTIME_INPUT_ACK');
my $taken = $ws->next(type => 'user_input');
is $taken->{id}, $ack->{id}, 'echo.py takes up a later prompt under its id';
is $taken->{content}, 'and this', 'echo.py takes up a later prompt unchanged';
$ws->send_json({ type => 'INTERRUPT' });
is $ws->next(type => 'OUTPUT')->{result}, 'What would you like me to do?',
    'echo.py can be interrupted';

my $failed = ($ws->turn('fail on purpose'))[-1];
is $failed->{message}, 'Unable to run agent', 'an ERROR of echo.py is told in fixed words';
is $failed->{reason}, 'failed', 'an ERROR of echo.py has its reason';
is +($ws->turn('hi'))[-1]{type}, 'OUTPUT', 'a session of echo.py goes on after an ERROR';
$host->stop;

$host = CoHost->start(workers => 2, agent => 'exec:sh ' . source('examples/echo.sh'));
is $host->input('a "b" \\ c')->{json}{result}, 'You said: a "b" \\ c',
    'echo.sh answers a prompt with quotes';
$ws = $host->ws(session => {});
$ws->send_json({ type => 'INPUT', prompt => 'ask Name?' });
$ws->next(type => 'ask_user');
$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => 'Zoe' });
is $ws->next(type => 'OUTPUT')->{result}, 'You answered: Zoe', 'echo.sh asks and gets the answer';
like join('', map { CoHost::read_file($_) } glob $host->dir . '/.co/logs/*'),
    qr/prompt has \d+ characters/, 'standard error is in the agent log';
$host->stop;
done_testing;
