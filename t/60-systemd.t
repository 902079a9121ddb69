#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The systemd units of conf/ and of the README, run line by line as systemd does: ready when
# it serves, a reload that reports a bad file, and a clean stop.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program read_file run source wait_for write_file);
use IO::Socket::UNIX;
use POSIX qw(WNOHANG);
use PyAgent;
use Socket qw(SOCK_DGRAM);
use Test::More;

my $program = program('co-hostd');

# The values of a unit's lines, by name.
sub lines_of {
	my ($text) = @_;
	my %lines;
	push @{ $lines{$1} }, $2 while $text =~ /^\s*([A-Z][A-Za-z]+)=(.*)$/mg;
	return \%lines;
}

# What systemd hears from the server until a word comes.
sub hear {
	my ($manager, $word) = @_;
	my $heard = '';
	$manager->blocking(0);
	wait_for(30, sub {
		while (defined $manager->recv(my $text, 4096)) { $heard .= "$text\n" }
		return $heard =~ $word;
	});
	return $heard;
}

# One life of a unit whose commands were made to fit a folder.
sub live {
	my ($name, $dir, $unit, $fit, $spoil) = @_;
	my $manager = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "$dir/notify") or die $!;
	my %env = (HOME => "$dir/home", DAEMON_ARGS => undef, NOTIFY_SOCKET => "$dir/notify");
	my @start = split ' ', $fit->($unit->{ExecStart}[0]);
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		%ENV = (%ENV, %env);
		delete $ENV{DAEMON_ARGS};
		chdir $dir;
		open STDERR, '>', "$dir/stderr";
		exec @start;
	}
	like hear($manager, qr/^READY=1$/m), qr/^READY=1$/m,
	    "$name: systemd is told that the server is ready"
	    or diag read_file("$dir/stderr");
	my $reload = sub {
		for my $line (@{ $unit->{ExecReload} }) {
			my $command = $fit->($line);
			$command =~ s/\$MAINPID/$pid/;
			my $r = run(['sh', '-c', $command], dir => $dir, env => \%env, timeout => 60);
			return $r if $r->{status};
		}
		return { status => 0 };
	};
	is $reload->()->{status}, 0, "$name: a reload succeeds";
	my $heard = hear($manager, qr/RELOADING=1.*READY=1/s);
	like $heard, qr/RELOADING=1.*READY=1/s, "$name: and is over when the new processes serve";
	$spoil->();
	my $r = $reload->();
	isnt $r->{status}, 0, "$name: a reload with a bad file fails";
	like $r->{out}, qr/port/, "$name: and names what is wrong";
	ok kill(0, $pid), "$name: what runs goes on";
	kill TERM => $pid;
	ok wait_for(30, sub { waitpid($pid, WNOHANG) == $pid }), "$name: the unit stops";
	is $?, 0, "$name: with status 0";
}

my $dir = CoHost::directory(yaml => "port: 0\nbind: 127.0.0.1\n");
mkdir "$dir/run";
live('conf/co-hostd.service', "$dir", lines_of(read_file(source('conf/co-hostd.service'))),
	sub {
		my ($line) = @_;
		$line =~ s{/usr/sbin/co-hostd}{$program};
		$line =~ s{/var/lib/co-hostd}{$dir};
		$line =~ s{/run/co-hostd/}{$dir/run/};
		$line =~ s{ \$DAEMON_ARGS}{};
		return $line;
	},
	sub { write_file("$dir/.co/host.yaml", "port: nowhere\n") });

my $relay_program = program('co-relayd');
my $relay = CoHost::directory();
mkdir "$relay/run";
write_file("$relay/relay.yaml", "port: 0\nbind: 127.0.0.1\n");
live('conf/co-relayd.service', "$relay", lines_of(read_file(source('conf/co-relayd.service'))),
	sub {
		my ($line) = @_;
		$line =~ s{/usr/sbin/co-relayd}{$relay_program};
		$line =~ s{/var/lib/co-relayd}{$relay};
		$line =~ s{/run/co-relayd/}{$relay/run/};
		$line =~ s{ \$DAEMON_ARGS}{};
		return $line;
	},
	sub { write_file("$relay/relay.yaml", "port: nowhere\n") });

SKIP: {
	my $python = PyAgent::python();
	skip 'no Python client', 8 unless $python;
	my ($text) = read_file(source('README')) =~ /# systemd:.*?\[Service\]\n(.*?)\n\n/s;
	my $unit = lines_of($text);
	my $app = CoHost::directory(yaml => "port: 0\nbind: 127.0.0.1\n");
	write_file("$app/myagent.py", read_file(source('examples/agent.py')));
	is $unit->{WorkingDirectory}[0], '/app', 'the unit of the README has a folder';
	live('the unit of the README', "$app", $unit,
		sub {
			my ($line) = @_;
			$line =~ s{/usr/sbin/co-hostd}{$program};
			$line =~ s{/app/venv/bin/python}{$python};
			return $line;
		},
		sub { write_file("$app/.co/host.yaml", "port: nowhere\n") });
}
# ---- what systemd itself says of the unit ----

SKIP: {
	my $version = run(['systemd-analyze', '--version'])->{out};
	skip 'no systemd-analyze of version 252 or later', 1 unless $version =~ /^systemd (\d+)/ && $1 >= 252;
	my $r = run(['systemd-analyze', 'security', '--offline=true', '--threshold=20', source('conf/co-hostd.service')]);
	is $r->{status}, 0, 'systemd rates the exposure of conf/co-hostd.service at 2.0 or less' or diag $r->{out};
}
done_testing;
