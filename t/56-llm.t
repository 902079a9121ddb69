#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# An llm agent: a prompt, one question to the model, an answer that streams.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use ScriptedModel;
use Test::More;

my $long = join ' ', map { "word$_" } 1 .. 40;
my $model = ScriptedModel->start({
	hello => [ { text => 'Hello to you.', usage => [ 640, 20 ] } ],
	slow => [ { text => $long, piece => 30, pause => 0.02, thinking => 'Let me think.' } ],
	again => [ { text => 'Again.' } ],
	never => [ { text => 'Never.', delay => 600 } ],
});
my $host = $model->host(yaml => "system_prompt: Be kind.\ntemperature: 0.5\ncontext_window: 1000\n"
	    . "model_price: {input: 1000, output: 10000}\n");

my $ws = $host->ws(session => { session_id => 'talk' });
my @all = $ws->turn('say @hello');
is join(' ', map { $_->{type} } grep { $_->{type} ne 'assistant_delta' } @all),
    'RUNTIME_INPUT_ACK user_input llm_call assistant llm_result turn_result OUTPUT' =~ s/^RUNTIME_INPUT_ACK //r,
    'a turn without tools has the events of the protocol';
my %event = map { $_->{type} => $_ } @all;
is $event{OUTPUT}{result}, 'Hello to you.', 'the result is the answer of the model';
is $event{assistant}{content}, 'Hello to you.', 'assistant has the answer';
is $event{llm_call}{id}, $event{llm_result}{id}, 'llm_call and llm_result share their id';
is $event{llm_call}{model}, 'scripted', 'llm_call names the model';
is $event{llm_result}{status}, 'success', 'llm_result tells of success';
is_deeply $event{llm_result}{usage}, { input_tokens => 640, output_tokens => 20, cached_tokens => 0,
	cache_write_tokens => 0, total_tokens => 660, cost => 0.84 }, 'llm_result has usage and cost';
is $event{llm_result}{context_percent}, 66, 'llm_result says how full the context is';
is $event{turn_result}{reason}, 'natural', 'turn_result tells of a natural end';

my ($first) = $model->requests;
is $first->{path}, '/v1/chat/completions', 'the model is asked at the path of the interface';
is_deeply $first->{body}{messages}, [ { role => 'system', content => 'Be kind.' },
	{ role => 'user', content => 'say @hello' } ], 'the model gets the system prompt and the prompt';
is $first->{body}{temperature}, 0.5, 'the model gets the temperature';
ok !$first->{headers}{authorization}, 'no key is sent to a place of the user\'s own';

my $session = $event{OUTPUT}{session};
is_deeply $session->{messages}, [ { role => 'user', content => 'say @hello' },
	{ role => 'assistant', content => 'Hello to you.' } ], 'the session has the messages';
is $session->{turn}, 1, 'the session has its turn';
ok scalar(grep { $_->{type} eq 'llm_result' && $_->{usage}{cost} == 0.84 } @{ $session->{trace} }),
    'the trace of the session has the cost';

@all = $ws->turn('tell @slow');
my @deltas = grep { $_->{type} eq 'assistant_delta' } @all;
my ($said) = grep { $_->{type} eq 'assistant' } @all;
cmp_ok scalar @deltas, '>', 1, 'an answer that comes slowly is shown in pieces';
is join('', map { $_->{content} } @deltas), $long, 'the pieces are the whole answer';
is_deeply [ grep { $_->{id} ne $said->{id} } @deltas ], [], 'the pieces have the id of the answer';
my ($thought) = grep { $_->{type} eq 'thinking' } @all;
is $thought->{content}, 'Let me think.', 'reasoning is shown as thinking';
is_deeply [ map { $_->{role} } @{ ($model->requests)[-1]{body}{messages} } ],
    [qw(system user assistant user)], 'the model gets the conversation so far';

