#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The commands that look inside a server, whatever state its processes are in.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program read_file run wait_for write_file);
use JSON::PP ();
use Test::More;

my $host = CoHost->start(workers => 2, yaml => "name: clerk\ntrust: open\n",
	args => ['-o', 'drain_timeout=1']);
my $dir = $host->dir;
my $json = JSON::PP->new->utf8;

# Runs a command for a folder: {status, out, json}.
sub command {
	my ($words, $where) = @_;
	my $r = run([program('co-hostd'), @$words, '-d', $where // $dir], timeout => 15,
		env => { HOME => "$dir/home" });
	$r->{json} = eval { $json->decode($r->{out}) };
	return $r;
}

# ---- a server that runs well ----

my $id = $host->input('echo stored')->{json}{session_id};
my $r;
wait_for(5, sub { ($r = command(['status']))->{status} == 0 });
is $r->{status}, 0, 'the status of a server that runs well is 0' or diag $r->{out};
like $r->{out}, qr/runs well: master @{[$host->pid]}/, 'status names the master';
like $r->{out}, qr/^ *\d+ worker +$_ serving +ok/m, 'status has each worker'
    for $host->workers;
like $r->{out}, qr/^1 sessions are stored, 0 of them run/m, 'status counts the stored sessions';
my $s = command(['status', '--json'])->{json};
is $s->{server}{state}, 'ok', 'status --json tells the state';
is scalar(grep { $_->{kind} eq 'worker' } @{ $s->{processes} }), 2,
    'status --json has all workers';
is $s->{totals}{inputs_accepted_total}, 1, 'status --json has the counters';

$r = command(['sessions']);
is $r->{status}, 0, 'the command sessions succeeds';
like $r->{out}, qr/^$id +- +done +1 /m, 'sessions lists what is stored';
is command(['sessions', '--json'])->{json}{id}, $id, 'sessions --json has an object for each';
$r = command(['show', $id]);
is $r->{status}, 0, 'the command show succeeds';
like $r->{out}, qr/turn 1 +user_input/, 'show lists the latest events';
unlike $r->{out}, qr/stored/, 'show does not print what was said';
is command(['show', $id, '--json'])->{json}{latest_events}[0]{type}, 'input',
    'show --json has the latest events';
is command(['show', 'nobody'])->{status}, 1, 'show of a session that is not stored fails';
is command(['show'])->{status}, 2, 'show without an id is a usage error';
is command(['status', 'x'])->{status}, 2, 'a stray argument is a usage error';

# ---- settings ----

$r = command(['conf']);
is $r->{status}, 0, 'the command conf succeeds';
like $r->{out}, qr{^name: "clerk"  # \S+/host\.yaml line 1$}m, 'conf tells the line of a setting';
like $r->{out}, qr/^max_runs: 10000  # default$/m, 'conf tells what is a default';
is command(['conf', '--diff'])->{status}, 0, 'nothing differs from what runs';
write_file("$dir/.co/host.yaml", "name: clerk\ntrust: open\nmax_runs: 7\n");
$r = command(['conf', '--diff']);
is $r->{status}, 1, 'a changed file differs from what runs';
like $r->{out}, qr/^-max_runs: 10000\n\+max_runs: 7  # \S+ line 3$/m, 'conf --diff shows both values';
unlike $r->{out}, qr/drain_timeout/, 'conf --diff leaves out what an option of the server sets';
$host->signal('HUP');
ok wait_for(10, sub { command(['conf', '--diff'])->{status} == 0 }),
    'nothing differs after a reload';
is command(['conf', '-o', 'max_runs=x'])->{status}, 4, 'conf fails if a setting is not allowed';
is command(['--json'])->{status}, 2, 'an option of commands is no option of the server';
# Until those of before the reload have left.
ok wait_for(10, sub { @{[$host->workers]} == 2 && command(['status'])->{status} == 0 }),
    'a server that was reloaded runs well';

# ---- processes that are stopped ----

my @workers = $host->workers;
kill STOP => @workers;
ok wait_for(5, sub { ($r = command(['status']))->{status} == 1 }),
    'a server whose workers are all stopped is degraded';
like $r->{out}, qr/worker in slot \d+ \(pid $_\) is stopped/, 'status names a stopped worker'
    for @workers;
like $r->{out}, qr/0 of 2 workers serve/, 'status counts the workers that serve';
is command(['sessions'])->{status}, 0, 'sessions needs no worker';
$host->signal('STOP');
$r = command(['status']);
is $r->{status}, 1, 'status answers while the master is stopped';
like $r->{out}, qr/the master \(pid \d+\) is stopped/, 'status tells that the master is stopped';
$host->signal('CONT');
kill CONT => @workers;
ok wait_for(10, sub { command(['status'])->{status} == 0 }),
    'a server whose processes go on runs well';

# ---- a window that is damaged ----

my $window = readlink "$dir/.co/store/window";
ok -f $window, 'the window is a file';
is sprintf('%o', (stat $window)[2] & 07777), '600', 'only its user can read the window';
my $whole = read_file($window);

# Writes bytes over a part of the window.
sub overwrite {
	my ($at, $bytes) = @_;
	open my $f, '+<:raw', $window or die "$window: $!\n";
	seek $f, $at, 0;
	print $f $bytes;
	close $f;
}

# A slot has an odd number while a process lives in it; in this copy no field is true.
my $noisy = CoHost::directory();
my ($copy) = "/dev/shm/co-hostd.test$$";
mkdir "$noisy/.co/store";
symlink $copy, "$noisy/.co/store/window";
write_file("$noisy/.co/store/lock", '');
open my $lock, '<', "$noisy/.co/store/lock" or die;
flock $lock, 2 or die;
write_file($copy, substr($whole, 0, 256) . "\xa5" x (length($whole) - 256));
$r = command(['status'], $noisy);
is $r->{status}, 1, 'a window full of noise is told as degraded';
write_file($copy, "\0" x length $whole);
$r = command(['status'], $noisy);
is $r->{status}, 4, 'a window that is not ours leaves the state unknown';
like $r->{out}, qr/is damaged/, 'status says that the window is damaged';
write_file($copy, substr $whole, 0, 5000);
is command(['status', '--json'], $noisy)->{json}{server}{state}, 'unknown',
    'a window that was cut leaves the state unknown';
unlink $copy;
is command(['status'], $noisy)->{status}, 4, 'a window that is gone leaves the state unknown';
close $lock;
is command(['status'], $noisy)->{status}, 3, 'a folder that no server holds has none that runs';
overwrite(length($whole) - 4096, 'x' x 4096);
is $host->http(GET => '/health')->{status}, 200, 'a server goes on with a damaged window';

# ---- a master that was killed ----

$host->signal('KILL');
ok wait_for(10, sub { command(['status'])->{status} == 3 }),
    'a server whose master was killed ends, and does not run any more';
is command(['status', '--json'])->{json}{server}{state}, 'not running',
    'status --json tells that no server runs';
is command(['sessions'])->{status}, 0, 'sessions needs no server';

my $again = CoHost->start(dir => $dir, workers => 1);
ok !-e $window, 'the next server removes the window of the one before';
my $own = readlink "$dir/.co/store/window";
ok wait_for(5, sub { command(['status'])->{status} == 0 }), 'the next server runs well';
$again->stop;
ok !-e $own && !-l "$dir/.co/store/window", 'a server that stops leaves no window behind';
is command(['status'])->{status}, 3, 'a server that was stopped does not run';
is command(['conf', '--diff'])->{status}, 3, 'conf --diff says that no server runs';
done_testing;
