#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A disk without a byte left, in facts as in events: a turn that runs comes to its end, told
# and stored, for the server gives up a file that it keeps for that. Nothing but ends gets
# this room, and with room again the file is there again. The disk is a small one of its
# own, in memory.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Fault;
use File::Temp;
use JSON::PP ();
use POSIX qw(EIO);
use Test::More;

if (!$ENV{HAS_OWN_MOUNTS}) {
	my @unshare = ('unshare', $> ? '-rm' : '-m');
	plan skip_all => 'no mounts of our own here'
	    if system "@unshare mount -t tmpfs -o size=1m none /mnt 2>/dev/null";
	$ENV{HAS_OWN_MOUNTS} = 1;
	exec @unshare, $^X, $0;
}

my @mounted;
END { system 'umount', '-l', $_ for @mounted }

sub small_disk {
	my ($size) = @_;
	my $dir = File::Temp::tempdir(TMPDIR => 1, CLEANUP => 1);
	system('mount', '-t', 'tmpfs', '-o', "size=$size", 'none', $dir) == 0
	    or die "mount: $?";
	push @mounted, $dir;
	return $dir;
}

sub fill {
	my ($name) = @_;
	open my $fill, '>>:raw', $name or die "$name: $!";
	for my $size (65536, 4096) {
		1 while syswrite $fill, "\0" x $size;
	}
	return;
}

for my $workers (1, 4) {
	my $dir = small_disk('24m');
	my $host = CoHost->start(dir => $dir, workers => $workers,
		args => ['-o', 'drain_timeout=3']);
	my $reserve = "$dir/.co/store/reserve";
	my $w = "-w $workers:";
	is -s $reserve, 4 * 1024 * 1024, "$w there is a reserve of 4 MiB";
	is((stat $reserve)[2] & 0777, 0600, "$w for nobody else to read");

	my $ws = $host->ws(session => { session_id => 'runs' });
	$ws->send_json({ type => 'INPUT', prompt => 'sleep 3000' });
	$ws->next(type => 'user_input');
	fill("$dir/fill");
	# What is left in the files of the store goes too.
	my $n = 0;
	$n++ while $n < 100 && $host->input('echo ' . 'x' x 30000)->{status} == 200;
	for (1 .. 20) {
		fill("$dir/fill");
		$host->input('echo ' . 'x' x 3000);
	}
	is $host->input('echo ' . 'x' x 30000)->{status}, 503, "$w on a full disk inputs are refused";
	my $end = $ws->next(type => ['OUTPUT', 'ERROR'], timeout => 20);
	is $end->{type}, 'OUTPUT', "$w the turn that runs ends, and its client hears it";
	ok wait_for(5, sub { $host->http(GET => '/sessions/runs')->{json}{status} eq 'done' }),
	    "$w GET says done";
	ok !-e $reserve, "$w the reserve was given up for it";
	is $host->input('echo 1')->{status}, 503, "$w the smallest input does not get its room";
	is $host->http(GET => '/readyz?verbose')->{json}{checks}{disk}, 'failed',
	    "$w /readyz says that it is the disk";
	cmp_ok scalar(() = $host->words =~ /error .*No space/g), '<', 200, "$w the log is not flooded";

	unlink "$dir/fill";
	ok wait_for(5, sub { $host->http(GET => '/readyz')->{status} == 200 }),
	    "$w with room again it is ready";
	is -s $reserve, 4 * 1024 * 1024, "$w the reserve is there again";
	is $host->input('echo after')->{json}{result}, 'after', "$w and inputs run";

	# The server leaves while the disk is full.
	$ws = $host->ws(session => { session_id => 'leaves' });
	$ws->send_json({ type => 'INPUT', prompt => 'sleep 60000' });
	$ws->next(type => 'user_input');
	fill("$dir/fill");
	for (1 .. 20) {
		$host->input('echo ' . 'x' x 3000);
		fill("$dir/fill");
	}
	$host->signal('TERM');
	is $host->wait_exit, 0, "$w on a full disk TERM ends the server";
}

# When some of the pages of a commit had room, LMDB says EIO instead of ENOSPC. The disk
# keeps 512 KiB, so that nothing says ENOSPC.
my $cut = small_disk('24m');
my $fault = Fault->new($cut);
my $torn = CoHost->start(dir => $cut, workers => 4, env => { $fault->env });
my $client = $torn->ws(session => { session_id => 'torn' });
$client->send_json({ type => 'INPUT', prompt => 'sleep 2000' });
$client->next(type => 'user_input');
fill("$cut/fill");
my $filled = -s "$cut/fill";
truncate "$cut/fill", $filled - 512 * 1024 or die "truncate: $!";
$fault->fail('.mdb', data => EIO);
ok wait_for(20, sub { !-e "$cut/.co/store/reserve" }),
    'a partly written end: the reserve is given up';
my $refused = $torn->input('echo next', session => { session_id => 'torn' });
is $refused->{status}, 503, 'a partly written end: the next input of its session is refused';
is $refused->{json}{data}{retryable}, JSON::PP::true,
    'a partly written end: the refused input may be tried again';
$fault->heal;
is $client->next(type => ['OUTPUT', 'ERROR'], timeout => 20)->{type}, 'OUTPUT',
    'a partly written end: the turn ends with the room of the reserve';
unlink "$cut/fill";
ok wait_for(20, sub {
	($torn->input('echo next', session => { session_id => 'torn' })->{json}{result} // '') eq 'next';
}), 'a partly written end: the session goes on when there is room';
is $torn->http(GET => '/readyz')->{status}, 200, 'a partly written end: the server is ready when there is room';
$torn->stop;

my $dir = small_disk('3m');
my $host = CoHost->start(dir => $dir, workers => 1);
like $host->words, qr{no room for \S+/store/reserve},
    'a disk too small for the reserve is reported';
is $host->input('echo small')->{json}{result}, 'small',
    'a disk too small for the reserve is served';
$host->stop;
done_testing;
