#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# co-connect in scripts: prompts, answers, exit statuses, sessions, pools.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoConnect;
use CoHost qw(read_file source wait_for write_file);
use JSON::PP qw(decode_json);
use POSIX qw(WNOHANG);
use Test::More;

my $host = CoHost->start;
my $co = CoConnect->new($host);
my $file = $co->dir . '/session';

sub types { return map { decode_json($_)->{type} } split /\n/, $_[0] }

# ---- prompts and answers ----

my $r = $co->run('What is 6 * 7?');
is_deeply [@$r{qw(status out err)}], [0, "The result of 6 * 7 is 42.\n", ''],
    'a prompt is answered on standard output, and nothing else is said in a pipe';
is $co->run({ bare => 1 }, '-d', $host->url, 'hello')->{out}, "You said: hello\n",
    'the address may be left out with --direct';
is $co->run('What', 'is', '6*7?')->{out}, "The result of 6*7 is 42.\n",
    'a prompt may be several arguments';
is $co->run({ in => "hello\nthere\n" })->{out}, "You said: hello\nthere\n",
    'the whole standard input is one prompt';
$r = $co->run({ in => "My name is Ada\n\nWhat is my name?\n" }, '--lines');
is $r->{out}, "Nice to meet you, Ada!\nYour name is Ada\n",
    'each line of --lines is a prompt of one conversation';
$r = $co->run({ in => "fail it\nhello\n" }, '--lines');
is_deeply [@$r{qw(status out)}], [1, "You said: hello\n"],
    'a prompt that fails does not keep the next line away, and is told by the status';
is $co->run({ in => '' })->{status}, 2, 'an empty prompt is wrong usage';
$r = $co->run('-v', 'What is 6 * 7?');
like $r->{err}, qr/encrypted end to end.*calculate\(expression: "6 \* 7"\).*calculate: 42/s,
    '--verbose shows the connection and all events';
is $r->{out}, "The result of 6 * 7 is 42.\n", '--verbose leaves the answer alone on standard output';

write_file($co->dir . '/a.txt', '12345');
like $co->run('-f', 'a.txt', '-v', 'hello')->{err}, qr/received a\.txt/, 'a file goes with the prompt';
$r = $co->run('-f', 'none.txt', 'hello');
is $r->{status}, 2, 'a file that is not there is wrong usage';
like $r->{err}, qr/none\.txt: No such file/, 'a file that is not there is named';
like $co->run('-i', 'a.txt', 'hello')->{err}, qr/a\.txt is no PNG/, 'a text is no image';
$r = $co->run({ in => 'piped' }, '-f', '-', '-v', 'hello');
like $r->{err}, qr/received stdin\.txt/, 'the standard input can be a file for the agent';

my $full = CoHost::run(['sh', '-c', 'exec "$@" >/dev/full', 'sh', @{ $co->argv({}, 'hello') }],
	dir => $co->dir, env => $co->env);
is $full->{status}, 2, 'an answer that cannot be written is an error';
like $full->{out}, qr/cannot write the output: No space left/, 'an answer that cannot be written is told';
my $closed = CoHost::run(['sh', '-c', 'exec "$@" >&-', 'sh', @{ $co->argv({}, 'hello') }],
	dir => $co->dir, env => $co->env);
is $closed->{status}, 2, 'an answer that has no standard output to go to is an error';
like $closed->{out}, qr/cannot write the output: Bad file descriptor/, 'a closed standard output is told';
my $large = 'x' x 1_000_000;
ok $co->run({ in => "echo $large" })->{out} eq "$large\n", 'a prompt and an answer of 1 MB are not cut';
$r = $co->run({ in => "echo $large$large" });
is $r->{status}, 1, 'a prompt that is too long for the agent fails';
like $r->{err}, qr/prompt too long/, 'a prompt that is too long for the agent is told';
write_file($co->dir . '/large.bin', $large x 2);
like $co->run('-v', '-f', 'large.bin', 'hello')->{err}, qr/received large\.bin/, 'a file of 2 MB goes with the prompt';

