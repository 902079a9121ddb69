#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# An llm agent with MCP servers (t/agents/mcp_server.py): their tools appear as its own, they
# may ask the user, and what goes wrong with them is told to the model.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(source wait_for);
use JSON::PP ();
use ScriptedModel;
use Test::More;

my $json = JSON::PP->new->canonical;
my $script = source('t/agents/mcp_server.py');

sub call { return { calls => [ { name => $_[0], args => $_[1] // {} } ] } }

my $model = ScriptedModel->start({
	map({ my $n = $_;
		("echo-$n" => [ call("${n}_echo", { text => 'hi' }), { text => 'Said.' } ],
			"ask-$n" => [ call("${n}_ask"), { text => 'Painted.' } ],
			"fail-$n" => [ call("${n}_fail"), { text => 'Failed.' } ]) } qw(old new web)),
	die => [ call('new_die'), { text => 'It died.' } ],
	sleep => [ call('new_sleep', { seconds => 600 }), { text => 'never' } ],
	secret => [ call('new_environment'), { text => 'Listed.' } ],
	none => [ call('gone_echo'), { text => 'Not there.' } ],
});

my $web = open my $out, '-|', 'python3', '-SE', $script, 'http', 'token=letmein' or die "python3: $!\n";
chomp(my $url = <$out>);

my $names = join '', map { my $n = $_; map { "  ${n}_$_: {allowed: true}\n" } qw(echo ask fail die sleep environment) }
    qw(old new web);
my %server = map { my $word = $_->[1];
	($_->[0] => "  $_->[0]:\n    command: python3\n    args: ['-SE', '$script', stdio, $word]\n") }
    [ old => 'legacy' ], [ new => 'modern' ], [ gone => 'dies' ];
my $yaml = "permissions:\n${names}mcp_servers:\n$server{old}$server{new}$server{gone}"
    . "  web: {url: '$url', token_env: WEB_TOKEN}\n";

for my $workers (1, 4) {
	my $w = "$workers worker" . ($workers > 1 ? 's' : '');
	my $host = $model->host(workers => $workers, env => { WEB_TOKEN => 'letmein', MY_SECRET => 'hidden' },
		yaml => $yaml);
	for my $n (qw(old new web)) {
		is $host->input("do \@echo-$n")->{json}{result}, 'Said.', "$w: a tool of $n is called";
		my ($tool) = grep { $_->{role} eq 'tool' } @{ ($model->requests)[-1]{body}{messages} };
		is $tool->{content}, 'hi', "$w: the model gets the result of the tool of $n";
		my ($last) = ($model->requests)[-1];
		ok scalar(grep { $_->{function}{name} eq "${n}_ask" } @{ $last->{body}{tools} }),
		    "$w: the model is offered the tools of $n";
		my $ws = $host->ws(session => {});
		$ws->send_json({ type => 'INPUT', prompt => "do \@ask-$n" });
		my $ask = $ws->next(type => 'ask_user');
		like $ask->{question}, qr/^$n asks: Which colour\?/, "$w: $n asks the user";
		is_deeply $ask->{options}, [ qw(red green Decline) ], "$w: the question of $n has choices";
		$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => 'red' });
		$ask = $ws->next(type => 'ask_user');
		like $ask->{question}, qr/How many/, "$w: $n asks for the next field";
		$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => '3' });
		my $result = $ws->next(type => 'tool_result');
		is_deeply $json->decode($result->{result}), { action => 'accept', content => { colour => 'red', count => 3 } },
		    "$w: $n gets the answers";
		is $ws->next(type => 'OUTPUT')->{result}, 'Painted.', "$w: the turn goes on after the questions of $n";
		$ws->send_json({ type => 'INPUT', prompt => "do \@fail-$n" });
		$result = $ws->next(type => 'tool_result');
		is "$result->{status} $result->{result}", 'error it broke', "$w: an error of a tool of $n is told";
		$ws->next(type => 'OUTPUT');
	}
	$host->input('do @secret');
	my ($tool) = grep { $_->{role} eq 'tool' } @{ ($model->requests)[-1]{body}{messages} };
	unlike $tool->{content}, qr/WEB_TOKEN|MY_SECRET/, "$w: a server has none of our variables";
	unlike $host->words, qr/letmein/, "$w: a token is in no log";
	is $host->input('do @none')->{json}{result}, 'Not there.', "$w: the tools of a server that dies are not there";
	like $host->words, qr/mcp server=gone: cannot start/, "$w: what a server complains of is in the log";
	like $host->words, qr/mcp server=gone: it has ended: exit 1/, "$w: a server that dies is told in the log";

	my $ws = $host->ws(session => {});
	$ws->send_json({ type => 'INPUT', prompt => 'do @die' });
	my $result = $ws->next(type => 'tool_result');
	like $result->{result}, qr/The MCP server new failed: it has ended: exit 3/, "$w: a server that dies in a call is one error";
	is $ws->next(type => 'OUTPUT')->{result}, 'It died.', "$w: the turn goes on after a server died";
	ok wait_for(10, sub { $host->input('do @echo-new');
			my ($t) = grep { $_->{role} eq 'tool' } @{ ($model->requests)[-1]{body}{messages} };
			$t->{content} eq 'hi' }), "$w: a server that died is started again";

	$ws->send_json({ type => 'INPUT', prompt => 'do @sleep' });
	$ws->next(type => 'tool_call');
	wait_for(10, sub { $host->metric('cohostd_mcp_calls') == 1 });
	$ws->send_json({ type => 'INTERRUPT' });
	$ws->next(type => 'OUTPUT');
	is $host->metric('cohostd_mcp_calls'), 0, "$w: a call ends when its turn is interrupted";
	cmp_ok $host->metric('cohostd_mcp_starts_total'), '>=', 3 * $workers, "$w: each worker starts its programs";
	$host->stop;
}

# ---- the start ----

my $host = $model->host(fails => 1, yaml => $yaml);
isnt $host->wait_exit, 0, 'a token that is not set prevents the start';
like $host->words, qr/mcp_servers: web: the environment variable WEB_TOKEN is not set/,
    'the variable of the token that is not set is named';
$host = $model->host(fails => 1, yaml => "mcp_servers: {x: {command: a, arg: []}}\n");
isnt $host->wait_exit, 0, 'a key that is not known prevents the start';
like $host->words, qr/host\.yaml line \d+: mcp_servers: x: arg is not known/,
    'the key that is not known is named';

kill KILL => $web;
close $out;
done_testing;
