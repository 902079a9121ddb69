#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# onsembl-agent with the program of an agent with a model: a stand-in that speaks the stream-json
# of Claude Code. t/clients/agent-clis.t has the real ones.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Backend;
use ClaudeStandIn;
use CoHost qw(wait_for write_file);
use File::Temp;
use JSON::PP;
use Test::More;
use Wrapper;

my $bin = File::Temp->newdir;
my $program = ClaudeStandIn::install($bin);

my $mark = "wrapper-agents-$$";
my %options = (token => 'T', agent => 'claude', args => ['--auth-type', 'api-key'],
	env => { PATH => "$bin:$ENV{PATH}", ANTHROPIC_API_KEY => 'model-secret', ANTHROPIC_BASE_URL => 'http://m',
		CLAUDECODE => 1, CLAUDE_CODE_SESSION_ID => 's', OTHER => 'x' });

# Events, for a server that takes them.
{
	my $backend = Backend->new(token => 'T', events => 1);
	my $w = Wrapper->start(server => $backend->url, %options);
	my $agent = $backend->agent or BAIL_OUT($w->said . $w->log);
	is $agent->connected->{agentType}, 'claude', 'the server is told the type of the agent';
	my $events = sub { my ($id) = @_;
		return map { $_->{payload}{event} } grep { $_->{payload}{commandId} eq $id } $agent->got('AGENT_EVENT') };
	my $run = sub { my ($id, $text) = @_;
		$agent->run($id, $text);
		return $agent->next('COMMAND_COMPLETE', $id)->{payload} };

	my $end = $run->('c1', 'say hello');
	is "$end->{status} $end->{result}", 'COMPLETED hello', 'a prompt is answered';
	is_deeply [map { [@$_{qw(type content)}] } $events->('c1')], [['assistant', 'hello']], 'what the agent says is an event';
	$end = $run->('c2', 'env');
	like $end->{result}, qr/--permission-mode default\b/, 'the agent has to ask for permissions';
	like $end->{result}, qr/ANTHROPIC_API_KEY=model-secret .*DISABLE_AUTOUPDATER=1/, 'the agent gets its key, and must not update itself';
	unlike $end->{result}, qr/ONSEMBL|CLAUDECODE|CLAUDE_CODE_SESSION|OTHER/, 'the agent gets no token and nothing that it does not need';

	for (['yes', JSON::PP::true, "ran: 42\n", 'success'], ['no', JSON::PP::false, 'ran: too risky', 'error']) {
		my ($word, $is_approved, $result, $status) = @$_;
		$agent->run("tool-$word", 'run echo 42');
		$backend->until(10, sub { grep { $_->{type} eq 'approval_needed' } $events->("tool-$word") });
		$agent->send('AGENT_STIMULUS', { commandId => "tool-$word", stimulus => { type => 'APPROVAL_RESPONSE',
			approved => $is_approved, scope => 'once', $is_approved ? () : (feedback => 'too risky') } });
		is $agent->next('COMMAND_COMPLETE', "tool-$word")->{payload}{result}, $result, "a tool is answered with $word";
		is_deeply [map { $_->{type} } $events->("tool-$word")], ['tool_call', 'approval_needed', 'tool_result'],
		    "a tool answered with $word has its events in order";
		is +($events->("tool-$word"))[2]{status}, $status, "a tool answered with $word ends with $status";
	}
	$agent->run('q', 'choose');
	$backend->until(10, sub { grep { $_->{type} eq 'ask_user' } $events->('q') });
	is_deeply +($events->('q'))[1]{options}, ['red', 'blue'], 'a question has its options';
	$agent->send('AGENT_STIMULUS', { commandId => 'q', stimulus => { type => 'ASK_USER_RESPONSE', answer => 'blue' } });
	is $agent->next('COMMAND_COMPLETE', 'q')->{payload}{result}, 'chosen: blue', 'a question is answered';

	$end = $run->('long', 'long 3000000');
	is $end->{status}, 'COMPLETED', 'an answer that is larger than a message ends well';
	my ($tool, @said) = grep { $_->{type} ne 'tool_result' } $events->('long');
	is_deeply $tool->{args}, { omitted => '3000011 bytes are too many to be shown' },
	    'arguments that are too large for a message are left out, and their size is told';
	is join('', map { $_->{content} } @said), 'x' x 3_000_000, 'a long answer is told whole, in several events';
	cmp_ok $agent->longest, '<=', 1 << 20, 'no message is too large for a server';

	$agent->run('w', 'wait');
	$agent->next('AGENT_EVENT', 'w');
	$agent->send('COMMAND_CANCEL', { commandId => 'w' });
	is $agent->next('COMMAND_COMPLETE', 'w')->{payload}{status}, 'CANCELLED', 'a turn can be interrupted';
	is $run->('w2', 'say still here')->{result}, 'still here', 'the program goes on after an interrupt';
	$agent->run('d', 'deaf');
	$agent->next('AGENT_EVENT', 'd');
	$agent->send('COMMAND_CANCEL', { commandId => 'd' });
	is $agent->next('COMMAND_COMPLETE', 'd')->{payload}{status}, 'CANCELLED', 'a program that does not react gets a signal';
	$end = $run->('x', 'die');
	is $end->{status}, 'FAILED', 'a program that ends in a turn has failed it';
	like $end->{error}, qr/exit 3.*no such model/s, 'the error has the end of what the program complained about';
	is $run->('x2', 'say again')->{result}, 'again', 'the next prompt starts the program again';
	$agent->run('dir', 'say x', workingDirectory => '.');
	is $agent->next('COMMAND_COMPLETE', 'dir')->{payload}{status}, 'COMPLETED', 'the working directory of the agent is accepted';

	is $run->('bg', "daemon $mark")->{result}, 'started', 'an agent may start a daemon';
	ok wait_for(5, sub { Wrapper::processes_with($mark) }), 'the daemon of an agent runs';
	$w->signal('KILL');
	$w->wait_exit;
	ok wait_for(10, sub { !Wrapper::processes_with($mark) && !Wrapper::processes_with($program) }),
	    'a wrapper that is killed leaves neither the agent nor its daemon';
}