# A signal ends a run that waits for its next prompt.
my $said = $co->dir . '/said';
my $waiting = open my $prompts, '|-', 'sh', '-c', 'out=$1; shift; exec "$@" >"$out"', 'sh', $said,
	@{ $co->argv({}, '--lines') } or die $!;
syswrite $prompts, "hello\n";
ok wait_for(20, sub { read_file($said) =~ /hello/ }), 'a line of a pipe is answered before the next one comes';
kill INT => $waiting;
ok wait_for(20, sub { waitpid($waiting, WNOHANG) == $waiting }) && ($? & 127) == 2,
    'Ctrl-C ends a run that waits for its next prompt';
close $prompts;

# ---- JSON ----

$r = $co->run('--json', 'What is 6 * 7?');
my @types = types($r->{out});
is_deeply [grep { /^(?:user_input|tool_call|tool_result|OUTPUT)$/ } @types],
    [qw(user_input tool_call tool_result OUTPUT)], '--json prints each event as a line, and the end';
is decode_json((split /\n/, $r->{out})[-1])->{result}, 'The result of 6 * 7 is 42.',
    'the last line of --json has the result';
$r = $co->run('--json', 'fail it');
is_deeply [$r->{status}, (types($r->{out}))[-1]], [1, 'ERROR'], '--json prints the error of an agent';
$r = $co->run({ bare => 1 }, '--json', '-d', 'http://127.0.0.1:1', 'hello');
is decode_json($r->{out})->{code}, 'unreachable', '--json prints an error of our own with its code';

# ---- questions ----

$r = $co->run('ask Which?|red|blue');
is $r->{status}, 6, 'a question that nobody can answer has a status of its own';
like $r->{err}, qr/the agent asks: Which\?.*--answer/s, 'a question that nobody can answer is shown';
for (['2', 'blue'], ['red', 'red'], ['green', 'green']) {
	my ($given, $told) = @$_;
	is $co->run('--answer', $given, 'ask Which?|red|blue')->{out}, "You answered: $told\n",
	    "--answer $given answers a question with two options";
}
is $co->run('--answer', '', 'plan a|b')->{out}, "All 2 steps are done. You said: Looks good, proceed\n",
    'an empty --answer approves a plan';
is $co->run('--answer', 'skip b', 'plan a|b')->{out}, "All 2 steps are done. You said: skip b\n",
    '--answer changes a plan';
is $co->run('approve rm')->{status}, 6, 'an approval that nobody can give has a status of its own';
for my $how (qw(once session)) {
	is $co->run('--approve', $how, 'approve rm')->{out}, "rm was approved and ran.\n",
	    "--approve $how lets the agent use a tool";
}
is $co->run('--approve', 'reject', 'approve rm')->{out}, "rm was not approved.\n",
    '--approve reject keeps the agent from using a tool';

# ---- exit statuses ----

my $other = '0x' . '12' x 32;
for (['fail it', 1, qr/Unable to run agent \(\w+\)/], ['-t', '0.3', 'sleep 5000', 5, qr/time is up\n.*--timeout SECONDS allows more/]) {
	my $like = pop @$_;
	my $status = pop @$_;
	$r = $co->run(@$_);
	is $r->{status}, $status, "@$_ ends with status $status";
	like $r->{err}, $like, "@$_ says why it failed";
}
for (['hello'], ['-d', 'http://x', '-t', 'soon', 'hi'], ['-d', 'http://x', '--retry', 'x', 'hi'], ['0x12'],
	['-d', 'http://x', '--approve', 'maybe', 'hi'], ['-d', 'ftp://x', 'hi'], ['--pool', '', 'hi'],
	['--no-such-option'], ['-d', 'http://x', '--resume'], ['-d', 'http://x', '--key', '/none', 'hi']) {
	$r = $co->run({ bare => 1 }, @$_);
	is $r->{status}, 2, "co-connect @$_ is wrong usage";
	like $r->{err}, qr/^co-connect: /, "co-connect @$_ is told what is wrong";
}
is $co->run({ bare => 1 }, '-d', 'http://127.0.0.1:1', $other, 'hi')->{status}, 3,
    'a port where nobody listens has the status of what is unreachable';
