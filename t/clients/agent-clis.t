#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# onsembl-agent with the real Claude Code, Codex and Gemini CLI, whose model is on loopback
# (t/clients/model.py). "make test-clients" runs this.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin";

use Backend;
use Clients;
use CoHost qw(lacks read_file source wait_for write_file);
use File::Temp;
use JSON::PP;
use Terminal;
use Test::More;
use Wrapper;

my $place = Clients::installed('agent-clis', 'agent-clis/package-lock.json')
    or lacks 'no programs of agents: t/clients/install BUILD more could not install them';

my $pid = open my $model, '-|', 'python3', source('t/clients/model.py') or die "model: $!\n";
chomp(my $port = <$model>);
my $url = "http://127.0.0.1:$port";

# What each needs to find its model; everything else is up to the wrapper.
sub environment {
	my ($kind, $home) = @_;
	my %env = (HOME => "$home", PATH => "$place/node_modules/.bin:$ENV{PATH}");
	return (%env, ANTHROPIC_BASE_URL => $url, ANTHROPIC_API_KEY => 'key-of-model') if $kind eq 'claude';
	return (%env, GOOGLE_GEMINI_BASE_URL => $url, GEMINI_API_KEY => 'key-of-model') if $kind eq 'gemini';
	mkdir "$home/.codex";
	write_file("$home/.codex/config.toml", <<END);
model = "test"
model_provider = "local"
[model_providers.local]
name = "local"
base_url = "$url/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
END
	return (%env, OPENAI_API_KEY => 'key-of-model');
}

sub events {
	my ($agent, $id) = @_;
	return map { $_->{payload}{event} } grep { $_->{payload}{commandId} eq $id } $agent->got('AGENT_EVENT');
}

# A prompt to its end, with an answer if the agent asks.
sub ask {
	my ($agent, $id, $prompt, %answer) = @_;
	$agent->run($id, $prompt);
	if (%answer) {
		$agent->{backend}->until(60, sub { grep { $_->{type} eq 'approval_needed' } events($agent, $id) });
		$agent->send('AGENT_STIMULUS', { commandId => $id,
			stimulus => { type => 'APPROVAL_RESPONSE', scope => 'once', %answer } });
	}
	return $agent->next('COMMAND_COMPLETE', $id, timeout => 60)->{payload};
}