# Text, for one that knows only terminals.
{
	my $backend = Backend->new(token => 'T');
	my $w = Wrapper->start(server => $backend->url, %options);
	my $agent = $backend->agent or BAIL_OUT($w->said . $w->log);
	$agent->run('c1', 'say hello');
	is $agent->next('COMMAND_COMPLETE', 'c1')->{payload}{status}, 'COMPLETED', 'a prompt is answered without events';
	is $agent->output('c1'), "hello\r\n", 'a terminal is shown what the agent says';
	$agent->run('c2', 'run echo 42');
	$backend->until(10, sub { $agent->output('c2') =~ /next command answers/ });
	like $agent->output('c2'), qr/Bash \{"command":"echo 42"\}/, 'a terminal is shown what the agent wants';
	$agent->run('c3', 'yes');
	is $agent->next('COMMAND_COMPLETE', 'c3')->{payload}{status}, 'COMPLETED', 'the next command answers the agent';
	is $agent->next('COMMAND_COMPLETE', 'c2')->{payload}{result}, "ran: 42\n", 'the agent goes on with the answer';
	$agent->run('c4', 'run echo 43');
	$backend->until(10, sub { $agent->output('c4') =~ /next command answers/ });
	$agent->run('c5', 'rather not');
	is $agent->next('COMMAND_COMPLETE', 'c4')->{payload}{result}, 'ran: rather not', 'any other text refuses, and the agent reads it';
	is $w->stop, 0, 'a wrapper with an agent is stopped';
	ok wait_for(5, sub { !Wrapper::processes_with($program) }), 'a wrapper that is stopped leaves no agent';
}

