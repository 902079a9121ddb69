#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# -D: the shell gets its prompt back when the daemon serves; a pid file.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program read_file run wait_for);
use IO::Socket::IP;
use POSIX qw(WNOHANG mkfifo);
use Test::More;
use Time::HiRes qw(time);

my $dir = CoHost::directory();
my $pid_file = "$dir/co-hostd.pid";
my $sock = "unix:$dir/sock";
my @argv = (program('co-hostd'), '-w', 2, '-d', "$dir", '-b', $sock, '-D',
	'--pid-file', $pid_file, '-l', "$dir/log");
my %env = (env => { HOME => "$dir/home" });

my $r = run(\@argv, %env);
is $r->{status}, 0, 'the command ends with status 0';
is(HTTP->once($sock, GET => '/health')->{status}, 200,
    'the daemon serves by the time the command ends');
my ($pid) = read_file($pid_file) =~ /^(\d+)\n$/;
ok $pid && kill(0, $pid), 'the pid file names a living process';
# Orphans of a test are adopted by its watcher instead of init (Lifeline.pm).
is +(split / /, read_file("/proc/$pid/stat") =~ s/^.*\) //r)[1], $ENV{TEST_LIFELINE},
    'the daemon is an orphan' if -r '/proc/1/stat';
is getpgrp($pid) == getpgrp(0), '', 'the daemon is in a process group of its own';
unlike readlink("/proc/$pid/fd/$_"), qr/tty|pts/, "descriptor $_ is no terminal"
    for 0 .. 2;

my $second = run(\@argv, %env);
isnt $second->{status}, 0, 'a second daemon on the same project is refused';
is +(read_file($pid_file) =~ /(\d+)/)[0], $pid,
    'a refused second daemon leaves the pid file alone';
is(HTTP->once($sock, GET => '/health')->{status}, 200, 'the first daemon goes on serving');

kill TERM => $pid;
ok wait_for(20, sub { !kill 0, $pid }), 'TERM ends the daemon';
ok !-e $pid_file, 'the daemon removes its pid file when it ends';
like read_file("$dir/log"), qr/\S/, 'the daemon wrote its log';
unlike read_file("$dir/log"), qr/AddressSanitizer|runtime error:|\bpanic\b/,
    'the log of the daemon has no complaint';

# Paths may be relative to where it was started.
mkdir "$dir/elsewhere";
$r = run([program('co-hostd'), '-d', 'elsewhere', '-p', 0, '-D', '-l', 'log2',
	'--pid-file', 'pid2'], %env, dir => "$dir");
is $r->{status}, 0, 'the daemon accepts relative paths';
($pid) = read_file("$dir/pid2") =~ /(\d+)/;
kill HUP => $pid;
ok wait_for(10, sub { read_file("$dir/log2") =~ /generation 2 serves/ }),
    'a reload with relative paths succeeds';
kill TERM => $pid;
ok wait_for(20, sub { !kill 0, $pid }) && !-e "$dir/pid2",
    'a daemon with relative paths removes its pid file when it ends';

# Nobody reads this log, so to open it takes for ever.
mkfifo "$dir/pipe", 0600 or die "mkfifo: $!";
my $parent = fork // die "fork: $!";
if (!$parent) {
	open STDERR, '>', "$dir/stderr";
	exec @argv, '-l', "$dir/pipe";
}
sub children_of {
	my ($of) = @_;
	return map { m{(\d+)} } grep { read_file($_) =~ /\) [^Z] $of / } glob '/proc/[0-9]*/stat';
}
my ($child) = wait_for(10, sub { (children_of($parent))[0] });
ok $child, 'a daemon with a blocked log has started its child';
kill ALRM => $parent;
ok wait_for(10, sub { waitpid($parent, WNOHANG) == $parent }),
    'the command gives up on a daemon that does not come to serve';
is $? >> 8, 1, 'giving up on the daemon ends with status 1';
like read_file("$dir/stderr"), qr/in time/, 'giving up on the daemon is explained on stderr';
ok wait_for(10, sub { !kill 0, $child }), 'the daemon that was given up is killed';

$r = run([@argv, '-o', 'port=nowhere'], %env);
isnt $r->{status}, 0, 'wrong settings are refused before the daemon leaves the terminal';
like $r->{out}, qr/port/, 'the refusal of wrong settings names the setting';
done_testing;
