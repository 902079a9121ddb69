#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A frozen worker of a dead server neither keeps the next one out for ever nor writes
# into its turns when it wakes up. (t/stopper.c stops it at the worst moment.)
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program read_file wait_for write_file);
use Test::More;

my $stops = File::Temp->newdir;
my %PRELOAD = (LD_PRELOAD => program('t/stopper.so'), STOPPER => "$stops",
	ASAN_OPTIONS => join ':', 'verify_asan_link_order=0', $ENV{ASAN_OPTIONS} // ());

sub is_gone { return !kill(0 => $_[0]) || read_file("/proc/$_[0]/stat") =~ /\) Z / }

# A server whose only worker stopped at a place while it served, and whose master died.
sub freeze {
	my ($place) = @_;
	my $host = CoHost->start(workers => 1, env => \%PRELOAD);
	my $ws = $host->ws(session => { session_id => 's' });
	$ws->send_json({ type => 'INPUT', prompt => 'stream 60 50', input_id => 'one' });
	$ws->next(type => 'tool_result') or die 'no turn runs';
	write_file("$stops/ice", '');
	write_file("$stops/worker.$place", '');
	my $pid = wait_for(10, sub { read_file("$stops/worker.$place.stopped") =~ /^(\d+)\n/ && $1 })
	    or die "nobody stopped at $place";
	unlink "$stops/worker.$place.stopped";
	my %children = $host->children;
	$host->signal('KILL');
	$host->wait_exit;
	wait_for(10, sub { !grep { $_ != $pid && !is_gone($_) } keys %children })
	    or die 'the others do not leave';
	return ($host, $ws, $pid);
}

# The turn went on without a hole, and without anything twice.
sub is_whole {
	my ($host, $title) = @_;
	my $r = wait_for(20, sub {
		my $r = $host->http(GET => '/sessions/s');
		return ($r->{json}{status} // '') eq 'done' && $r;
	});
	is $r->{json}{result}, 'Streamed 60 steps.', "$title: the turn has its result";
	my $c = $host->client;
	$c->send(GET => '/sessions/s/events?from=0');
	$c->head;
	my (@seen, %n);
	while (my $e = $c->event) { push @seen, $e->{id} =~ /-(\d+)$/; $n{ $e->{type} }++ }
	is_deeply \@seen, [1 .. @seen], "$title: its events are in order, each once";
	is $n{input}, 1, "$title: one input";
	is $n{tool_result}, 60, "$title: every step once";
	is $n{done}, 1, "$title: one end";
}

for my $place (qw(ahead writer registry)) {
	my ($host, $ws, $pid) = freeze($place);
	my $next = CoHost->start(dir => $host->dir, workers => 1);
	ok is_gone($pid), "$place: the next server ends what is frozen";
	like $next->words, qr/worker $pid of a dead server did not exit: killed/,
	    "$place: and says so";
	ok defined $ws->wait_close(5), "$place: who was attached to it is cut";
	is_whole($next, $place);
	$next->stop;
}

# Without the lock (removed, or on a file system that has none) the store itself
# keeps it out.
my ($host, $ws, $pid) = freeze('ahead');
unlink $host->dir . '/.co/store/lock' or die "lock: $!";
my $next = CoHost->start(dir => $host->dir, workers => 1);
ok !is_gone($pid), 'a frozen worker is not noticed without the lock file';
is $next->input('echo new')->{json}{result}, 'new',
    'the next server takes inputs beside the frozen worker';
unlink "$stops/ice" or die "ice: $!";
ok wait_for(10, sub { is_gone($pid) }), 'a frozen worker ends when it wakes up';
like $host->words, qr/store: another server has claimed \S+;/,
    'a frozen worker that wakes up says why it ends';
ok defined $ws->wait_close(5), 'a client of the frozen worker is cut';
is_whole($next, 'after the frozen worker woke up');

# While the first one lives.
my $second = CoHost->start(dir => $next->dir, workers => 1, fails => 1);
ok !$second->read_ready(10), 'a server that lives keeps others out';
my $master = $next->pid;
like $next->words, qr/another co-hostd serves \S+ already: master $master, /,
    'a second server names the processes of the first';
my $lock = read_file($next->dir . '/.co/store/lock');
like $lock, qr/^master\s+$master\s+\d+\n/, 'the lock file names the processes of the server';
$next->stop;
done_testing;
