#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Started as root with --user, no process stays root.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(copy_programs read_file run wait_for write_file);
use IO::Socket::UNIX;
use Socket qw(SOCK_DGRAM);
use Test::More;

plan skip_all => 'only root can drop to another user' if $> != 0;
my $uid = getpwnam('nobody') // plan skip_all => 'there is no user nobody';

# The user need not be able to enter the folder of the build.
my $dir = CoHost::directory();
chmod 0755, "$dir";
is copy_programs($dir)->{status}, 0, 'the programs are where the user can run them';
$ENV{TOP_BUILDDIR} = "$dir";
chown $uid, -1, "$dir", "$dir/.co", "$dir/home";
my $host = CoHost->start(dir => "$dir", workers => 2,
	args => ['--user', 'nobody']);

my %children = $host->children;
is scalar(keys %children), 3, 'two workers and a keeper are running';
for my $pid (sort { $a <=> $b } keys %children) {
	my @ids = read_file("/proc/$pid/status") =~
	    /^Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)/m;
	is_deeply \@ids, [($uid) x 4], "$children{$pid} is nobody";
	my ($groups) = read_file("/proc/$pid/status") =~ /^Groups:[ \t]*(.*)$/m;
	unlike $groups, qr/\b0\b/, "$children{$pid} is not in root's group";
}
# The kernel gives what /proc tells of a process to root when others of its user may not
# read its memory.
is +(stat "/proc/$_/environ")[4], 0, 'the memory of the master and of each child is its own'
    for $host->pid, sort { $a <=> $b } keys %children;
is $host->input('echo small')->{json}{result}, 'small', 'a server with --user takes inputs';
my $victim = $host->kill_worker;
ok wait_for(5, sub { my @w = $host->workers; @w == 2 && !grep { $_ == $victim } @w }),
    'a dead worker is replaced';
$host->stop;

# His keys.env is read, not that of root; what he may not read is not.
sub banner {
	my (%o) = @_;
	my $h = CoHost->start(dir => "$dir", workers => 1, args => ['--user', 'nobody'], %o);
	ok wait_for(5, sub { $h->words =~ /Waiting for tasks/ }), 'a server with --user starts';
	$h->stop;
	return read_file($h->{out});
}
my $roots = File::Temp->newdir(TMPDIR => 1);
mkdir "$roots/.co";
write_file("$roots/.co/keys.env", "SECRET=1\n");
write_file("$dir/.env", "PUBLIC=1\n");
unlike banner(env => { HOME => "$roots" }), qr/\Q$roots\E/,
    'with --user, the keys.env of root is not read';
like read_file("$dir/out"), qr/Loaded environment: .*\.env/,
    'with --user, a readable .env of the project is loaded';
chmod 0600, "$dir/.env";
unlink "$dir/out";
unlike banner(), qr/Loaded environment/,
    'with --user, an .env readable by root alone is not loaded';

# A service manager that listens to root only.
my $manager = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "$roots/notify") or die $!;
chmod 0600, "$roots/notify";
banner(env => { NOTIFY_SOCKET => "$roots/notify" });
$manager->blocking(0);
my @told;
while (defined $manager->recv(my $text, 4096)) { push @told, $text }
like "@told", qr/READY=1.*STOPPING=1/s,
    'with --user, the service manager is told of ready and stopping';

my $again = CoHost->start(dir => "$dir", workers => 1,
	args => ['--user', 'nobody']);
is $again->http(GET => '/health')->{status}, 200, 'a server with --user starts a second time';
$again->stop;
done_testing;
