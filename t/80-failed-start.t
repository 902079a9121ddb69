#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A start that fails says why at once, to everybody who waits for it: standard error, the
# log, the service manager, and whoever looks at the exit status.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program read_file run source write_file);
use IO::Socket::IP;
use IO::Socket::UNIX;
use Socket qw(SOCK_DGRAM);
use Test::More;

my $taken = IO::Socket::IP->new(LocalHost => '127.0.0.1', Listen => 1) or die $@;
my $port = $taken->sockport;
my $locked = CoHost::directory();
my $holder = CoHost->start(dir => "$locked", workers => 1);

# name, exit status, what is said, what prepares the project, options
my @failures = (
	['a taken port', 1, qr/port $port.*in use/, sub { }, '-p', $port],
	['a wrong host.yaml', 78, qr/host\.yaml.*port/, sub {
		write_file("$_[0]/.co/host.yaml", "name: x\nport: nowhere\n") }, '-p', 0],
	['an agent that cannot be loaded', 78,
		qr/agent bad\.py cannot be loaded: \w+Error: /,
		sub {
		write_file("$_[0]/bad.py", "raise RuntimeError('nothing works')\n") },
		'-p', 0, '-a', 'python:bad.py'],
	['an interpreter that lacks a package', 78,
		qr/agent lacks\.py cannot be loaded: ModuleNotFoundError: .*: python3 does not have it; set python to the interpreter/,
		sub {
		write_file("$_[0]/lacks.py", "import no_such_package\n") },
		'-p', 0, '-a', 'python:lacks.py'],
	['a Python file that is not there', 78,
		qr{agent: there is no file /.*/none\.py \(paths are relative to the project directory\)},
		sub { }, '-p', 0, '-a', 'python:none.py'],
	['a Python file that is not there, with the name of an agent', 78,
		qr{agent: there is no file /no/such/none\.py$}m,
		sub { }, '-p', 0, '-a', 'python:/no/such/none.py:agent'],
	['an interpreter that is not there', 78,
		qr{python: cannot execute \./no such/python: No such file},
		sub { write_file("$_[0]/some.py", '') }, '-p', 0, '-a', 'python:some.py',
		'-o', 'python=./no such/python'],
	['an interpreter that no folder of PATH has', 78,
		qr/python: cannot execute python9: there is no such program in PATH/,
		sub { write_file("$_[0]/some.py", '') }, '-p', 0, '-a', 'python:some.py',
		'-o', 'python=python9'],
	['a Python file without its prefix', 78,
		qr/agent must be .*, not "some\.py": did you mean python:some\.py\?/,
		sub { }, '-p', 0, '-a', 'some.py'],
	['an agent that is not there', 78, qr{agent: cannot execute /no/such/agent: No such file},
		sub { }, '-p', 0, '-a', 'exec:/no/such/agent --fast'],
	['an agent that is not there, of the project', 78, qr{agent: cannot execute \./agent: },
		sub { }, '-p', 0, '-a', 'exec:./agent'],
	['an agent that is not executable', 78, qr{agent: cannot execute \./agent: Permission denied},
		sub { write_file("$_[0]/agent", "#!/bin/sh\n") }, '-p', 0, '-a', 'exec:./agent'],
	['an agent that no folder of PATH has', 78,
		qr/agent: cannot execute no-such-agent: there is no such program in PATH/, sub { },
		'-p', 0, '-a', 'exec:no-such-agent -v'],
	['a trust agent that is not there', 78, qr{trust_agent: cannot execute /no/such/judge},
		sub { }, '-p', 0, '-o', 'trust_agent=exec:/no/such/judge'],
	['too few descriptors', 1, qr/limit on open files is 64.*LimitNOFILE/, sub { }, '-p', 0],
	['an unreadable store', 1, qr/facts\.mdb/, sub {
		mkdir "$_[0]/.co/store";
		mkdir "$_[0]/.co/store/facts.mdb" }, '-p', 0],
	['a project that is served already', 1, qr/another co-hostd serves/, sub { },
		'-p', 0, '-d', "$locked"],
	['an unknown user', 1, qr/no user nobody-at-all/, sub { },
		'-p', 0, '--user', 'nobody-at-all'],
	['a store that is closed to its user', 1, qr/store.lock: Permission denied/, sub {
		chmod 0777, $_[0];
		mkdir "$_[0]/.co/store";
		write_file("$_[0]/.co/store/lock", '');
		chmod 0600, "$_[0]/.co/store/lock" }, '-p', 0, '--user', 'nobody'],
);
my %only_root = ('an unknown user' => 1, 'a store that is closed to its user' => 1);

sub command {
	my ($dir, $name, @options) = @_;
	my @argv = (program('co-hostd'), '-w', 1, '-b', '127.0.0.1', '-l', "$dir/log",
		(grep { $_ eq '-d' } @options) ? () : ('-d', $dir), @options);
	return $name =~ /descriptors/ ? ('sh', '-c', 'ulimit -n 64; exec "$@"', 'sh', @argv) : @argv;
}

for my $f (@failures) {
	my ($name, $status, $why, $prepare, @options) = @$f;
	next if $only_root{$name} && $> != 0;
	for my $way ('in the foreground', 'as a daemon') {
		my $dir = CoHost::directory();
		$prepare->("$dir");
		my $manager = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "$dir/notify") or die $!;
		my @argv = command("$dir", $name, @options);
		push @argv, '-D' if $way =~ /daemon/;
		# A folder that may not be searched, as in the PATH of another user, is
		# another reason.
		my $r = run(\@argv, dir => "$dir", env => { HOME => "$dir/home",
			NOTIFY_SOCKET => "$dir/notify", PATH => '/usr/bin:/bin' });
		is $r->{status}, $status, "$name, $way: the exit status is $status" or diag $r->{out};
		like $r->{out}, $why, "$name, $way: standard error says why";
		# As long as it does not know its user, root writes no file below /tmp.
		like read_file("$dir/log"), $why, "$name, $way: the log says why"
		    unless $> == 0 && $name =~ /host\.yaml|unknown user|without its prefix/;
		$manager->blocking(0);
		my $told = '';
		while (defined $manager->recv(my $text, 4096)) { $told .= "$text\n" }
		like $told, qr/STATUS=.*\nERRNO=[1-9]/, "$name, $way: the service manager hears it";
		unlike $told, qr/READY=1/, "$name, $way: and not that it is ready";
	}
}
$holder->stop;

# The init script ends as soon as the start has failed, and not when its patience ends.
SKIP: {
	my ($ssd) = grep { -x } '/sbin/start-stop-daemon', '/usr/sbin/start-stop-daemon';
	skip 'the init script needs root and start-stop-daemon', 3
	    if $> != 0 || !$ssd || !-r '/lib/lsb/init-functions';
	my $dir = CoHost::directory();
	chmod 0755, "$dir";
	my $r = run(['sh', source('conf/co-hostd.init'), 'start'], timeout => 20, env => {
		DAEMON => program('co-hostd'), PIDFILE => "$dir/pid", HOME => "$dir/home",
		PROJECT_DIR => "$dir", DEFAULTS => '/dev/null', CO_HOSTD_USER => 'root',
		DAEMON_ARGS => "-w 1 -b 127.0.0.1 -p $port -l $dir/log" });
	isnt $r->{status}, 0, 'the init script reports a taken port' or diag $r->{out};
	isnt $r->{status}, -1, 'the init script reports a taken port at once';
	like read_file("$dir/log"), qr/port $port.*in use/,
	    'the log of the service says that the port is in use';
}

done_testing;
