#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Root who serves as another user (--user) writes nothing for him where his links lead: not
# the log, the pid file, the socket, nor .co. In root's own folders they are made as ever.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for write_file);
use Test::More;

plan skip_all => 'only root can drop to another user' if $> != 0;
my $uid = getpwnam('nobody') // plan skip_all => 'there is no user nobody';
plan skip_all => 'there is no /run' if !-w '/run' || (stat '/run')[2] & 0022;

umask 0022;
my $roots = "/run/co-hostd-test-$$";
mkdir $roots, 0755 or die "$roots: $!";
END { system 'rm', '-rf', $roots if $roots }

my $dir = CoHost::directory();
chmod 0755, "$dir";
write_file("$roots/precious", "root's\n");
chmod 0600, "$roots/precious";
symlink "$roots/precious", "$dir/to-precious";
symlink "$roots/made", "$dir/to-nothing";
symlink $roots, "$dir/to-folder";
chown $uid, -1, "$dir", "$dir/.co", "$dir/home";

sub untouched {
	my ($case) = @_;
	is_deeply [map { s{.*/}{}r } glob "$roots/*"], ['precious'], "$case: nothing is made there";
	is read_file("$roots/precious"), "root's\n", "$case: root's file is unchanged";
	is +(stat "$roots/precious")[4], 0, "$case: and is root's still";
}

sub refused {
	my ($case, $words, %o) = @_;
	my $host = CoHost->start(dir => "$dir", workers => 1, fails => 1, %o,
		args => ['--user', 'nobody', @{ $o{args} || [] }]);
	is $host->wait_exit, 1, "$case: the start ends";
	like $host->words, qr/$words/, "$case: and says why";
	untouched($case);
}

my $why = qr/root does not do it for him|Permission denied/;
refused('a log that is a link to a file of root', $why, args => ['-l', "$dir/to-precious"]);
refused('a log that is a link to where no file is', $why, args => ['-l', "$dir/to-nothing"]);
refused('a log in a folder behind a link', $why, args => ['-l', "$dir/to-folder/made"]);
refused('a pid file that is a link to a file of root', $why,
	args => ['--pid-file', "$dir/to-precious"]);
refused('a pid file in a folder behind a link', $why,
	args => ['--pid-file', "$dir/to-folder/made"]);
refused('a socket in a folder behind a link', $why, bind => "unix:$dir/to-folder/made");

{
	my $other = CoHost::directory();
	chmod 0755, "$other";
	rename "$other/.co", "$other/real" or die $!;
	symlink $roots, "$other/.co";
	chown $uid, -1, "$other", "$other/home";
	my $host = CoHost->start(dir => "$other", workers => 1, fails => 1,
		args => ['--user', 'nobody']);
	is $host->wait_exit, 1, 'a start with a .co that links to a folder of root fails';
	untouched('.co that is a link to a folder of root');
}

my $host = CoHost->start(dir => "$dir", workers => 1, bind => "unix:$roots/socket",
	args => ['--user', 'nobody', '-l', "$roots/log", '--pid-file', "$roots/pid"]);
is $host->http(GET => '/health')->{status}, 200,
    'a server with --user serves with its log, pid file and socket in a folder of root';
is_deeply [map { (stat "$roots/$_")[4] } qw(log pid socket)], [($uid) x 3],
    'the files of the server in a folder of root belong to the user';
like read_file("$roots/pid"), qr/^\d+$/, 'the pid file in a folder of root has the pid';
kill TERM => $host->pid;
is $host->wait_exit, 0, 'a server with --user ends with status 0';
done_testing;
