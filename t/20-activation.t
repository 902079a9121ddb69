#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A listener that a service manager passes (LISTEN_FDS) or stores for the next start
# (FDSTORE): no connection is refused while the server is away.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(lacks program read_file run source wait_for write_file);
use Fcntl qw(:flock);
use HTTP;
use IO::Socket::INET;
use IPC::Open2;
use Test::More;

lacks('no python3') if system('python3 -c "import socket; socket.recv_fds" 2>/dev/null');

# A service in a folder under a stand-in of systemd; NAME of its socket unit, or '-'.
sub manage {
	my ($name, @args) = @_;
	my $dir = CoHost::directory();
	my @command = (program('co-hostd'), '-w', 2, '-d', "$dir", '-l', "$dir/log", '-o', 'relay_url=', @args);
	local $ENV{HOME} = "$dir/home";
	my $pid = open2(my $out, my $in, 'python3', source('t/lib/service_manager.py'), "$dir", $name, @command);
	my $self = { dir => $dir, pid => $pid, out => $out, in => $in, words => '' };
	$out->blocking(0);
	$in->autoflush;
	return $self;
}

sub order { my ($s, $word) = @_; print { $s->{in} } "$word\n"; return }

# Wait until the manager says something new that matches; what was captured.
sub hear {
	my ($s, $pattern) = @_;
	wait_for(30, sub {
		sysread $s->{out}, $s->{words}, 65536, length $s->{words};
		return $s->{words} =~ $pattern;
	}) or return undef;
	$s->{words} =~ s/\A.*?$pattern//s;
	return $1 // 1;
}

sub finish {
	my ($s) = @_;
	close $s->{in};
	waitpid $s->{pid}, 0;
	return;
}

# ---- a socket unit ----

my $unit = manage('co-hostd.socket', '-p', 1);
my $port = hear($unit, qr/port (\d+)\n/);
ok $port, 'the socket unit listens before there is a server';
my $early = HTTP->new("127.0.0.1:$port");
$early->send(GET => '/health');
order($unit, 'start');
ok hear($unit, qr/notify READY=1/), 'a server with a socket of the service manager becomes ready';
is $early->reply->{status}, 200, 'a client that came before the server is answered';
like read_file("$unit->{dir}/log"), qr/the listener was passed by the service manager/,
    'the log says where the listener comes from';
unlike read_file("$unit->{dir}/log"), qr/cannot listen/, 'bind and port of the settings have no effect';
order($unit, 'stop');
is hear($unit, qr/exit (\d+)\n/), '0', 'a server with a socket of the service manager stops';
my $between = eval { HTTP->new("127.0.0.1:$port") };
ok $between, 'a client between two starts is not refused';
$between->send(GET => '/health');
order($unit, 'start');
is $between->reply->{status}, 200, 'the next start answers a client that came between two starts';
order($unit, 'kill');
ok hear($unit, qr/exit (9)\n/), 'the master is killed';
# Its workers may accept for a moment more; the last of them gives the lock back.
wait_for(20, sub {
	open my $lock, '+<', "$unit->{dir}/.co/store/lock" or die $!;
	return flock $lock, LOCK_EX | LOCK_NB;
});
my $orphan = eval { HTTP->new("127.0.0.1:$port") };
ok $orphan, 'a client after the death of the master is not refused';
$orphan->send(GET => '/health');
order($unit, 'start');
is $orphan->reply->{status}, 200, 'the start after a death answers a client that came before it';
finish($unit);

# ---- a stored listener ----

my $stored = manage('-', '-p', 0, '-b', '127.0.0.1');
order($stored, 'start');
ok hear($stored, qr/notify FDSTORE=1\|FDNAME=co-listener/), 'the server stores its listener with the service manager';
$port = hear($stored, qr/notify READY=1\|.*?serving on 127\.0\.0\.1:(\d+)/);
ok $port, 'a server that stored its listener becomes ready';
order($stored, 'stop');
is hear($stored, qr/exit (\d+)\n/), '0', 'a server with a stored listener stops';
$between = eval { HTTP->new("127.0.0.1:$port") };
ok $between, 'a client during a restart is not refused if the listener is stored';
$between->send(GET => '/health');
order($stored, 'start');
is hear($stored, qr/notify READY=1\|.*?serving on 127\.0\.0\.1:(\d+)/), $port,
    'the next start serves on the stored listener';
