#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# co-connect at a terminal: the conversation, questions in place, Ctrl-C, and text that would
# control the terminal.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoConnect;
use CoHost qw(lacks read_file run source);
use IO::Socket::IP;
use Test::More;

BEGIN { lacks('there is no IO::Pty') unless eval { require IO::Pty } }

my $prompt = qr/\n?> \z/;
my $demo = CoHost->start;
my $co = CoConnect->new($demo);

# ---- a conversation ----

my $t = $co->terminal;
ok defined $t->expect(qr/Talking to 0x\w{64}.*$prompt/s), 'a conversation begins with the address of the agent';
$t->type("My name is Ada\r");
ok defined $t->expect(qr/Nice to meet you, Ada!\s+$prompt/), 'the answer is shown, and a prompt';
$t->type("What is my name?\r");
ok defined $t->expect(qr/Your name is Ada\s+$prompt/), 'the next line is the next turn';
$t->type("What is 6 * 7?\r");
ok defined $t->expect(qr/calculate\(expression: "6 \* 7"\).*calculate.*: 42.*is 42\.\s+$prompt/s),
    'events are shown before the answer';
$t->type("one\\\rtwo\r");
ok defined $t->expect(qr/You said: one\s+two\s+$prompt/), 'a backslash joins two lines to one prompt';
$t->type("/reset\r");
ok defined $t->expect(qr/A new conversation\.\s+$prompt/), 'a conversation is begun anew';
$t->type("What is my name?\r");
ok defined $t->expect(qr/not told me your name.*$prompt/s), 'the agent has forgotten what was said before the reset';
$t->type("/mode\r");
ok defined $t->expect(qr/Name a mode: read-only.*$prompt/s), '/mode alone names the modes';
$t->type("/help\r");
ok defined $t->expect(qr{/reset: .*$prompt}s), 'the help names the commands';
$t->type("fail it\r");
ok defined $t->expect(qr/Unable to run agent.*$prompt/s), 'a conversation goes on after an error';
$t->type("\e[A\r");
ok defined $t->expect(qr/fail it.*Unable to run agent.*$prompt/s), 'the cursor key brings the last line back';
$t->type("\x04");
is $t->end, 0, 'Ctrl-D ends the conversation';
my $history = $co->dir . '/home/.local/state/co-connect/history';
is sprintf('%o', (stat $history)[2] & 07777), '600', 'the history is for its owner alone';
like read_file($history), qr/What\\040is\\040my\\040name/, 'the history has what was typed';

$t = $co->terminal;
$t->expect($prompt);
$t->type("\e[A\e[A\r");
ok defined $t->expect(qr/help.*$prompt/s), 'another conversation has the history of the one before';
$t->type("\x03");
ok defined $t->expect(qr/leaves\.\s+$prompt/), 'Ctrl-C without a turn tells how to leave';
$t->type("\x03");
is $t->end, 130, 'a second Ctrl-C without a turn leaves';

# ---- questions ----

$t = $co->terminal;
$t->expect($prompt);
$t->type("ask Which?|red|blue\r");
ok defined $t->expect(qr/\? Which\?\s+1  red\s+2  blue\s+answer> \z/), 'a question is shown with its options';
$t->type("2\r");
ok defined $t->expect(qr/You answered: blue\s+$prompt/), 'an option is chosen by its number';
$t->type("ask Name?\r");
$t->expect(qr/answer> \z/);
$t->type("\rZoe\r");
ok defined $t->expect(qr/You answered: Zoe\s+$prompt/), 'an empty line is no answer to a question';
$t->type("approve rm\r");
ok defined $t->expect(qr/\? May I use rm \{\}\s+The demo agent would like.*q stop> \z/s),
    'an approval is asked for with the arguments and the description';