my $r = $host->input('say @again');
is $r->{json}{result}, 'Again.', 'POST /input is answered by the model';
is $host->metric('cohostd_model_calls_total'), 3, 'questions to the model are counted';
is $host->metric('cohostd_model_calls'), 0, 'no question is left in progress';
$host->stop;

# ---- Anthropic ----

$host = CoHost->start(env => { MY_KEY => 'secret-1' }, yaml => "agent: llm\nmodel: claude-x\n"
	    . "model_api: anthropic\nmodel_key: MY_KEY\nbase_url: http://127.0.0.1:" . $model->port . "\n");
is $host->input('say @hello')->{json}{result}, 'Hello to you.', 'a model of Anthropic is asked with its messages';
my $last = ($model->requests)[-1];
is $last->{path}, '/v1/messages', 'Anthropic is asked at its path';
is $last->{headers}{'x-api-key'}, 'secret-1', 'the key of the variable is sent';
unlike $host->words, qr/secret-1/, 'the key is in no log';
$host->stop;

# ---- more turns than questions ----

$host = $model->host(workers => 1, yaml => "model_calls: 2\n");
my @clients = map { $host->ws(session => { session_id => "q$_" }) } 1 .. 4;
for my $ws (@clients) {
	$ws->send_json({ type => 'INPUT', prompt => 'say @never' });
	$ws->next(type => 'llm_call');
}
is $host->metric('cohostd_model_calls'), 2, 'no more questions than model_calls are asked at once';
is $host->metric('cohostd_model_calls_waiting'), 2, 'other questions wait, and are counted';
for my $at (3, 0) { # one that waits, and one that is asked
	$clients[$at]->send_json({ type => 'INTERRUPT' });
	is $clients[$at]->next(type => 'OUTPUT')->{result}, 'What would you like me to do?', "turn $at of four is interrupted";
}
is $host->metric('cohostd_model_calls'), 2, 'a question that waited is asked when another ends';
is $host->metric('cohostd_model_calls_waiting'), 0, 'no question is left waiting';
$_->send_json({ type => 'INTERRUPT' }) for @clients[1, 2];
$_->next(type => 'OUTPUT') for @clients[1, 2];
is $host->metric('cohostd_model_calls'), 0, 'no question is left after all turns were interrupted';
$host->stop;

# ---- settings ----

my @refused = (
	[ "model: gpt-9\n", qr/needs a key: set OPENAI_API_KEY/, 'a missing key' ],
	[ "model: claude-x\n", qr/ANTHROPIC_API_KEY/, 'a missing key of Anthropic' ],
	[ '', qr/OPENONION_API_KEY/, 'a missing key of the managed models' ],
	[ "model: wonder\n", qr/no provider that is known: set base_url/, 'an unknown model' ],
	[ "model: x\nbase_url: ftp://x\n", qr/base_url must be/, 'a base_url that is none' ],
	[ "model: gpt-9\napi_key: sk-123\n", qr/api_key does not belong here.*keys\.env/, 'a key in host.yaml' ],
	[ "model: gpt-9\nmodel_key: sk-123\n", qr/model_key must be the name/, 'a key as model_key' ],
	[ "temperature: 3\n", qr/temperature must be a number from 0 to 2/, 'a temperature that is too high' ],
	[ "model: x\nbase_url: http://127.0.0.1:1\nsystem_prompt: none/here.md\n", qr/none\/here\.md: No such file/,
		'a system prompt whose file is missing' ],
);
for (@refused) {
	my ($yaml, $why, $what) = @$_;
	my $dir = CoHost::directory(yaml => "agent: llm\n$yaml");
	my $run = CoHost::run([ CoHost::program('co-hostd'), '-t', '-d', "$dir" ],
		env => { HOME => "$dir", map { $_ => undef } grep { /_API_KEY$/ } keys %ENV });
	is $run->{status}, 78, "$what is refused at the start";
	like $run->{out}, $why, "$what is told";
	unlike $run->{out}, qr/sk-123/, "$what is told without a key";
}
done_testing;