is $between->reply->{status}, 200, 'the next start answers a client that came during the restart';
order($stored, 'upgrade');
ok hear($stored, qr/notify RELOADING=1\|MONOTONIC_USEC=\d+\n/), 'the service manager is told that an upgrade begins';
my $main = hear($stored, qr/notify MAINPID=(\d+)\n/);
ok $main, 'the old master names the new one as the main process';
ok hear($stored, qr/notify READY=1\|MAINPID=\Q$main\E\|/), 'the new master tells the service manager that the upgrade is over';
is(HTTP->once("127.0.0.1:$port", GET => '/health')->{status}, 200, 'the new master serves on the stored listener');
order($stored, 'stop');
is hear($stored, qr/exit (\d+)\n/), '0', 'a server on a stored listener stops after an upgrade';
ok eval { HTTP->new("127.0.0.1:$port") }, 'the stored listener outlives an upgraded server';
finish($stored);

my $moved = manage('-', '-p', 0);
write_file("$moved->{dir}/.co/host.yaml", "bind: 127.0.0.1\n");
order($moved, 'start');
hear($moved, qr/notify READY=1\|/);
order($moved, 'stop');
hear($moved, qr/exit (\d+)\n/);
write_file("$moved->{dir}/.co/host.yaml", "bind: 127.0.0.2\n");
order($moved, 'start');
ok hear($moved, qr/notify FDSTOREREMOVE=1\|FDNAME=co-listener\n/),
    'a stored listener is given up when bind has changed';
ok hear($moved, qr/notify READY=1\|.*?serving on (127\.0\.0\.2:\d+)/),
    'a server whose bind has changed serves at the new address';
finish($moved);

# ---- systemd itself ----

sub free_port {
	my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die $!;
	return $s->sockport;
}

SKIP: {
	my ($activate) = grep { -x } '/usr/bin/systemd-socket-activate';
	skip 'no systemd-socket-activate', 3 unless $activate;
	$port = free_port();
	my $address = "127.0.0.1:$port";
	my $dir = CoHost::directory();
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		open STDERR, '>', "$dir/stderr";
		open STDOUT, '>&', \*STDERR;
		exec $activate, '-l', $address, program('co-hostd'), '-d', "$dir", '-l', "$dir/log", '-o', 'relay_url=';
	}
	my $client;
	ok wait_for(20, sub { $client = eval { HTTP->new($address) } }), 'a socket of systemd accepts a client before the server runs';
	$client->send(GET => '/health');
	is $client->reply->{status}, 200, 'a server that systemd starts for a connection answers it';
	kill TERM => $pid;
	waitpid $pid, 0;
	is $?, 0, 'a server that systemd has started stops with status 0';
}

# ---- what cannot be used ----

sub start_with {
	my ($type, $names) = @_;
	my $dir = CoHost::directory();
	my $script = 'import os, socket, sys
s = socket.socket(socket.AF_INET, socket.' . $type . ')
s.bind(("127.0.0.1", 0))
os.dup2(s.fileno(), 3); os.dup2(s.fileno(), 4)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(sys.argv[1].split(":"))), LISTEN_FDNAMES=sys.argv[1])
os.execv(sys.argv[2], sys.argv[2:])';
	return run(['python3', '-c', $script, $names, program('co-hostd'), '-d', "$dir", '-o', 'relay_url=']);
}

my $r = start_with('SOCK_DGRAM', 'udp');
is $r->{status}, 1, 'a passed datagram socket ends the start';
like $r->{out}, qr/passed a descriptor \(udp\) that is no listening stream socket/,
    'a passed datagram socket is named';
$r = start_with('SOCK_STREAM', 'one:two');
is $r->{status}, 1, 'two passed sockets end the start';
like $r->{out}, qr/passed 2 descriptors \(one:two\), and one is supported/, 'two passed sockets are named';
done_testing;
