#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Many turns over one socket, in one Python process: the frames of co-agent(7), without a server.
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

my $p = Frames->python($dir, 'unruly.py');
is $p->{ready}{state}, 'shared', 'a Python process says that it is ready';
is $p->{ready}{about}{name}, 'unruly', 'a Python process says which agent it has loaded';

# ---- many at once ----

my $gate = gate();
my @turns = map { $p->input("hold $gate; say $_") } 1 .. 100;
ok $p->until(sub {
	100 == grep { my $t = $_; grep { $_->{type} eq 'tool_call' } $p->frames($t) } @turns;
}), 'a hundred turns that wait are there at the same time';
is $p->ask('say quick'), 'quick', 'a turn is answered beside a hundred that wait';
write_file($gate, '');
is_deeply [map { $p->last($_)->{result} } @turns], [map { "held; $_" } 1 .. 100],
    'each of a hundred turns has its own result';

# Those that end at once need no hundred threads.
@turns = map { $p->input("say $_; say $_") } 1 .. 300;
is_deeply [map { $p->last($_)->{result} } @turns], [map { "$_; $_" } 1 .. 300],
    'three hundred quick turns have their results';
is scalar(grep { "@{$p->ends($_)}" ne 'OUTPUT' } @turns), 0, 'a turn has one last frame';

# A frame of many reads, which grows the buffer, between two that come with its ends.
@turns = map { $p->input("say $_", $_ == 2 ? (unknown => 'x' x 5_000_000) : ()) } 1 .. 3;
is_deeply [map { $p->last($_)->{result} } @turns], [1 .. 3],
    'a frame of 5 MB is taken as a whole, and so are those beside it';

my $exec = $p->begin(type => 'EXEC', tool => 'say', args => { text => 'hi' });
is $p->last($exec)->{result}, 'hi', 'EXEC calls a tool';
$exec = $p->begin(type => 'EXEC', tool => 'ring', args => { text => '' });
is $p->last($exec)->{result}, 'rung', 'EXEC calls an asynchronous tool';
$exec = $p->begin(type => 'EXEC', tool => 'GET /public/loop', args => { method => 'GET',
	path => "/public/loop", headers => {}, query => 'a=1', path_params => {} });
like $p->last($exec)->{result}, qr/\\"same\\": true.*\\"a\\": \[\\"1\\"\]/,
    "an asynchronous route runs in the file's event loop";
my $trust = $p->begin(type => 'TRUST', args => {});
is $p->last($trust)->{error}, 'host() has no such trust', 'TRUST is answered';

# ---- credit ----

my $window = 262144;
my $flood = $p->input('flood 1000');
$p->until(sub { $p->bytes($flood) > $window - 2000 });
is $p->ask('say beside'), 'beside', 'a turn without credit does not hold up others';
cmp_ok $p->bytes($flood), '<', $window + 2000, 'a turn writes no more than it has credit for';
$p->send($flood, { type => 'CREDIT', bytes => $window }) for 1 .. 4;
is $p->last($flood)->{result}, 'flooded', 'a turn goes on when it gets credit';
is_deeply [map { $_->{n} } grep { $_->{type} eq 'blob' } $p->frames($flood)], [0 .. 999],
    'events that waited for credit come in order';

# ---- interrupts ----

my $never = gate();
my $held = $p->input("hold $never");
$p->next_of($held, 'tool_call');
$p->send($held, { type => 'INTERRUPT' });
is $p->last($held)->{result}, 'What would you like me to do?', 'INTERRUPT ends a turn';

$held = $p->input("hold $never");
$p->next_of($held, 'tool_call');
my $before = $p->frames($held);
$p->send($held, { type => 'CLOSE' });
is $p->last($held)->{type}, 'OUTPUT', 'CLOSE ends a turn';
is scalar($p->frames($held)), $before + 1, 'only the last frame of a closed turn is sent';

$held = $p->input('flood 1000');
$p->until(sub { $p->bytes($held) > $window - 2000 });
$p->send($held, { type => 'CLOSE' });
is $p->last($held)->{type}, 'OUTPUT', 'CLOSE ends a turn that waits for credit';

# Quick steps are done without a change of threads; one of them may still turn out slow.
is $p->ask(join '; ', map { "hold $gate" } 1 .. 20), join('; ', ('held') x 20),
    'steps can be many';
$held = $p->input("hold $never");
$p->next_of($held, 'tool_call');
$p->send($held, { type => 'INTERRUPT' });
my $last = $p->last($held);
is $last->{result}, 'What would you like me to do?',
    'INTERRUPT ends a turn in a step that was always quick before';
is $last->{session}{messages}[-1]{role}, 'tool',
    'the session of a turn in such a step has a result for each call';