sub story {
	my ($kind) = @_;
	my $home = File::Temp->newdir;
	my $backend = Backend->new(token => 'T', events => 1);
	my $w = Wrapper->start(server => $backend->url, token => 'T', agent => $kind,
		env => { environment($kind, $home) });
	my $agent = $backend->agent or BAIL_OUT($w->said . $w->log);
	my $dir = $w->dir;

	my $end = ask($agent, 'say', '@@say hello@@');
	is "$end->{status} $end->{result}", 'COMPLETED hello', "$kind: a prompt is answered" or diag explain $end;
	$end = ask($agent, 'yes', '@@run env >written; echo done@@', approved => JSON::PP::true);
	is $end->{status}, 'COMPLETED', "$kind: a tool that was approved is used" or diag explain $end;
	is_deeply [map { $_->{type} } grep { $_->{type} =~ /tool|approval/ } events($agent, 'yes')],
	    ['tool_call', 'approval_needed', 'tool_result'], "$kind: a tool has its events in order";
	my @steps = map { $_->{payload} } grep { $_->{payload}{commandId} eq 'yes' } $agent->got('TRACE_EVENT');
	is join(' ', map { $_->{type} } @steps[0, -1]), 'LLM_PROMPT LLM_PROMPT', "$kind: the prompt is the root of the steps";
	cmp_ok $steps[-1]{tokensUsed} // 0, '>', 0, "$kind: the tokens of a command are told" or diag explain $steps[-1];
	ok scalar(grep { $_->{type} eq 'RESPONSE' && $_->{parentId} eq $steps[0]{traceId} } @steps),
	    "$kind: what the agent says is a step";
	my $env = read_file("$dir/written");
	like $env, qr/^PATH=/m, "$kind: the tool has written its file";
	unlike $env, qr/ONSEMBL/, "$kind: the tool knows nothing of the server";
	unlike $env, qr/key-of-model/, "$kind: the tool does not get the key of the model" if $kind eq 'codex';
	$end = ask($agent, 'no', '@@run touch refused@@', approved => JSON::PP::false);
	is $end->{status}, 'COMPLETED', "$kind: the turn goes on after a refusal" or diag explain $end;
	ok !-e "$dir/refused", "$kind: a tool that was refused is not used";
	is +((grep { $_->{type} eq 'tool_result' } events($agent, 'no'))[0] // {})->{status}, 'error',
	    "$kind: a tool that was refused ends with an error";

	$end = ask($agent, 'session', '@@run echo one >>lasting@@', approved => JSON::PP::true, scope => 'session');
	is $end->{status}, 'COMPLETED', "$kind: a tool is approved for the session" or diag explain $end;
	$end = ask($agent, 'session2', '@@run echo one >>lasting@@');
	is_deeply [scalar(grep { $_->{type} eq 'approval_needed' } events($agent, 'session2')), read_file("$dir/lasting")],
	    [0, "one\none\n"], "$kind: the agent does not ask again" or diag explain $end;

	$agent->run('slow', '@@slow word@@');
	$agent->next('COMMAND_ACK', 'slow');
	$backend->until(1, sub { 0 }); # the model speaks
	$agent->send('COMMAND_CANCEL', { commandId => 'slow' });
	is $agent->next('COMMAND_COMPLETE', 'slow', timeout => 30)->{payload}{status}, 'CANCELLED',
	    "$kind: a turn is interrupted";
	$end = ask($agent, 'again', '@@say again@@');
	is $end->{result}, 'again', "$kind: the next prompt is answered" or diag explain $end;

	$agent->run('left', '@@slow word@@');
	$agent->next('COMMAND_ACK', 'left');
	$backend->until(1, sub { 0 });
	ok scalar(processes_of($home)), "$kind: the program runs";
	$w->signal('KILL');
	$w->wait_exit;
	ok wait_for(10, sub { !processes_of($home) }), "$kind: a wrapper that is killed leaves no process"
	    or diag `ps -ef`;
}

# The program as a person sees it, at a terminal, while a dashboard types as well.
sub terminal_story {
	my ($kind) = @_;
	my $home = File::Temp->newdir;
	my $backend = Backend->new(token => 'T');
	my $w = Wrapper->new(token => 'T', env => { environment($kind, $home), TERM => 'xterm-256color' });
	trust($kind, $home, $w->dir);
	my $t = Terminal->start([$w->words('start', '-i', '-a', $kind, '-s', $backend->url)], columns => 100,
		env => { $w->env });
	my $agent = $backend->agent or BAIL_OUT($t->all . $w->log);
	# Until it has drawn itself, and can be talked to.
	my $ready = $kind eq 'gemini' ? qr/Type your message/ : qr/./s;
	ok $backend->until(60, sub {
		my $n = length $t->all;
		$t->take(0.1) for 1 .. 20;
		return length $t->all > 500 && $n == length $t->all && $t->all =~ $ready;
	}), "$kind at a terminal: the program is ready" or diag $t->all;
	$agent->run('say', '@@say spoken-here@@');
	is $agent->next('COMMAND_COMPLETE', 'say', timeout => 60)->{payload}{status}, 'COMPLETED',
	    "$kind at a terminal: a command of a dashboard ends";
	# The prompt is on the screen, and then the answer, which is the second.
	my $spoken = () = $agent->output('say') =~ /spoken-here/g;
	cmp_ok $spoken, '>', 1, "$kind at a terminal: the dashboard sees the answer" or diag $t->all;
	unlike $agent->output('say'), qr/\e\[[>?]?[0-9;]*[cn]|\e\]52/, "$kind at a terminal: the dashboard is asked nothing";
	kill KILL => read_file($w->path('pid'));
	is $t->end, 137, "$kind at a terminal: a wrapper that is killed ends";
	like $t->all, qr/\e\[\?2004l.*\z/s, "$kind at a terminal: the terminal is given back";
	ok wait_for(10, sub { !processes_of($home) }), "$kind at a terminal: a wrapper that is killed leaves no process"
	    or diag `ps -ef`;
}

# What a person has answered at the first start.
sub trust {
	my ($kind, $home, $dir) = @_;
	write_file("$home/.claude.json", encode_json({ hasCompletedOnboarding => JSON::PP::true,
		customApiKeyResponses => { approved => ['key-of-model'] },
		projects => { $dir => { hasTrustDialogAccepted => JSON::PP::true } } })) if $kind eq 'claude';
	write_file("$home/.codex/config.toml", read_file("$home/.codex/config.toml")
		. qq{[projects."$dir"]\ntrust_level = "trusted"\n}) if $kind eq 'codex';
	mkdir "$home/.gemini";
	write_file("$home/.gemini/settings.json", encode_json({ security => { auth => { selectedType => 'gemini-api-key' } } }))
	    if $kind eq 'gemini';
}

# Those that have this home, whatever they call themselves.
sub processes_of {
	my ($home) = @_;
	return grep { read_file("/proc/$_/environ") =~ /(?:^|\0)HOME=\Q$home\E\0/ &&
		read_file("/proc/$_/cmdline") !~ /co-agentd/ } map { m{(\d+)$} } glob '/proc/[0-9]*';
}

for (@ARGV ? @ARGV : ('claude', 'codex', 'gemini')) {
	story($_);
	terminal_story($_);
}
kill KILL => $pid;
done_testing;
