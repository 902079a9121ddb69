#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# How a Python process with many turns ends and is replaced: whose fault it was, and when it asks.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file write_file);
use Frames;
use PyAgent;
use Test::More;

PyAgent->need;

my $dir = CoHost::directory();

my $n = 0;
sub gate { return "$dir/gate" . ++$n }

my $never = gate();
my $p;

# What ends the process: the turn that did it is named.
my %lost = (
	'quit 3' => ['exited', qr/^os\._exit\(3\)$/, 3 << 8],
	'replace' => ['exited', qr{^os\.execv\('/bin/true'\)$}, 0],
	'crash null' => ['killed', qr/^signal 11 \(Segmentation fault\)$/, 11],
	'crash overflow' => ['killed', qr/^signal 11 \(Segmentation fault\)$/, 11],
	'crash abort' => ['killed', qr/^signal 6 \(Aborted\)$/, 6],
	'hoard 400' => ['memory', qr/^\d+ MB resident, agent_memory is 300$/, 1 << 8],
);
for my $what (sort keys %lost) {
	my ($reason, $message, $status) = @{ $lost{$what} };
	$p = Frames->python($dir, 'unruly.py', '--memory', 300 << 20);
	my @others = map { $p->input("hold $never") } 1 .. 3;
	$p->next_of($_, 'tool_call') for @others;
	my $turn = $p->input($what);
	my $lost = $p->last($turn);
	is $lost->{type}, 'LOST', "a turn that does '$what' is lost";
	is $lost->{reason}, $reason, "the reason of '$what' is $reason";
	like $lost->{message}, $message, "the message of '$what' says what happened";
	is $p->ended & ~128, $status, "'$what' ends the process as without us";
	is scalar(grep { @{ $p->ends($_) } } @others), 0, "'$what' is blamed on no other turn";
}
$p = Frames->python($dir, 'unruly.py', '--memory', 300 << 20);
$p->next_of($p->input('shut'), 'tool_call');
is $p->ended, 1 << 8, 'a process whose turn closes the socket ends at once';
like read_file("$dir/log"), qr/the agent has closed the socket of its process/,
    'the log says that a turn has closed the socket of its process';

$p = Frames->python($dir, 'unruly.py', { env => { FAULTHANDLER => 1 } });
is $p->last($p->input('crash null'))->{type}, 'LOST', 'a crash is told beside faulthandler';
$p->ended;
like read_file("$dir/log"), qr/Fatal Python error: Segmentation fault/,
    'faulthandler shows a crash after it was told';

$p = Frames->python($dir, 'unruly.py');
$p->ask('say x');
$p->{turn}++;  # as if a turn had read the frame from the socket
$p->input('say x');
is $p->ended, 1 << 8, 'a process that misses a frame of the server ends';
like read_file("$dir/log"), qr/something else has read frames of the server/,
    'a process that misses a frame says why it ends';

# ---- recycling and reload ----

$p = Frames->python($dir, 'unruly.py', '--recycle-turns', 20);
$p->ask('say x') for 1 .. 20;
my $retire = $p->next_of(0, 'RETIRE');
like $retire->{reason}, qr/^agent_recycle_turns: (?:18|19|20) turns$/,
    'a process asks to be replaced after enough turns';
is $p->ask('say more'), 'more', 'a process that asks to be replaced goes on';
is scalar(grep { $_->{type} eq 'RETIRE' } $p->frames(0)), 1,
    'a process asks once to be replaced for its turns';

$p = Frames->python($dir, 'unruly.py', '--recycle-memory', 20);
$p->ask('say x');
like $p->next_of(0, 'RETIRE')->{reason}, qr/^agent_recycle_memory: \d+ MB$/,
    'a process asks to be replaced when it has much memory after a turn';

write_file("$dir/part.py", "word = 'old'\n");
write_file("$dir/edited.py", "import part\n" . read_file(PyAgent::file('unruly.py')));
$p = Frames->python($dir, "$dir/edited.py", '--reload');
$p->ask('say x');
write_file("$dir/part.py", "word = 'newer'\n");
is_deeply $p->next_of(0, 'RETIRE'), { type => 'RETIRE', reason => 'part.py was edited', file => 'part.py' },
    'a process asks to be replaced when a module was edited';
is $p->ask('say still'), 'still', 'a process whose file was edited goes on';
my $before = $p->frames(0);
write_file("$dir/part.py", "word = 'newest'\n");
ok $p->until(sub { $p->frames(0) > $before }), 'a second edit is told as well';

# ---- code that goes on ----

sub interrupted {
	my ($what, $when) = @_;
	my $turn = $p->input($what);
	$p->next_of($turn, $when // 'tool_call');
	$p->send($turn, { type => 'INTERRUPT' });
	return $p->last($turn)->{type};
}

$p = Frames->python($dir, 'unruly.py', '--grace', 0.5);
interrupted("hold $never") for 1 .. 3;
$p->until(sub { 0 }, 2);
is scalar(grep { $_->{type} eq 'RETIRE' } $p->frames(0)), 0,
    'a process whose interrupted tools only wait does not ask to be replaced';
is interrupted('spin', 'spinning'), 'OUTPUT', 'a turn whose tool works for ever can be interrupted';
like $p->next_of(0, 'RETIRE')->{reason},
    qr/^code that goes on after the end of its turn uses \d+ % of a processor$/,
    'a process whose tool goes on after its turn asks to be replaced';
is $p->ask('say more'), 'more', 'a process with a tool that works for ever goes on until then';
$p->send(0, { type => 'DRAIN' });
is $p->ended, 0, 'a process with a tool that works for ever ends after its turns';

# ---- threads that cannot be started ----

$p = Frames->python($dir, 'unruly.py', '--processes', 20);
is $p->ask('crowd 100'), "20: can't start new thread: the turn has 20, which is agent_processes",
    'a turn may start as many threads as agent_processes says';
is $p->ask('crowd 20'), '20', 'threads of a turn do not count for another one';
is $p->ask('exhaust now'), 'exhausted', 'a turn lets no further thread start';
my $gate = gate();
my @held;
while (@held < 10 && !grep { $_->{type} eq 'RETIRE' } $p->frames(0)) {
	push @held, $p->input("hold $gate");
	$p->next_of($held[-1], 'tool_call');
}
is $p->next_of(0, 'RETIRE')->{reason}, 'no further thread can be started',
    'a process without a thread for the next turn asks to be replaced';
my $returned = $p->input('say x');
is_deeply [$p->next_of($returned, 'RETURN')], [{ type => 'RETURN' }],
    'a process without a thread for a turn gives it back';
write_file($gate, '');
is_deeply [map { $p->last($_)->{result} } @held], [('held') x @held],
    'a turn whose steps get no thread takes them itself';
is $p->ask('say more'), 'more', 'a process that gave a turn back goes on';

$p = Frames->python($dir, 'raises.py', { is_loading => 1 });
is $p->ended, 1 << 8, 'a process whose file fails exits with 1';
is scalar($p->frames(0)), 0, 'a process whose file fails is never ready';
done_testing;
