#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# session_results.jsonl through kills, restarts, torn lines and a Python host beside us.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for read_file write_file);
use Fcntl qw(:flock);
use JSON::PP qw(decode_json);
use Test::More;

my $dir = CoHost::directory();
my $host = CoHost->start(dir => $dir, workers => 2);
my $file = "$dir/.co/session_results.jsonl";

# id => status of its last line
sub latest {
	my %last;
	for (split /\n/, read_file($file)) {
		my $record = eval { decode_json($_) } or next;
		$last{ $record->{session_id} } = $record->{status};
	}
	return \%last;
}

sub becomes {
	my ($id, $status) = @_;
	return wait_for(15, sub { (latest()->{$id} // '') eq $status });
}

# Everything is killed while a turn runs.
$host->input('echo kept', session => { session_id => 'kept' });
my $agent = $host->ws(session => { session_id => 'cut' });
$agent->send_json({ type => 'INPUT', prompt => 'sleep 600000' });
$agent->next(type => 'user_input');
ok becomes('cut', 'running'), 'a running turn has a line in the results';
ok becomes('kept', 'done'), 'an ended turn has a line in the results';
my %children = $host->children;
kill KILL => $host->pid, keys %children;
$host->wait_exit;

# What a power cut may leave: a torn line, and lines that are not there at all.
my $text = read_file($file);
$text =~ s/^.*"session_id":"kept".*\n//mg;
write_file($file, $text . '{"session_id":"torn","status":"do');
$host = CoHost->start(dir => $dir, workers => 2);
ok becomes('kept', 'done'), 'a lost line is written again at the next start';
unlike read_file($file), qr/"torn"/, 'a torn line is removed at the next start';
my @bad = grep { !eval { decode_json($_) } } split /\n/, read_file($file);
is_deeply \@bad, [], 'all lines are whole after the next start';
# The demo agent has no effects, so its turn goes on.
is $host->http(GET => '/sessions/cut')->{json}{status}, 'running',
    'a turn without effects runs again at the next start';
$host->stop('QUIT');

# A keeper that is killed loses nothing.
$host = CoHost->start(dir => $dir, workers => 2);
for my $round (1 .. 2) {
	$host->input("echo $round", session => { session_id => "k$round-$_" }) for 1 .. 10;
	kill KILL => $host->keepers;
	ok wait_for(10, sub { $host->keepers == 1 }), 'the keeper is replaced';
}
ok wait_for(20, sub {
	my $last = latest();
	!grep { ($last->{$_} // '') ne 'done' } map { my $r = $_; map { "k$r-$_" } 1 .. 10 } 1 .. 2;
}), 'every result is in the file';

# Another program holds the lock, writes and compacts.
open my $lock, '>>', "$file.lock" or die "$file.lock: $!";
flock $lock, LOCK_EX or die "flock: $!";
$host->input('echo late', session => { session_id => 'late' });
open my $out, '>>', $file or die "$file: $!";
print $out '{"session_id":"other","status":"done","prompt":"p","result":"r","created":1,' .
    "\"expires\":99999999999}\n";
close $out;
is latest()->{late}, undef, 'no line is written while another program has the lock';
close $lock;
ok becomes('late', 'done'), 'all lines are written once the lock is free';
is latest()->{other}, 'done', 'a line written by another program stays';
$host->stop('QUIT');

$host = CoHost->start(dir => $dir, workers => 1, args => ['-o', 'result_ttl=1']);
ok wait_for(10, sub { read_file($file) !~ /"status":"running","prompt":"echo/ }),
    'a start drops lines that later ones supersede';
ok becomes('other', 'done'), 'a start drops no session';
$host->input('echo short', session => { session_id => 'short' });
ok becomes('short', 'done'), 'a result with a short time to live is written';
ok wait_for(10, sub { $host->http(GET => '/sessions/short')->{status} == 404 }),
    'a result with a short time to live expires';
$host->stop('QUIT');
$host = CoHost->start(dir => $dir, workers => 1);
ok wait_for(10, sub { !latest()->{short} }), 'the line of an expired result is dropped';
$host->stop('QUIT');

$host = CoHost->start(workers => 1, args => ['-o', 'session_results=false']);
$host->input('echo x');
$host->stop;
ok !-e $host->dir . '/.co/session_results.jsonl', 'the results can be turned off';
done_testing;
