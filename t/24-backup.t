#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# co-hostd backup: a copy taken while the server works, put back, has everything that was
# acknowledged before it was begun.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(lacks_here program read_file run wait_for write_file);
use JSON::PP qw(decode_json);
use POSIX qw(_exit);
use Test::More;

my $agent = <<'END';
read -r line
id=${line#*'"prompt":"'}
id=${id%%\"*}
case $id in wait*) while [ ! -e go ]; do sleep 0.05; done ;; esac
echo "{\"type\":\"OUTPUT\",\"result\":\"did $id\"}"
END

sub project {
	my (@more) = @_;
	my $dir = CoHost::directory(@more);
	write_file("$dir/agent.sh", $agent);
	return $dir;
}
sub start { my ($dir, @args) = @_; return CoHost->start(dir => $dir, workers => 4,
	args => ['-a', 'exec:sh agent.sh', @args]) }
sub backup { my ($dir, @args) = @_; return run([program('co-hostd'), 'backup', '-d', "$dir", @args]) }
sub record { my ($host, $id) = @_; return $host->http(GET => "/sessions/$id")->{json} }

# Inputs one after the other; the ids of those that were acknowledged go into a file.
sub busy_client {
	my ($host, $notes) = @_;
	my $pid = fork // die "fork: $!";
	return $pid if $pid;
	open my $out, '>', $notes or _exit(1);
	$out->autoflush;
	for my $n (1 .. 100_000) {
		my $r = eval { $host->input("busy-$n", session => { session_id => "busy-$n" }) } or last;
		print $out "busy-$n\n" if ($r->{json}{status} // '') eq 'done';
	}
	_exit(0);
}
sub noted { return split /\n/, read_file($_[0]) }

# ---- a server at work ----

my $dir = project();
my $host = start($dir);
is $host->input('first', session => { session_id => 'first' })->{json}{result}, 'did first',
    'there is a result before the backup';
my $ws = $host->ws(session => { session_id => 'held' });
$ws->send_json({ type => 'INPUT', prompt => 'wait', input_id => 'held-1' });
ok wait_for(10, sub { (record($host, 'held')->{status} // '') eq 'running' }),
    'a turn runs during the backup';
my $r = $host->input('look', session => { session_id => 'looked' },
	files => [{ name => 'a.txt', data => 'aGVsbG8K' }]);
is $r->{json}{status}, 'done', 'a file came before the backup';
write_file("$dir/.co/whitelist.txt", "0x" . 'ab' x 32 . "\n");
symlink '/etc/passwd', "$dir/.co/link" or die "link: $!";

my $address = $host->http(GET => '/info')->{json}{address};
my $notes = "$dir/notes";
my $client = busy_client($host, $notes);
ok wait_for(10, sub { -e $notes && noted($notes) > 5 }), 'a client sends inputs all the time';
my @before = noted($notes);
my $place = CoHost::directory();
my $copy = "$place/copy";
$r = backup($dir, $copy);
is $r->{status}, 0, 'a backup succeeds while the server works' or diag $r->{out};
like $r->{out}, qr/\Q$copy\E has the store/, 'a backup says what it made';
ok wait_for(10, sub { noted($notes) > @before + 5 }), 'the server goes on during and after the backup';
kill TERM => $client;
waitpid $client, 0;
is $host->http(GET => '/health')->{status}, 200, 'the server serves after the backup';

is +(stat $copy)[2] & 0777, 0700, 'the backup is for its owner alone';
is readlink "$copy/link", '/etc/passwd', 'a link is copied as a link';
ok !-e "$copy/logs" && !-e "$copy/store/journal.mdb", 'logs and events are not in the backup';
is read_file("$copy/keys/agent.key"), read_file("$dir/.co/keys/agent.key"), 'the key is in the backup';

# ---- what is refused ----

$r = backup($dir, $copy);
is $r->{status}, 1, 'a second backup into the same folder is refused';
like $r->{out}, qr/\Q$copy\E is not empty/, 'the refusal names the folder that is not empty';
$r = backup($dir, "$dir/.co/inside");
is $r->{status}, 1, 'a backup into the folder that it copies is refused';
like $r->{out}, qr/is inside/, 'the refusal says that the folder is inside';
ok !-e "$dir/.co/inside", 'a refused backup leaves no folder';
$r = backup($dir, "$dir/no/such");
is $r->{status}, 1, 'a backup into a folder that cannot be made is refused';
like $r->{out}, qr{cannot make \Q$dir\E/no/such: No such file}, 'the refusal says why';
is backup($dir)->{status}, 2, 'a backup without a folder is a wrong command line';
is backup($dir, 'a', 'b')->{status}, 2, 'a backup into two folders is a wrong command line';
my $fresh = CoHost::directory();
$r = backup($fresh, "$fresh/copy");
is $r->{status}, 1, 'where no server has run there is nothing to back up';
like $r->{out}, qr{store/journal\.mdb|store/facts\.mdb}, 'the refusal names the file that is not there';
$r = run(['sh', '-c', 'trap "" XFSZ; ulimit -f 16; exec "$@"', 'sh', program('co-hostd'), 'backup',
	'-d', "$dir", "$dir/limited"]);
is $r->{status}, 1, 'a backup that cannot be written fails';
like $r->{out}, qr/no backup: store: .*facts\.mdb: File too large/, 'the failure names file and reason';

# ---- stopped processes ----

my @stopped = ($host->workers, $host->keepers);
kill STOP => @stopped;
$r = backup($dir, "$dir/frozen");
kill CONT => @stopped;
is $r->{status}, 0, 'a backup succeeds while all workers are stopped' or diag $r->{out};

# ---- put back ----

write_file("$dir/go", '');
$host->stop;
my $restored = project();
run(['cp', '-a', "$copy/.", "$restored/.co"]);
$host = start($restored);
is record($host, 'first')->{result}, 'did first', 'a result is there after the restore';
my @lost = grep { (record($host, $_)->{result} // '') ne "did $_" } @before;
is "@lost", '', 'each result that was acknowledged before the backup is there';
is record($host, 'held')->{status}, 'interrupted', 'a turn that ran during the backup is interrupted';
my ($upload) = glob "$restored/.co/uploads/*/* $restored/.co/uploads/*";
ok $upload, 'the file that came with an input is there';
is $host->input('next', session => { session_id => 'first' })->{json}{result}, 'did next',
    'a session goes on after the restore';
is $host->http(GET => '/info')->{json}{address}, $address, 'the address is the same after the restore';
$host->stop;

# ---- durability: process ----

$dir = project(yaml => "durability: process\n");
$host = start($dir);
$host->input('kept', session => { session_id => 'kept' });
$copy = "$place/other";
is backup($dir, $copy)->{status}, 0, 'a backup succeeds when the journal has the facts';
$host->stop;
$restored = project(yaml => "durability: process\n");
run(['cp', '-a', "$copy/.", "$restored/.co"]);
$host = start($restored);
is record($host, 'kept')->{result}, 'did kept', 'what the journal had is there after the restore';
$host->stop;
done_testing;
