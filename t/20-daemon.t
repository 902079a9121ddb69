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
is $r->{status}, 0, 'the command ends well';
is(HTTP->once($sock, GET => '/health')->{status}, 200,
    "and by then the daemon serves");
my ($pid) = read_file($pid_file) =~ /^(\d+)\n$/;
ok $pid && kill(0, $pid), 'the pid file names a living process';
is +(split / /, read_file("/proc/$pid/stat") =~ s/^.*\) //r)[1], 1,
    'whose parent is init' if -r '/proc/1/stat';
is getpgrp($pid) == getpgrp(0), '', 'in a process group of its own';
unlike readlink("/proc/$pid/fd/$_"), qr/tty|pts/, "descriptor $_ is no terminal"
    for 0 .. 2;

my $second = run(\@argv, %env);
isnt $second->{status}, 0, 'a second one is refused';
is +(read_file($pid_file) =~ /(\d+)/)[0], $pid, 'and leaves the pid file alone';
is(HTTP->once($sock, GET => '/health')->{status}, 200, 'the first one serves on');

kill TERM => $pid;
ok wait_for(20, sub { !kill 0, $pid }), 'TERM ends it';
ok !-e $pid_file, 'the pid file is gone';
like read_file("$dir/log"), qr/\S/, 'it wrote its log';
unlike read_file("$dir/log"), qr/AddressSanitizer|runtime error:|\bpanic\b/,
    'without a complaint';

# Paths may be relative to where it was started.
mkdir "$dir/elsewhere";
$r = run([program('co-hostd'), '-d', 'elsewhere', '-p', 0, '-D', '-l', 'log2',
	'--pid-file', 'pid2'], %env, dir => "$dir");
is $r->{status}, 0, 'relative paths are good';
($pid) = read_file("$dir/pid2") =~ /(\d+)/;
kill HUP => $pid;
ok wait_for(10, sub { read_file("$dir/log2") =~ /generation 2 serves/ }), 'also for HUP';
kill TERM => $pid;
ok wait_for(20, sub { !kill 0, $pid }) && !-e "$dir/pid2", 'and at the end';

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
ok $child, 'a daemon that does not come to serve';
kill ALRM => $parent;
ok wait_for(10, sub { waitpid($parent, WNOHANG) == $parent }), 'is given up in the end';
is $? >> 8, 1, 'which the status tells';
like read_file("$dir/stderr"), qr/in time/, 'and a message';
ok wait_for(10, sub { !kill 0, $child }), 'it does not live on';

$r = run([@argv, '-o', 'port=nowhere'], %env);
isnt $r->{status}, 0, 'wrong settings are told before it leaves the terminal';
like $r->{out}, qr/port/, 'by name';
done_testing;