$t->type("\rmaybe\r");
$t->expect(qr/q stop> .*q stop> \z/s);
$t->type("n too dangerous\r");
ok defined $t->expect(qr/rm was not approved\.\s+$prompt/), 'a tool is refused with a reason';
$t->type("approve rm\r");
$t->expect(qr/q stop> \z/);
$t->type("y\r");
ok defined $t->expect(qr/rm was approved and ran\.\s+$prompt/), 'only a clear word approves a tool';
$t->type("plan dig|build\r");
ok defined $t->expect(qr/The plan:.*dig.*build.*what to change> \z/s), 'a plan is shown';
$t->type("\r");
ok defined $t->expect(qr/Looks good, proceed\s+$prompt/), 'an empty line approves a plan';
$t->type("ask Which?\r");
$t->expect(qr/answer> \z/);
$t->type("\x03");
ok defined $t->expect(qr/Interrupting.*What would you like me to do\?\s+$prompt/s),
    'Ctrl-C at a question interrupts the turn';
$t->type("\x04");
$t->end;

# A prompt in a pipe leaves the terminal for questions.
$t = Terminal->start(['sh', '-c', 'echo "ask Which?|red|blue" | "$@"', 'sh', @{ $co->argv({}) }],
	env => $co->env);
$t->expect(qr/answer> \z/);
$t->type("1\r");
ok defined $t->expect(qr/You answered: red/), 'a question is asked at the terminal although the prompt is in a pipe';
is $t->end, 0, 'a prompt in a pipe ends well after a question';

# ---- signals ----

$t = $co->terminal;
$t->expect($prompt);
$t->type('one t');
$t->expect(qr/one t/);
kill $_ => $t->pid for qw(WINCH CONT);
$t->type("wo\r");
ok defined $t->expect(qr/You said: one two\s+$prompt/), 'a line that is being typed outlives a stop and another size of the window';
$t->type('unsent');
$t->expect(qr/unsent/);
kill TERM => $t->pid;
is $t->end, 130, 'SIGTERM leaves a conversation in which a line is typed';

# ---- Ctrl-C ----

$t = $co->terminal;
$t->expect($prompt);
$t->type("stream 500 100\r");
$t->expect(qr/step.*: ok/);
$t->type("\x03");
ok defined $t->expect(qr/What would you like me to do\?\s+$prompt/), 'Ctrl-C interrupts the turn, and the conversation goes on';
$t->type("hello\r");
ok defined $t->expect(qr/You said: hello\s+$prompt/), 'the agent answers after an interrupt';
$t->type("\x04");
is $t->end, 0, 'a conversation with an interrupted turn ends well';
$t = $co->terminal('stream 500 100');
$t->expect(qr/step.*: ok/);
$t->type("\x03");
is $t->end, 130, 'a single prompt that was interrupted has a status of its own';
like $t->all, qr/What would you like me to do\?/, 'the answer to an interrupt is shown';

my $mute = IO::Socket::IP->new(LocalHost => '127.0.0.1', Listen => 1) or die $@;
$t = $co->terminal({ bare => 1 }, '-d', 'http://127.0.0.1:' . $mute->sockport, '0x' . '12' x 32);
ok defined $t->expect(qr/connecting/), 'the spinner tells that a connection is being made';
$t->type("\x03");
is $t->end, 130, 'Ctrl-C ends an attempt to connect';

my $deaf = CoHost->start(workers => 1, agent => 'exec:python3 ' . source('examples/echo.py'));
$t = CoConnect->new($deaf)->terminal;
$t->expect($prompt);
$t->type("sleep 60000\r");
select undef, undef, undef, 0.5;
$t->type("\x03");
ok defined $t->expect(qr/Interrupting the agent/), 'Ctrl-C asks an agent that does not hear';
$t->type("\x03");
is $t->end, 130, 'a second Ctrl-C leaves an agent that does not hear';
$deaf->stop('QUIT');

for my $term ('dumb', undef, 'no-such-terminal') {
	$t = $co->terminal({ env => { TERM => $term } });
	$t->expect($prompt);
	$t->type("hello\r");
	my $name = $term // '(unset)';
	ok defined $t->expect(qr/You said: hello\s+> /), "a conversation works with TERM=$name";
	$t->type("\x04");
	is $t->end, 0, "a conversation ends well with TERM=$name";
}