$held = $p->input("hold $never");
$p->next_of($held, 'tool_call');
$p->send($held, { type => 'CLOSE' });
is_deeply $p->ends($held), ['OUTPUT'], 'a turn in a step that is slow again has one last frame'
    if $p->last($held);

$p->send($p->{turn} + 1, { type => 'INPUT', prompt => 'say closed', session_id => 's' });
$p->send($p->{turn} + 1, { type => 'CLOSE' });
is $p->last(++$p->{turn})->{type}, 'OUTPUT', 'a turn that is closed as it begins has a last frame';
$p->send($held, { type => 'INTERRUPT' });
$p->send(0, { type => 'NEWS' });
is $p->ask('say on'), 'on', 'frames of turns that have ended and of unknown types are ignored';

# ---- what each turn has for itself ----

my @loud = map { $p->input("shout $_") } 'left', 'right';
$p->last($_) for @loud;
for my $i (0, 1) {
	my $word = ('left', 'right')[$i];
	is_deeply $p->printed($loud[$i]), ["$word on stdout", "$word on stderr",
		"$word by logging", "$word as bytes", "$word in a thread",
		"$word without an end of line"], "a turn's LOG frames have all that it prints ($word)";
}

$gate = gate();
my $home = $p->ask('where');
my $away = $p->input("go /; hold $gate; where");
$p->until(sub { 2 == grep { $_->{type} eq 'tool_call' } $p->frames($away) });
is $p->ask('where'), $home, 'a turn is not moved by the chdir() and umask() of another';
write_file($gate, '');
is $p->last($away)->{result}, '/; held; / 77', 'a turn stays where it has gone, in all its steps';
is $p->ask('where'), $home, 'a turn begins where the process did, whatever the one before did'
    for 1 .. 3;

is $p->ask('recall first'), 'nothing', 'a context variable has its default in a turn';
is $p->ask('recall second'), 'nothing', 'a turn does not see the context variables of another';
is $p->ask('count x'), '1', 'a turn finds what the file has made';
is $p->ask('count x'), '2', 'a turn finds what another has changed in it';

is $p->ask('exits now'), 'SystemExit: now', 'sys.exit() ends a turn, and not the process';

like $p->ask('spoil'), qr/^ValueError: this cannot be told$/,
    'a turn whose result cannot be told fails';

my $fork = $p->input('split');
is $p->last($fork)->{result}, 'parent', 'a turn that forks goes on';
is_deeply $p->ends($fork), ['OUTPUT'], 'a fork of a turn does not write to the socket';
like read_file("$dir/log"), qr/printed by the child/, 'what a fork prints is in the log';

# ---- the end ----

my $pid = $p->pid;
$gate = gate();
$held = $p->input("hold $gate");
$p->next_of($held, 'tool_call');
$p->send(0, { type => 'DRAIN' });
ok kill(0 => $pid), 'DRAIN lets turns end';
write_file($gate, '');
is $p->last($held)->{result}, 'held', 'a turn ends after DRAIN';
is $p->ended, 0, 'a process exits when the last turn has ended after DRAIN';

$p = Frames->python($dir, 'unruly.py');
$held = $p->input('clutch 1000');
$p->next_of($held, 'tool_call');
$p->hang_up;
is $p->ended, 0, 'a process exits at the end of the file, even if a turn keeps the interpreter';

# ---- an agent that has to be awaited ----

$p = Frames->python($dir, 'unruly.py', { env => { ASYNCHRONOUS => 1 } });
$gate = gate();
@turns = map { $p->input("hold $gate") } 1 .. 100;
is $p->ask('say'), 'say True', "an asynchronous agent runs in the file's event loop";
my $threads = () = glob "/proc/" . $p->pid . "/task/*";
cmp_ok $threads, '<', 30, 'turns of an asynchronous agent need no threads';
write_file($gate, '');
is scalar(grep { $p->last($_)->{result} ne 'hold True' } @turns), 0,
    'asynchronous turns that wait have their results';
is_deeply $p->printed($turns[7]), ["printed by hold $gate"],
    'what an asynchronous turn prints is in its LOG frames';
$held = $p->input("hold $never");
$p->ask('say');
$p->send($held, { type => 'INTERRUPT' });
is $p->last($held)->{result}, 'What would you like me to do?',
    'INTERRUPT ends an asynchronous turn';
$flood = $p->input('flood 1000');
is $p->ask('say'), 'say True', 'an asynchronous turn without credit does not hold up others';
$p->send($flood, { type => 'CREDIT', bytes => $window }) for 1 .. 4;
is $p->last($flood)->{result}, 'flood True', 'an asynchronous turn goes on when it gets credit';
done_testing;