# The steps of a command, as a tree.
for my $takes_events (0, 1) {
	my $server = $takes_events ? 'a server with events' : 'a server of terminals';
	my $backend = Backend->new(token => 'T', events => $takes_events);
	my $w = Wrapper->start(server => $backend->url, %options);
	my $agent = $backend->agent or BAIL_OUT($w->said . $w->log);
	my $answer = "# Why it fails\n\nThe disk is full.\nMore.\n\nAll of it.";
	$agent->run('c1', "work $answer", type => 'INVESTIGATE');
	my $end = $agent->next('COMMAND_COMPLETE', 'c1')->{payload};
	is $end->{tokensUsed}, 42, "$server is told the tokens of a command";
	my @nodes = map { $_->{payload} } $agent->got('TRACE_EVENT');
	my $root = $nodes[0]{traceId};
	my @tools = $takes_events ? () : (['TOOL_CALL', 'Read'], ['TOOL_CALL', 'Read']);
	is_deeply [map { [@$_{'type', 'name'}] } @nodes], [['LLM_PROMPT', 'prompt'], ['RESPONSE', 'thinking'], @tools,
		['RESPONSE', 'assistant'], ['LLM_PROMPT', 'prompt']], "$server gets each step of a command";
	is_deeply [map { $_->{parentId} } @nodes], [undef, ($root) x (@nodes - 2), undef], "$server: the prompt is the root";
	is_deeply $nodes[0]{content}, { prompt => "work $answer" }, "$server: the root has the prompt";
	is $nodes[-1]{traceId}, $root, "$server: the root is sent again at the end";
	is_deeply [@{ $nodes[-1] }{qw(tokensUsed)}, $nodes[-1]{content}{response}, $nodes[-1]{metadata}{cost}],
	    [42, $answer, 0.25], "$server: the root has the answer, the tokens and the cost";
	is $nodes[-1]{completedAt} - $nodes[-1]{startedAt}, $nodes[-1]{durationMs}, "$server: the root has its duration";
	if (!$takes_events) {
		is_deeply $nodes[2]{content}, { toolName => 'Read', toolInput => { file => 'f' } }, 'a tool begins with its input';
		is_deeply [$nodes[3]{traceId}, $nodes[3]{content}], ['t3', { toolName => 'Read', toolInput => { file => 'f' },
			toolOutput => 'the file' }], 'a tool ends with its output';
		ok !defined $nodes[2]{completedAt} && defined $nodes[3]{durationMs}, 'a tool that runs has no end';
	}
	my ($report, @more) = map { $_->{payload} } $agent->got('INVESTIGATION_REPORT');
	is scalar(@more), 0, "$server gets one report";
	is_deeply [@$report{qw(commandId status title summary content)}], ['c1', 'COMPLETE', 'Why it fails',
		"The disk is full.\nMore.", $answer], "$server: the answer of an investigation is a report";
	$agent->run('c2', 'say short');
	$agent->next('COMMAND_COMPLETE', 'c2');
	is scalar($agent->got('INVESTIGATION_REPORT')), 1, "$server gets no report of any other command";
	is $w->stop, 0, "$server: the wrapper is stopped";
}

# A program that refuses a conversation until somebody has logged in.
{
	write_file("$bin/gemini", <<'END');
#!/usr/bin/perl
use strict;
use warnings;
use JSON::PP;
$| = 1;
sub say_ { print encode_json({ jsonrpc => '2.0', @_ }), "\n" }
while (my $line = <STDIN>) {
	my $m = decode_json($line);
	if ($m->{method} eq 'session/new') {
		-e 'login' ? say_(id => $m->{id}, result => { sessionId => 's' })
		    : say_(id => $m->{id}, error => { code => -32000, message => 'Authentication required' });
	} elsif ($m->{method} eq 'session/prompt') {
		say_(id => $m->{id}, result => { stopReason => 'end_turn' });
	} else {
		say_(id => $m->{id}, result => {});
	}
}
END
	chmod 0755, "$bin/gemini";
	my $backend = Backend->new(token => 'T', events => 1);
	my $w = Wrapper->start(server => $backend->url, %options, agent => 'gemini');
	my $agent = $backend->agent or BAIL_OUT($w->said . $w->log);
	for my $id ('c1', 'c2') {
		$agent->run($id, 'hello');
		my $end = $agent->next('COMMAND_COMPLETE', $id);
		is_deeply [@{ $end->{payload} }{qw(status error)}], ['FAILED', 'Authentication required'], "$id: a command fails as the program cannot begin";
	}
	write_file($w->dir . '/login', '');
	$agent->run('c3', 'hello');
	is $agent->next('COMMAND_COMPLETE', 'c3')->{payload}{status}, 'COMPLETED', 'the program is asked anew by each command';
	is $w->stop, 0, 'the wrapper of a program that could not begin is stopped';
}

# What cannot be started.
{
	my $w = Wrapper->start(server => 'ws://127.0.0.1:9', agent => 'codex', token => 'T', env => { PATH => "$bin" });
	is $w->wait_exit, 1, 'a program that is not there is noticed at the start';
	like $w->said, qr/no program "codex".*npm install -g \@openai\/codex/, 'the advice says how to install it';
}
done_testing;