# ---- the spinner and colours ----

$t = $co->terminal('events');
$t->expect(qr/an image of 1 kB \(--json has it\).*These were the other events\./s);
unlike $t->all, qr/AGENT_PROFILE|llm_call|turn_result/, 'events that say nothing to a user are not shown';

$t = $co->terminal('sleep 700');
$t->expect(qr/Slept/);
like $t->all, qr/\r\e\[K.*(?:waiting|thinking)/, 'a spinner is drawn at a terminal';
for (['NO_COLOR', '1'], ['TERM', 'dumb']) {
	my ($name, $value) = @$_;
	$t = $co->terminal({ env => { $name => $value } }, 'stream 3 200');
	$t->expect(qr/Streamed 3/);
	unlike $t->all, qr/\e/, "the spinner and colours are off with $name=$value";
	like $t->all, qr/step: ok/, "events are shown with $name=$value";
}
$t = $co->terminal({ env => { LC_ALL => 'C' } }, 'What is 6 * 7?');
$t->expect(qr/is 42\./);
unlike $t->all, qr/[^\x00-\x7f]/, 'no character beyond ASCII is shown where the locale has none';
$t = $co->terminal({ env => { LC_ALL => 'C' } });
$t->expect($prompt);
$t->type("gr\xc3\xbc\xc3\x9fex\x7f\r");
ok defined $t->expect(qr/You said: gr\xc3\xbc\xc3\x9fe\s+$prompt/), 'UTF-8 can be typed without a locale';
$t->type("\x04");
is $t->end, 0, 'a conversation without a locale ends well';
my $out = $co->dir . '/out';
$t = $co->terminal({ out => $out }, 'What is 6 * 7?');
$t->end;
is read_file($out), "The result of 6 * 7 is 42.\n", 'a redirected answer is alone in its file';
like $t->all, qr/calculate/, 'the terminal shows the events of an answer that is redirected';
$demo->stop('QUIT');

# ---- text that would control the terminal ----

my $hostile = CoHost->start(workers => 1, agent => 'exec:python3 ' . source('t/agents/hostile.py'));
$co = CoConnect->new($hostile);
$t = $co->terminal({ env => { TERM => 'dumb' } }, '-v', 'hello');
$t->expect(qr/answer> \z/);
$t->type("x\r");
$t->expect(qr/what to change> \z/);
$t->type("\r");
is $t->end, 0, 'a turn of a hostile agent ends well';
my $all = $t->all;
utf8::decode($all);
unlike $all, qr/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\x{200b}\x{202a}-\x{202e}\x{2066}-\x{2069}\x{e0041}]/,
    'no control character of an agent reaches the terminal';
unlike $all, qr/\r(?!\r*\n)/, 'no carriage return of an agent reaches the terminal';
for my $where (qw(thinking assistant tool argument result blocked entry custom question option plan answer)) {
	like $all, qr/$where\s*\^\[\[2J/, "control characters of $where are shown as text";
}
$t = $co->terminal({ env => { TERM => 'dumb' } }, '--json', '--answer', 'x', '--answer', 'y', 'hello');
is $t->end, 0, 'a turn of a hostile agent ends well with --json';
$all = $t->all;
utf8::decode($all);
unlike $all, qr/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\x{200b}\x{202a}-\x{202e}\x{2066}-\x{2069}\x{e0041}]/,
    'no control character of an agent reaches the terminal as JSON';
is +(grep { !eval { JSON::PP->new->decode($_ =~ s/\r//gr) } } grep { /\S/ } split /\n/, $all), 0,
    'JSON that is made safe for the terminal is still JSON';
like $co->run('--answer', 'x', '--answer', 'y', 'hello')->{out}, qr/^answer\e\[2J/,
    'an answer in a pipe is what the agent sent';
$hostile->stop('QUIT');
done_testing;
