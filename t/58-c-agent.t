#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Agents in C: the example, and one that does what an agent should not.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(lacks_here program read_file run source wait_for write_file);
use File::Copy qw(copy);
use JSON::PP;
use Sign qw(connect_frame key_new);
use Test::More;

# A sanitizer must not turn a signal into an exit.
$ENV{ASAN_OPTIONS} = join ':', grep { $_ } $ENV{ASAN_OPTIONS}, 'handle_segv=0';

my $build = program('co-hostd') =~ s{/co-hostd$}{}r;

my $key = key_new();

# A host of a copy of an agent, which a test may replace.
sub host {
	my ($object, %o) = @_;
	my $dir = CoHost::directory(yaml => $o{yaml} // '');
	copy("$build/$object", "$dir/agent.so") or die "$object: $!";
	write_file("$dir/.co/contacts.txt", "$key->{address}\n");
	return CoHost->start(dir => $dir, agent => 'c:agent.so', %{ $o{more} || {} });
}

# A contact, whom the host asks for approvals, in a session of this name.
my $n_hellos = 0;
sub contact {
	my ($host, $session) = @_;
	my $ws = $host->ws;
	$ws->send_json(connect_frame($key, $host, payload => { nonce => $n_hellos++ },
		session_id => $session));
	$ws->next(type => 'CONNECTED') or die "no CONNECTED";
	return $ws;
}

sub log_has {
	my ($host, $what) = @_;
	return wait_for(10, sub { read_file($host->log) =~ $what });
}

sub agent_log {
	my ($host) = @_;
	return join '', map { read_file($_) } glob $host->dir . '/.co/logs/*';
}

sub types { return join ' ', map { $_->{type} } @_ }
sub only { my ($type, @all) = @_; return grep { $_->{type} eq $type } @all }

# ---- the example ----

my $host = host('examples/agent.so');
my $info = $host->http(GET => '/info')->{json};
is $info->{name}, 'example', '/info has the name of an agent in C';
is_deeply $info->{tools}, ['add', 'write_note'], '/info has the tools of an agent in C';

my $ws = contact($host, 'example');
my @all = $ws->turn('add 2 3');
is $all[-1]{result}, 'The sum is 5.', 'an agent in C answers';
is types(grep { $_->{type} =~ /thinking|tool|turn_result|OUTPUT/ } @all),
    'thinking tool_call tool_result turn_result OUTPUT',
    'the events of an agent in C come in order';
my ($call) = only('tool_call', @all);
my ($result) = only('tool_result', @all);
is_deeply [@$call{qw(name status)}, $call->{args}], ['add', 'running', { a => 2, b => 3 }],
    'a call of a tool in C has its event tool_call';
is_deeply [@$result{qw(tool_id status result)}], [$call->{tool_id}, 'success', '5'],
    'the event tool_result of a tool in C has the result';

sub ask_note {
	my (%answer) = @_;
	$ws->send_json({ type => 'INPUT', prompt => 'note milk' });
	my $q = $ws->next(type => 'approval_needed');
	$ws->send_json({ type => 'APPROVAL_RESPONSE', scope => 'once', %answer });
	return ($q, $ws->all_until('OUTPUT', 'ERROR'));
}
my ($ask, @after) = ask_note(approved => JSON::PP::true);
is_deeply [@$ask{qw(tool arguments)}], ['write_note', { text => 'milk' }],
    'a tool in C that asks has an event approval_needed';
is $after[-1]{result}, 'I have noted it.', 'an approved tool in C runs';
is read_file($host->dir . '/notes.txt'), "milk\n", 'a tool in C runs in the project directory';
(undef, @after) = ask_note(approved => JSON::PP::false, feedback => 'too much');
is $after[-1]{result}, 'Not noted: too much', 'the reason of a rejection reaches the agent in C';
is types(grep { $_->{type} =~ /^tool/ } @after), 'tool_blocked tool_result',
    'a rejected tool in C is blocked and has a result';
is read_file($host->dir . '/notes.txt'), "milk\n", 'a rejected tool in C does not run';

$ws->send_json({ type => 'INPUT', prompt => 'colour' });
my $q = $ws->next(type => 'ask_user');
is_deeply [@$q{qw(question options)}], ['Which colour?', ['red', 'blue']],
    'an agent in C asks the user';
my $other = contact($host, 'example');
$other->next(type => 'ask_user');
$other->send_json({ type => 'ASK_USER_RESPONSE', answer => 'blue' });
is $ws->next(type => 'OUTPUT')->{result}, 'You like blue.',
    'an agent in C gets the answer of another client';
$other->close;

$ws->send_json({ type => 'INPUT', prompt => 'wait' });
$ws->next(type => 'user_input');
$ws->send_json({ type => 'INPUT', prompt => 'more' });
is $ws->next(type => 'assistant')->{content}, 'You added: more',
    'an agent in C takes up a prompt that comes while it works';
$ws->send_json({ type => 'INTERRUPT' });
is $ws->next(type => 'OUTPUT')->{result}, 'I stop.', 'an interrupted agent in C ends its turn';

# ---- a new object ----

copy("$build/t/wild.so", $host->dir . '/new.so') or die "wild.so: $!";
rename $host->dir . '/new.so', $host->dir . '/agent.so' or die "agent.so: $!";
$host->signal('HUP');
ok wait_for(20, sub { $host->http(GET => '/info')->{json}{name} eq 'wild' }),
    'a reload loads a new object';
$ws = $host->ws(session => { session_id => 'new' });
is +($ws->turn('hi'))[-1]{result}, 'hello', 'the new object runs the turns after a reload';
write_file($host->dir . '/agent.new', 'no object');
rename $host->dir . '/agent.new', $host->dir . '/agent.so' or die "agent.so: $!";
$host->signal('HUP');
ok log_has($host, qr/cannot be loaded: .*file too short; build it by cc -shared -fPIC/),
    'a reload refuses an object that cannot be loaded';
is $host->http(GET => '/info')->{json}{name}, 'wild', 'the settings before such a reload stay';
$host->stop;

# ---- bad ends ----

$host = host('t/wild.so', yaml => "interrupt_grace: 1\npermissions:\n"
	. join '', map { "  $_: {allowed: true}\n" } qw(echo bytes question broken));
my $beside = contact($host, 'beside');
$beside->send_json({ type => 'INPUT', prompt => 'patient' });
$beside->next(type => 'thinking');

$ws = contact($host, 'bad');
for (['crash', 'killed', 'that crashes'], ['abort', 'killed', 'that calls abort()'],
    ['exit', 'exited', 'that calls exit(0)'], ['fail', 'failed', 'that fails'],
    ['odd', 'failed', 'that returns any number']) {
	my ($prompt, $reason, $words) = @$_;
	my $end = ($ws->turn($prompt))[-1];
	is_deeply [@$end{qw(type reason)}], ['ERROR', $reason],
	    "a turn in C $words fails as $reason";
	is +($ws->turn('hi'))[-1]{result}, 'hello', "the turn after one $words is done";
}
like agent_log($host), qr/on purpose/,
    'the agent log has the reason of a failure in C';

$ws->send_json({ type => 'INPUT', prompt => 'loop' });
$ws->next(type => 'thinking');
$ws->send_json({ type => 'INTERRUPT' });
is $ws->next(type => 'OUTPUT')->{result}, 'What would you like me to do?',
    'an endless loop in C is ended interrupt_grace after an interrupt';
$ws->send_json({ type => 'INPUT', prompt => 'busy' });
$ws->next(type => 'thinking');
$ws->send_json({ type => 'INTERRUPT' });
is $ws->next(type => 'OUTPUT')->{result}, 'What would you like me to do?',
    'a turn in C that returns CO_TURN_INTERRUPTED ends as interrupted';

$beside->send_json({ type => 'INPUT', prompt => 'one' });
$beside->send_json({ type => 'INPUT', prompt => 'two' });
is scalar(map { $beside->next(type => 'user_input') } 1, 2), 2,
    'a turn beside those that crash goes on';
$beside->send_json({ type => 'INTERRUPT' });
is $beside->next(type => 'OUTPUT')->{result}, 'heard <one><two>',
    'a turn beside those that crash has heard all prompts';

# ---- texts ----

is length(($ws->turn('big'))[-1]{result}), 1 << 20, 'a result in C may have 1 MiB';
@all = $ws->turn('garbage');
is +(only('thinking', @all))[0]{content}, "a\x{fffd}\x01",
    'bytes of an event in C that are not UTF-8 are replaced';
is $all[-1]{result}, "\x{fffd}(\0\x{fffd}\x{fffd}",
    'bytes of a result in C that are not UTF-8 are replaced';
is +($ws->turn('print'))[-1]{result}, 'stdin -1',
    'what an agent in C prints is no line of the protocol, and its standard input is empty';
my $log = agent_log($host);
like $log, qr/forged.*to stderr|to stderr.*forged/s, 'what an agent in C prints is in the agent log';
like $log, qr/to the log/, 'what an agent in C logs is in the agent log';
is +($ws->turn('forget'))[-1]{result}, '1', "round $_: variables of an agent in C are new in each turn"
    for 1, 2;

@all = $ws->turn('events');
is $all[-1]{result}, '0 -4 -4 -4 -4', 'wrong events of an agent in C are refused by the call';
is_deeply [map { [@$_{qw(sky n)}] } only('weather', @all)], [['grey', 1]],
    'an agent in C sends events of its own';
is_deeply +(only('plan', @all))[0]{entries},
    [{ content => 'dig', priority => 'high', status => 'completed' },
	{ content => 'build', priority => 'medium', status => 'pending' }],
    'an agent in C sends its plan';
is +(only('assistant', @all))[0]{content}, '50%', 'an agent in C sends text';
like agent_log($host), qr/event tool_call is refused: .*tool_id/,
    'the agent log says why an event in C was refused';

@all = $ws->turn('calls');
is $all[-1]{result}, '0 {"a": [1, null]} 0|-1 the arguments are no JSON object|'
    . '-4 there is no such tool|-1 it is "broken"|0 ' . "\x{fffd}" x 2 . '|',
    'calls of tools in C return what became of them';
is join(' ', map { $_->{status} } only('tool_result', @all)), 'success error success',
    'each call of a tool in C has a tool_result';
@all = $ws->turn('threads');
is $all[-1]{result}, '0 bad', 'threads of an agent in C call tools at the same time';
my %ids = map { $_->{tool_id} => 1 } only('tool_result', @all);
is scalar(keys %ids), 200, 'calls in threads have ids of their own';

# ---- the user ----

sub answered {
	my ($prompt, $event, %answer) = @_;
	$ws->send_json({ type => 'INPUT', prompt => $prompt });
	my $q = $ws->next(type => $event);
	$ws->send_json(\%answer);
	return ($q, $ws->next(type => ['OUTPUT', 'ERROR'])->{result});
}
($q, my $said) = answered('several', 'ask_user', type => 'ASK_USER_RESPONSE', answer => ['a', 'c']);
ok $q->{multi_select}, 'an agent in C asks for several options';
is $said, 'a, c', 'an agent in C gets several answers';
($q, $said) = answered('approve', 'approval_needed', type => 'APPROVAL_RESPONSE',
	approved => JSON::PP::false, mode => 'reject_soft', feedback => 'why?');
is_deeply [@$q{qw(tool arguments description)}], ['rm', { path => 'x' }, 'Remove x'],
    'an agent in C asks for approval';
is $said, '-3 once/reject_soft/why?', 'an agent in C gets a rejection with its reason';
($q, $said) = answered('review', 'plan_review', type => 'PLAN_REVIEW_RESPONSE', message => 'go');
is $q->{plan_content}, '1. dig', 'an agent in C asks for the review of a plan';
is $said, '0 go', 'an agent in C gets the review';
$ws->send_json({ type => 'INPUT', prompt => 'review' });
$ws->next(type => 'plan_review');
$ws->send_json({ type => 'INTERRUPT' });
is $ws->next(type => 'OUTPUT')->{result}, '-2 ',
    'an interrupt ends the wait for an answer in C';

# ---- the input and the session ----

$ws = contact($host, 'session');
$ws->turn('hi');
my @with = (images => ['data:image/png;base64,iVBORw0KGgo='],
	files => [{ name => 'a.txt', data => 'data:text/plain;base64,aGk=' }]);
is +($ws->turn("input \0", @with))[-1]{result}, '2 7 data:image/png;base64,iVBORw0KGgo= a.txt 2',
    'an agent in C gets prompt, images, files and conversation';
is +($ws->turn('keep'))[-1]{result}, 'kept', 'an agent in C sets its session';
like +($ws->turn('input', @with))[-1]{result}, qr/ 1$/,
    'the next turn in C gets the session that the last one set';
is +($ws->turn("quote \"\x{e9}\n"))[-1]{result}, '30212 1', 'an agent in C quotes and parses JSON';

# ---- a tool, without a turn ----

$ws = contact($host, 'tool');
sub tool {
	my ($tool, %args) = @_;
	$ws->send_json({ type => 'EXEC', exec_id => 'x', tool => $tool, args => \%args });
	my $f = $ws->next(type => ['EXEC_RESULT', 'ERROR']);
	return $f->{result} // $f->{error} // $f->{message};
}
is tool('echo', a => 1), '{"a":1} 0', 'EXEC calls a tool in C';
like tool('broken'), qr/it is "broken"/, 'the error of a tool in C reaches the caller of EXEC';
like tool('question'), qr/./, 'a tool in C that asks fails in EXEC';
is length tool('bytes', n => 100_000), 100_000, 'EXEC gets a long result that is not UTF-8';
is $host->metric('cohostd_runs'), 0, 'no turn in C is left running';
$host->stop;

# ---- processes kept warm, and limits ----

$host = host('t/wild.so', yaml => "agent_pool: 2\nagent_memory: 200\nrun_timeout: 3\n", more => { workers => 1 });
$ws = $host->ws(session => {});
is +($ws->turn('forget'))[-1]{result}, '1', "turn $_ in a warm process is the first of that process"
    for 1 .. 4;
for (['eat', 'memory', 'uses too much memory'], ['loop', 'timeout', 'does not end']) {
	my ($prompt, $reason, $words) = @$_;
	is +($ws->turn($prompt))[-1]{reason}, $reason, "a turn in C that $words fails as $reason";
}
is +($ws->turn('hi'))[-1]{result}, 'hello', 'the turn after one that exceeded a limit is done';
$host->stop;

# ---- the manual, and the line that builds an agent ----

my $dir = CoHost::directory();
my @strict = qw(-Wall -Wextra -Wpedantic -Werror);
my @examples = read_file(source('man/co_agent.3')) =~ /^\.Bd -literal\n(.*?)^\.Ed/msg;
s/\\e/\\/g for @examples;
is scalar(@examples), 3, 'co_agent(3) has its examples';
write_file("$dir/echo.c", $examples[0]);
write_file("$dir/sum.c", '#include <co_agent.h>' . "\n$examples[1]\n$examples[2]\n"
	. $examples[0] =~ s/.*?(?=static const)//sr =~ s/\.run/.tools = tools, .n_tools = 1,\n.run/r);
for my $name ('echo', 'sum') {
	my $r = run(['cc', '-std=c11', @strict, '-shared', '-fPIC', '-I', source('include'),
		'-o', "$dir/$name.so", "$dir/$name.c"]);
	is $r->{status}, 0, "the example $name of co_agent(3) is C11" or diag $r->{out};
}
my %results = (echo => 'You said: hello', sum => 'The sum is 5050.');
for my $name (sort keys %results) {
	my $r = run(['sh', '-c', q(echo '{"type": "INPUT", "turn": 1, "prompt": "hello"}' | "$0" "$1"),
		program('co-agent-c'), "$dir/$name.so"]);
	like $r->{out}, qr/"result":"\Q$results{$name}\E"\}$/,
	    "the example $name of co_agent(3) runs without a server";
}
SKIP: {
	lacks_here 'there is no C++ compiler', 1 if system 'command -v g++ >/dev/null';
	write_file("$dir/header.cc", "#include <co_agent.h>\n");
	my $r = run(['g++', '-std=c++11', @strict, '-I', source('include'), '-c', "$dir/header.cc",
		'-o', "$dir/header.o"]);
	is $r->{status}, 0, 'co_agent.h is C++11' or diag $r->{out};
}

# ---- refused at the start ----

write_file("$dir/text.so", "no object\n" x 100);
my %sources = (
	none => 'int nothing;',
	null => '#include <co_agent.h>
	    const struct co_agent *create_agent(const struct co_host *h) { (void)h; return NULL; }',
	old => '#include <co_agent.h>
	    static const struct co_agent a = {.abi = 99, .name = "x"};
	    const struct co_agent *create_agent(const struct co_host *h) { (void)h; return &a; }',
	norun => '#include <co_agent.h>
	    static const struct co_agent a = {CO_AGENT_INIT, .name = "x"};
	    const struct co_agent *create_agent(const struct co_host *h) { (void)h; return &a; }',
	schema => '#include <co_agent.h>
	    static int f(struct co_turn *t, const struct co_json *v) { (void)t; return v != NULL; }
	    static int r(struct co_turn *t) { (void)t; return 0; }
	    static const struct co_tool s[] = {{"go", "", "{", f, 0}};
	    static const struct co_agent a = {CO_AGENT_INIT, .name = "x", .run = r,
	        .tools = s, .n_tools = 1};
	    const struct co_agent *create_agent(const struct co_host *h) { (void)h; return &a; }',
	crash => '#include <co_agent.h>
	    #include <stdlib.h>
	    const struct co_agent *create_agent(const struct co_host *h) { (void)h; abort(); }',
	library => '#include <co_agent.h>
	    double missing_function(void);
	    const struct co_agent *create_agent(const struct co_host *h)
	    { (void)h; return missing_function() > 0 ? NULL : NULL; }',
);
for my $name (sort keys %sources) {
	write_file("$dir/$name.c", "$sources{$name}\n");
	my $r = run(['gcc', '-shared', '-fPIC', '-I', source('include'), '-o', "$dir/$name.so", "$dir/$name.c"]);
	is $r->{status}, 0, "the agent '$name' compiles" or diag $r->{out};
}
for (['gone.so', qr/gone\.so: .*No such file/, 'a file that is missing'],
	['text.so', qr/invalid ELF header; build it by cc -shared -fPIC/, 'a file that is no object'],
	['none.so', qr/exports no create_agent\(\): include co_agent\.h/, 'an object without create_agent()'],
	['null.so', qr/create_agent\(\) returned no agent/, 'an object that creates no agent'],
	['old.so', qr/compiled for version 99 of co_agent\.h, and this server has 1/, 'an object of another version'],
	['norun.so', qr/agent x has neither a function run nor tools/, 'an agent in C that does nothing'],
	['schema.so', qr/the schema of tool go is no JSON object/, 'a tool in C with a wrong schema'],
	['crash.so', qr/ended by a signal while it was loaded: Aborted/, 'an object that crashes'],
	['library.so', qr/undefined symbol: missing_function; link the object/, 'an object that lacks a library']) {
	my ($file, $why, $words) = @$_;
	my $r = run([program('co-hostd'), '-t', '-d', "$dir", '-a', "c:$file"]);
	is $r->{status}, 78, "$words is refused at the start";
	like $r->{out}, $why, "the reason for refusing $words is told";
}
my $r = run([program('co-hostd'), '-t', '-d', "$dir", '-a', 'agent.so']);
like $r->{out}, qr/did you mean c:agent\.so\?/, 'an object without c: is refused with a hint';
done_testing;