is $co->run({ bare => 1 }, '-d', $host->url, $other, 'hi')->{status}, 8,
    'a host with another address has a status of its own';
my $help = $co->run({ bare => 1 }, '-h');
ok $help->{status} == 0 && ($help->{out} =~ tr/\n//) <= 24, 'the help fits a screen of 24 lines';
like $help->{out}, qr/--timeout S .*default 60/, 'the help tells the default of the timeout';
is +(grep { length > 80 } split /\n/, $help->{out}), 0, 'no line of the help has more than 80 columns';

# ---- sessions ----

is $co->run('-s', $file, 'My name is Bo')->{out}, "Nice to meet you, Bo!\n", 'a session is begun';
is sprintf('%o', (stat $file)[2] & 07777), '600', 'the session file is for its owner alone';
is $co->run('-s', $file, 'What is my name?')->{out}, "Your name is Bo\n",
    'another run goes on with the session';
is $co->run('-s', $file, 'ask Which?|red|blue')->{status}, 6, 'a question of a kept session stays open';
is $co->run('-s', $file, '--resume')->{status}, 6, 'a question of a kept session is asked again'
    for 1 .. 2;
is $co->run('-s', $file, 'blue')->{out}, "You answered: blue\n",
    'the next prompt of a kept session answers its question';
is $co->run('-s', $file, 'approve rm')->{status}, 6, 'an approval of a kept session stays open';
is $co->run('-s', $file, '--resume', '--approve', 'once')->{out}, "rm was approved and ran.\n",
    '--resume comes back to an open approval';
is $co->run('-s', $file, '-t', '0.5', 'stream 10 100')->{status}, 5, 'a turn of a kept session takes too long';
$r = $co->run('-s', $file, '--resume', '-v');
is $r->{out}, "Streamed 10 steps.\n", '--resume comes back to a turn that was left running';
like $r->{err}, qr/n: 10\).*step: ok/s, '--resume shows the events that were missed';
is $co->run('-s', $file, '--resume')->{status}, 1, '--resume without a turn fails';
write_file("$file.bad", '{}');
$r = $co->run('-s', "$file.bad", 'hi');
is $r->{status}, 2, 'a file of another kind is no session file';
is read_file("$file.bad"), '{}', 'a file of another kind is not overwritten';
$r = $co->run('-s', $co->dir . '/none/session', 'echo once');
is_deeply [@$r{qw(status out)}], [2, ''], 'no prompt is sent if the session could not be kept';
my $gone = $co->dir . '/gone';
mkdir $gone;
open my $kept, '-|', @{ $co->argv({}, '-s', "$gone/session", 'stream 20 100') } or die $!;
ok wait_for(10, sub { -e "$gone/session" }), 'a session is kept from the first event of its turn';
unlink "$gone/session";
rmdir $gone or die $!;
is join('', <$kept>), "Streamed 20 steps.\n", 'the answer comes although the session cannot be kept any more';
close $kept;
is $? >> 8, 2, 'a session that could not be kept is an error';

# ---- a worker dies ----

open my $run, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', @{ $co->argv({}, '-v', 'stream 20 100') } or die $!;
my $out = '';
$out .= <$run> while $out !~ /step: ok/;
$host->kill_worker($_) for $host->workers;
$out .= join '', <$run>;
ok close $run, 'co-connect ends well although all workers were killed in the turn';
like $out, qr/connection lost/, 'a connection that was lost in the turn is shown';
is_deeply [$out =~ /step\(i: (\d+), n: 20\)/g], [0 .. 19],
    'each event of a turn is shown once although all workers were killed';
like $out, qr/^Streamed 20 steps\.$/m, 'the answer comes although all workers were killed';

$host->stop('QUIT'); # questions are open
done_testing;
