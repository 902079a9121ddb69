#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A process that hangs, even with a lock that all others wait for, is killed after
# hang_timeout, and nothing that was accepted is lost. (t/stopper.c stops it there.)
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program read_file wait_for write_file);
use Test::More;
use Time::HiRes qw(time);

my $stops = File::Temp->newdir;
my $TIMEOUT = 3;

sub start {
	my (%o) = @_;
	return CoHost->start(%o,
		args => ['-o', 'hang_timeout=' . ($o{timeout} // $TIMEOUT), @{ $o{args} || [] }],
		env => { LD_PRELOAD => program('t/stopper.so'), STOPPER => "$stops",
			ASAN_OPTIONS => join ':', 'verify_asan_link_order=0',
			$ENV{ASAN_OPTIONS} // () });
}

sub client {
	my ($host, $prompt) = @_;
	my $c = $host->client;
	$c->send(POST => '/input', {}, { prompt => $prompt });
	return $c;
}

# Let a process of this kind stop with this lock in its hands; its pid.
sub stop_in {
	my ($host, $what) = @_;
	my $next = 0;
	unlink "$stops/$what.stopped";
	write_file("$stops/$what", '');
	my @waiting;
	my $pid = wait_for(10, sub {
		# Somebody must come by, for it to be locked.
		push @waiting, client($host, 'echo ' . @waiting)
		    if @waiting < 20 && time > $next;
		$next = time + 0.1 if time > $next;
		return read_file("$stops/$what.stopped") =~ /^(\d+)\n/ && $1;
	});
	return ($pid, @waiting);
}

# Nobody's loop waits for the registry: what needs it is refused, the rest goes on.
sub is_refused_soon {
	my ($host, $title, $pid) = @_;
	my $r = $host->input('echo now');
	is $r->{status}, 503, "$title: an input is refused";
	like $r->{json}{error}, qr/does not move/, "$title: with the reason";
	is $r->{json}{data}{retryable}, JSON::PP::true, "$title: the refusal is retryable";
	is $host->http(GET => '/health')->{status}, 200, "$title: requests are answered";
	ok kill(0, $pid), "$title: while that process has the lock";
}

sub is_gone { return !kill 0 => $_[0] }

for my $case (['worker.writer', 4], ['worker.registry', 4], ['keeper.writer', 2],
	['worker.writer', 1], ['keeper.registry', 1]) {
	my ($what, $workers) = @$case;
	my $title = "$what, -w $workers";
	my $is_refused = $what =~ /registry/ && $workers > 1;
	my $timeout = $is_refused ? 5 * $TIMEOUT : $TIMEOUT;
	my $host = start(workers => $workers, timeout => $timeout);
	my $ws = $host->ws(session => { session_id => 'before' });
	$ws->send_json({ type => 'INPUT', prompt => 'sleep 1', input_id => 'before' });
	is $ws->next(type => 'OUTPUT')->{result}, 'Slept 1 ms.',
	    "$title: the server takes inputs";

	my ($pid, @clients) = stop_in($host, $what);
	ok $pid, "$title: a process is stopped inside";
	is_refused_soon($host, $title, $pid) if $is_refused;
	ok wait_for(2 * $timeout + 4, sub { is_gone($pid) }),
	    "$title: the hung process is killed";
	ok wait_for(10, sub {
		my $r = eval { $host->input('echo again') };
		return $r && ($r->{json}{result} // '') eq 'again';
	}), "$title: the server serves again";
	like $host->words, qr/child=$pid: hung: the event loop made no progress for \d+ s; killed/,
	    "$title: the log names the hung process";
	cmp_ok $host->metric('cohostd_hung_total'), '>=', 1,
	    "$title: the hung process is counted";

	# Each accepted input has its end: told here, or found in the store.
	my $told = grep { my $r = eval { $_->reply(20) }; $r && $r->{status} == 200 } @clients;
	cmp_ok $told, '>=', $workers > 1 ? @clients - 1 : 0,
	    "$title: who waited has an answer, but for clients of the killed one";
	ok wait_for(10, sub { $host->metric('cohostd_runs') == 0 }), "$title: nothing is stuck";
	$host->stop;
}

my $host = start(workers => 2);
my ($victim) = $host->workers;
kill STOP => $victim;
ok wait_for(2 * $TIMEOUT + 4, sub { is_gone($victim) }), 'a stopped worker is killed';
($victim) = $host->keepers;
kill STOP => $victim;
ok wait_for(2 * $TIMEOUT + 4, sub { is_gone($victim) }), 'a stopped keeper is killed';
ok wait_for(10, sub { $host->keepers == 1 && $host->workers == 2 }),
    'a stopped worker and keeper are replaced';

# The master was stopped itself: it must not take that for the silence of others.
my %before = $host->children;
kill STOP => $host->pid;
my $until = time + 2 * $TIMEOUT;
wait_for(60, sub { time > $until });
is $host->input('echo alone')->{json}{result}, 'alone', 'workers serve under a stopped master';
cmp_ok $host->metric('cohostd_master_silent_seconds'), '>', $TIMEOUT,
    '/metrics tells how long the master is silent';
kill STOP => $_ for keys %before;
kill CONT => $host->pid;
$until = time + 1;
wait_for(60, sub { time > $until });
kill CONT => $_ for keys %before;
ok wait_for(10, sub { $host->metric('cohostd_master_silent_seconds') < 1 }),
    '/metrics tells that a stopped master goes on';
is_deeply { $host->children }, \%before, 'a master that was stopped kills none of its children';
$host->stop;
done_testing;
