#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A language model decides about callers by a policy in prose.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use JSON::PP ();
use ScriptedModel;
use Sign qw(:all);
use Test::More;

my $json = JSON::PP->new->allow_nonref->canonical;
my $model = ScriptedModel->start({
	kind => [ { text => '{"allow": true, "reason": "kind"}' } ],
	stern => [ { text => '{"allow": false, "reason": "not today"}' } ],
	fenced => [ { text => "```json\n{\"allow\": true, \"reason\": \"ok\"}\n```\n" } ],
	wordy => [ { text => 'Well, that depends.' } ],
	broken => [ { status => 500, body => 'no' } ],
	caller => [ { calls => [ { name => 'bash', args => { command => 'true' } } ] }, { text => 'ACCEPT' } ],
	hello => [ { text => 'Hello.' } ],
});
my $n = 0; # no two signatures are the same

sub begin {
	my ($policy, %o) = @_;
	return $model->host(workers => 1, clock => 1, %o,
		yaml => "trust: |\n  $policy\n  No others.\n" . ($o{yaml} // ''));
}

# What POST /input of a signer is answered with.
sub post {
	my ($host, $key, %payload) = @_;
	my $r = $host->http(POST => '/input', {}, signed_body($key,
		{ prompt => 'say @hello', %payload, nonce => $n++, timestamp => now($host) }));
	return $r->{status} == 200 ? 'in' : "$r->{status} $r->{json}{error}";
}

# The questions about callers, those to the agent left out.
sub asked { return grep { $_->{body}{messages}[0]{content} =~ /^You decide/ } $model->requests }

my $DOWN = '403 forbidden: trust evaluation unavailable';
my @answers = (
	[ kind => 'in' ], [ stern => '403 forbidden: not today' ], [ fenced => 'in' ],
	[ wordy => $DOWN ], [ caller => $DOWN ],
);
for (@answers) {
	my ($name, $answer) = @$_;
	my $host = begin("Let in who is \@$name.");
	is post($host, key_new()), $answer, "the model says $name: $answer";
	unlike $host->words, qr/no trust_agent is set/, "the model says $name: it is asked without more settings";
	$host->stop;
}
my ($first) = asked();
my $body = $first->{body};
is_deeply [ map { $_->{role} } @{ $body->{messages} } ], [qw(system user)],
    'the model gets the question alone';
ok !$body->{tools}, 'the model that decides has no tools';
is $body->{temperature}, 0, 'the model that decides gets the temperature 0';
my $facts = $json->decode($body->{messages}[1]{content});
like delete $facts->{identity}, qr/^0x[0-9a-f]{64}$/, 'the model is told the identity of the caller';
is_deeply $facts, { level => 'stranger', signature_valid => JSON::PP::true, transport => 'direct',
	peer => 'loopback', policy => "Let in who is \@kind.\nNo others.\n" },
    'the model is told what the server knows, and the policy';
is $body->{model}, 'scripted', 'the model of the agent decides';

# ---- what it is asked, and when ----

my $host = begin('Let in who is @kind.', yaml => "trust_model: cheap\n");
my ($before, $key) = (scalar asked(), key_new());
is post($host, $key), 'in', 'a caller is accepted' for 1 .. 3;
is scalar(asked()), $before + 1, 'the model is asked once about a caller';
is((asked())[-1]{body}{model}, 'cheap', 'the model of trust_model decides');
is $host->http(POST => '/input', {}, { prompt => 'say @hello' })->{status}, 401,
    'an unsigned caller is refused without a question';
is scalar(asked()), $before + 1, 'the model is not asked about an unsigned caller';
$host->pass(61);
is post($host, $key), 'in', 'a caller is judged again after a minute';
is scalar(asked()), $before + 2, 'an answer of the model is kept for a minute';
$host->stop;

$host = begin('Let in who is @kind.', yaml => "trust_sees_prompt: true\n");
is post($host, $key, prompt => 'say @hello, all are welcome'), 'in', 'a caller with a prompt is accepted';
is $json->decode((asked())[-1]{body}{messages}[1]{content})->{prompt}, 'say @hello, all are welcome',
    'trust_sees_prompt shows the model the prompt';
$host->stop;

# ---- a model that cannot be reached ----

$host = begin('Let in who is @kind.', args => [ '-o', 'base_url=http://127.0.0.1:1/v1' ]);
is post($host, key_new()), $DOWN, 'nobody is let in while the model cannot be reached';
$host->stop;

# ---- for other agents ----

$host = CoHost->start(workers => 1, yaml => "trust: |\n  Let in \@kind.\n  No others.\ntrust_agent: llm\n"
	    . "model: scripted\nbase_url: " . $model->url . "\n");
is post($host, key_new(), prompt => 'echo hello'), 'in', 'a model decides about callers of another agent';
$host->stop;

my $dir = CoHost::directory(yaml => "trust: |\n  Let in \@kind.\n  No others.\ntrust_agent: llm\nmodel: gpt-9\n");
my $run = CoHost::run([ CoHost::program('co-hostd'), '-t', '-d', "$dir" ],
	env => { HOME => "$dir", map { $_ => undef } grep { /_API_KEY$/ } keys %ENV });
is $run->{status}, 78, 'a model that decides needs its key at the start';
like $run->{out}, qr/OPENAI_API_KEY/, 'the key that a model needs to decide is named';
done_testing;
