#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The client of examples/: it talks, answers, and misses nothing when workers die.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(lacks read_file run source wait_for write_file);
use POSIX ();
use Test::More;

lacks 'there is no python3' if system 'command -v python3 >/dev/null';

my $host = CoHost->start;
my $url = 'ws://' . $host->address . '/ws';
my $home = $host->dir;

sub chat {
	my ($session, $out, @lines) = @_;
	write_file("$home/in", join '', map { "$_\n" } @lines);
	return 'exec python3 ' . source('examples/chat.py')
	    . " $url $session <$home/in >$home/$out 2>$home/$out.err";
}

my $r = run(['sh', '-c', chat('talk', 'out', 'What is 6 * 7?', 'ask Which?|red|blue', 'blue',
	'approve bash', 'y', 'plan dig', 'paint', 'fail now', 'echo ' . 'x' x 70_000)]);
is $r->{status}, 0, 'chat.py ends with its input';
my $out = read_file("$home/out");
like $out, qr/^The result of 6 \* 7 is 42\.$/m, 'chat.py prints the answer to a prompt';
like $out, qr/^Which\? \(red, blue\) You answered: blue$/m,
    'chat.py answers a question of the agent';
like $out, qr/^bash was approved/m, 'chat.py approves a tool';
like $out, qr/paint/, 'a plan is reviewed';
like $out, qr/^error: Unable to run agent \(failed\)$/m, 'an error is told';
like $out, qr/^x{60000}x{10000}$/m, 'long messages go both ways';

my $command = chat('kill', 'killed', 'stream 60 50');
my $pid = fork // die "fork: $!";
if (!$pid) {
	exec 'sh', '-c', $command or POSIX::_exit(127);
}
for my $round (1 .. 2) {
	ok wait_for(10, sub {
		my $r = eval { $host->http(GET => '/sessions/kill') };
		$r && ($r->{json}{status} // '') eq 'running' }), "round $round: the turn runs";
	kill KILL => $host->workers;
	wait_for(10, sub { $host->workers == 4 });
}
ok wait_for(20, sub { waitpid($pid, POSIX::WNOHANG) == $pid }), 'chat.py ends though workers die';
is $?, 0, 'chat.py ends with status 0 though workers die';
$out = read_file("$home/killed");
is scalar(() = $out =~ /^  step: ok$/mg), 60, 'chat.py prints each step once though workers die';
like $out, qr/^Streamed 60 steps\.$/m, 'chat.py prints the result though workers die';

$r = run(['python3', source('examples/chat.py'), 'ws://127.0.0.1:1/ws']);
isnt $r->{status}, 0, 'chat.py fails without a server';
like $r->{out}, qr{^ws://127\.0\.0\.1:1/ws: .*refused},
    'chat.py explains a missing server in one line';
$host->stop;
done_testing;
