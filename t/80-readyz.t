#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# /readyz is 503 whenever an input would be refused or wait for somebody who does not
# move, and names the check that fails. It never waits itself.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program read_file wait_for write_file);
use Test::More;

# The checks that fail; each worker is asked.
sub failing {
	my ($host) = @_;
	my %failed;
	for (1 .. 6) {
		my $r = $host->http(GET => '/readyz?verbose');
		my %checks = %{ $r->{json}{checks} };
		my @bad = grep { $checks{$_} ne 'ok' } keys %checks;
		die "status $r->{status}, yet: @bad"
		    if ($r->{status} == 200) != !@bad;
		$failed{$_} = 1 for @bad;
	}
	return join ' ', sort keys %failed;
}

sub becomes {
	my ($host, $want, $title, $within) = @_;
	my $is;
	my @seen;
	wait_for($within // 5, sub { push @seen, $is = failing($host); $is eq $want });
	return is($is, $want, $title) || diag "seen: @{[ map { qq('$_') } @seen ]}";
}

# ---- room ----

my $host = CoHost->start(workers => 2, args => ['-o', 'max_sessions=16']);
becomes($host, '', 'an idle server is ready');
my @ws = map { $host->ws(session => { session_id => "s$_" }) } 1 .. 16;
becomes($host, 'registry', 'a server without room for another session is not ready');
$ws[0]->close;
becomes($host, '', 'a session that is closed makes the server ready');
$host->stop;

$host = CoHost->start(workers => 1, args => ['-o', 'max_runs=1']);
my $ws = $host->ws(session => { session_id => 'one' });
$ws->send_json({ type => 'INPUT', prompt => 'ask Well?' });
$ws->next(type => 'ask_user');
becomes($host, 'turns', 'a server without room for another turn is not ready');
$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => 'yes' });
$ws->next(type => 'OUTPUT');
becomes($host, '', 'a turn that ends makes the server ready');
$host->stop;

# ---- who does not move ----

my $stops = File::Temp->newdir;
for my $case (['worker.writer', 'journal'], ['worker.registry', 'registry']) {
	my ($what, $check) = @$case;
	$host = CoHost->start(workers => 2, args => ['-o', 'hang_timeout=20'],
		env => { LD_PRELOAD => program('t/stopper.so'), STOPPER => "$stops",
			ASAN_OPTIONS => join ':', 'verify_asan_link_order=0',
			$ENV{ASAN_OPTIONS} // () });
	write_file("$stops/$what", '');
	my $c = $host->client;
	$c->send(POST => '/input', {}, { prompt => 'echo stopped' });
	ok wait_for(10, sub { -s "$stops/$what.stopped" }), "$what: a worker is stopped inside";
	# Others may wait for what it holds, and fail their checks as well.
	my @seen;
	ok wait_for(15, sub { push @seen, failing($host); $seen[-1] =~ /\b$check\b/ }),
	    "$what: the server is not ready because of the $check check"
	    or diag "seen: @{[ map { qq('$_') } @seen ]}\n", $host->words;
	failing($host);
	ok kill(0, read_file("$stops/$what.stopped")),
	    "$what: which is told while that worker has its lock";
	becomes($host, '', "$what: the server is ready when the worker has been killed", 40);
	$host->stop;
}

# ---- an agent that is loaded for long ----

SKIP: {
	require PyAgent;
	my $python = PyAgent::python();
	my $r = $python && CoHost::run([$python, '-c', 'import connectonion']);
	skip 'no connectonion package', 4 if !$r || $r->{status};
	my $dir = File::Temp->newdir(TMPDIR => 1);
	write_file("$dir/agent.py", <<"END");
import os, sys, time
sys.path.append("${\ CoHost::source('t/agents')}")
from connectonion import Agent, host
from scripted import Scripted
while os.path.exists("$dir/slow"):
    time.sleep(.01)
host(lambda: Agent("slow", llm=Scripted()))
END
	$host = PyAgent->start("$dir/agent.py", workers => 2);
	becomes($host, '', 'a server whose agent is loaded is ready', 20);
	write_file("$dir/slow", '');
	$host->kill_worker($_) for $host->workers;
	wait_for(10, sub { $host->workers == 2 && eval { $host->http(GET => '/health') } });
	becomes($host, 'agent', 'a server that loads its agent again is not ready');
	is $host->http(GET => '/readyz?verbose')->{json}{checks}{agent}, 'loading',
	    '/readyz says that the agent is loading, not that it failed';
	unlink "$dir/slow";
	becomes($host, '', 'a server that has loaded its agent again is ready', 20);
	$host->stop;
}
done_testing;
