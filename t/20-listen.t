#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# It serves on IPv4, IPv6 and a unix socket, for which nothing but a socket is removed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file write_file);
use Test::More;

for my $bind ('127.0.0.1', '::1', 'unix') {
	my $dir = CoHost::directory();
	my $path = "$dir/host.sock";
	my $host = CoHost->start(dir => "$dir", workers => 2,
		bind => $bind eq 'unix' ? "unix:$path" : $bind);
	my $address = $host->address;
	diag $address;
	like $address, {
		'127.0.0.1' => qr/^127\.0\.0\.1:\d+$/, '::1' => qr/^\[::1\]:\d+$/,
		unix => qr/^unix:\Q$path\E$/ }->{$bind}, "$bind: the log names the address";
	is $host->http(GET => '/health')->{json}{status}, 'healthy',
	    "a request is answered on $bind";
	my $ws = $host->ws;
	is $ws->status, 101, "a WebSocket opens on $bind";
	is(($ws->turn('echo hi'))[-1]{result}, 'hi', "a turn runs over a WebSocket on $bind");
	$ws->close;

	if ($bind eq 'unix') {
		my %children = $host->children;
		kill KILL => $host->pid, keys %children;
		$host->wait_exit;
		ok -S $path, 'a killed server leaves its socket behind';
		$host = CoHost->start(dir => "$dir", workers => 2,
			bind => "unix:$path");
		is $host->http(GET => '/health')->{status}, 200,
		    'a socket left behind does not stop the next start';
	}
	$host->stop;
	ok !-e $path, 'no socket is left' if $bind eq 'unix';
}

# A path that is not a socket's.
{
	my $dir = CoHost::directory();
	my $path = "$dir/host.sock";
	my $refused = sub {
		my $host = CoHost->start(dir => "$dir", workers => 1, bind => "unix:$path",
			fails => 1);
		is $host->wait_exit, 1, "bind: $_[0] is not taken for a dead socket";
		like $host->words, qr/bind: \Q$path\E is there and is no socket/,
		    "bind: the log says that $_[0] is no socket";
	};
	write_file($path, 'precious');
	$refused->('a file');
	is read_file($path), 'precious', 'bind: the file is as it was';
	unlink $path;
	write_file("$dir/elsewhere", 'precious');
	symlink "$dir/elsewhere", $path;
	$refused->('a link to a file');
	ok -l $path, 'bind: the link is still there';
	unlink $path;

	my $host = CoHost->start(dir => "$dir", workers => 1, bind => "unix:$path");
	unlink $path;
	write_file($path, 'newer');
	$host->stop;
	is read_file($path), 'newer', 'a server that ends removes no file that took the place '
	    . 'of its socket';
}
done_testing;
