#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Who co-connect is for an agent: keys, sessions of a caller, invite codes, refusals; and what
# is left of a turn when one of the two is killed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoConnect;
use CoHost qw(read_file wait_for write_file);
use POSIX qw(mkfifo);
use Sign qw(key_new);
use Test::More;

# ---- keys ----

my $anna = key_new();
my $project = CoHost::directory(yaml => "trust: strict\n");
write_file("$project/.co/whitelist.txt", "$anna->{address}\n");
my $host = CoHost->start(dir => $project, workers => 1);
my $co = CoConnect->new($host);

my $r = $co->run('hello');
is $r->{status}, 4, 'a stranger who is not admitted has a status of its own';
like $r->{err}, qr/^co-connect: forbidden/, 'a stranger is told why it is not admitted';
is $co->run('--json', 'hello')->{out} =~ /"code":"refused"/, 1, 'the code of a refusal is told by --json';

my ($raw, $hex) = map { $co->dir . "/$_" } qw(raw.key hex.key);
write_file($raw, pack 'H*', $anna->{seed});
write_file($hex, "$anna->{seed}\n");
is $co->run('--key', $raw, 'hello')->{out}, "You said: hello\n", '--key takes a file of 32 bytes';
is $co->run('--key', $hex, 'hello')->{out}, "You said: hello\n", '--key takes a file of 64 hex digits';
write_file($hex, "$anna->{seed}00\n");
is $co->run('--key', $hex, 'hello')->{status}, 2, 'a key of another size is wrong usage';
mkfifo($co->dir . '/fifo', 0600) or die "mkfifo: $!";
$r = $co->run('--key', 'fifo', 'hello');
is $r->{status}, 2, '--key does not wait for the writer of a FIFO';
like $r->{err}, qr/fifo is not a regular file/, 'a key that is not a regular file is named';
is $co->run({ in => $anna->{seed} }, '--key', '-', 'hello')->{out}, "You said: hello\n",
    '--key - reads the key from the standard input';
mkdir $co->dir . "/$_" for qw(her her/keys home/.co home/.co/keys);
write_file($co->dir . '/her/keys/agent.key', pack 'H*', $anna->{seed});
is $co->run('--co-dir', 'her', 'hello')->{out}, "You said: hello\n", '--co-dir names a folder with a key';
$r = $co->run('--co-dir', 'none', 'hello');
is $r->{status}, 2, 'a folder without a key is wrong usage';
like $r->{err}, qr/none\/keys\/agent\.key/, 'the key that is missing in a folder is named';
mkdir $co->dir . "/$_" for qw(pipe pipe/keys);
mkfifo($co->dir . '/pipe/keys/agent.key', 0600) or die "mkfifo: $!";
$r = $co->run('--co-dir', 'pipe', 'hello');
is $r->{status}, 2, '--co-dir does not wait for the writer of a FIFO';
like $r->{err}, qr/pipe\/keys\/agent\.key: not a regular file/, 'a key in a folder that is not a regular file is named';
is $co->run('--keyless', '--key', $raw, 'hello')->{status}, 2, '--keyless is refused beside --key';
write_file($co->dir . '/home/.co/keys/agent.key', pack 'H*', $anna->{seed});
is $co->run('hello')->{out}, "You said: hello\n", 'the key in ~/.co is used without an option';
is $co->run('-s', 'with-key', 'hello')->{status}, 0, 'a session is begun with the key in ~/.co';
like read_file($co->dir . '/with-key'), qr/"key": null/, 'a session file gets no key if the user has one';
is $co->run('--keyless', 'hello')->{status}, 4, '--keyless does not use the key in ~/.co';
$host->stop;

# ---- invite codes ----

$host = CoHost->start(workers => 1, env => { CO_INVITE_CODE => 'BETA2024' });
$co = CoConnect->new($host);
is $co->run('hello')->{status}, 4, 'a stranger without an invite code is refused';
is $co->run('--invite', 'wrong', 'hello')->{status}, 4, 'a stranger with a wrong invite code is refused';
is $co->run('--invite', 'BETA2024', 'hello')->{out}, "You said: hello\n", 'a stranger with the invite code is admitted';
$host->stop;

# ---- co-connect is killed ----

$host = CoHost->start;
$co = CoConnect->new($host);
my $pid = open my $run, '-|', 'sh', '-c', 'cd "$1" && shift && HOME=$PWD/home exec "$@" 2>&1', 'sh', $co->dir,
	@{ $co->argv({}, '-v', '-s', 'file', 'stream 20 50') } or die $!;
my $out = '';
$out .= <$run> while $out !~ /step: ok/;
kill KILL => $pid;
close $run;
$r = $co->run('-v', '-s', 'file', '--resume');
is $r->{out}, "Streamed 20 steps.\n", 'the answer is there although co-connect was killed in the turn';
is_deeply [$r->{err} =~ /step\(i: (\d+), n: 20\)/g], [0 .. 19],
    'all events of a turn are shown by the run that comes back to it';
is $co->run('-s', 'file', 'My name is Ada')->{status}, 0, 'a session goes on after co-connect was killed';
is $co->run('-s', 'file', 'What is my name?')->{out}, "Your name is Ada\n",
    'a session remembers what was said after co-connect was killed';
$pid = open $run, '-|', 'sh', '-c', 'cd "$1" && shift && HOME=$PWD/home exec "$@" 2>&1', 'sh', $co->dir,
	@{ $co->argv({}, '-v', '-s', 'file', 'stream 10 100') } or die $!;
$out = '';
$out .= <$run> while $out !~ /step: ok/;
kill KILL => $pid;
close $run;
$r = $co->run('-s', 'file', 'What is my name?');
is $r->{out}, "Your name is Ada\n", 'a prompt after a turn that was left running has an answer of its own';
like $r->{err}, qr/The turn before has ended/, 'a prompt waits for the turn that was left running';

# ---- the agent forgets ----

open $run, '-|', 'sh', '-c', 'cd "$1" && shift && HOME=$PWD/home exec "$@" 2>&1', 'sh', $co->dir,
	@{ $co->argv({}, '-v', 'stream 1000 50') } or die $!;
$out = '';
$out .= <$run> while $out !~ /step: ok/;
my ($dir, $port) = ($host->{dir}, $host->port);
kill KILL => $host->pid, keys %{ { $host->children } };
waitpid $host->pid, 0;
$host->{status} = 0;
system 'rm', '-rf', "$dir/.co/store";
$host = CoHost->start(dir => $dir, port => $port);
$out .= join '', <$run>;
close $run;
is $? >> 8, 7, 'a turn that the agent knows no more has a status of its own';
$host->stop;
done_testing;
