#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A worker that still loads its agent leaves clients to those that have loaded it: over a
# reload, and when one of them died. A reload with an agent that cannot be loaded changes
# nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file);
use FramesAgent qw(ending);
use Test::More;

sub pids {
	my ($host, $n) = @_;
	my %pids = map { $host->runner_pid => 1 } 1 .. $n;
	return sort { $a <=> $b } keys %pids;
}

# The result of an input that comes over a connection which is older than the reload: the
# old worker closes those that are idle when it begins to drain.
sub input_while_draining {
	my ($host) = @_;
	my ($idle, $fresh) = map { $host->client } 1, 2;
	$idle->send(GET => '/health');
	$idle->reply;
	$host->signal('HUP');
	return '' if !wait_for(20, sub { $idle->is_closed });
	$fresh->send(POST => '/input', {}, { prompt => '[]' });
	my $r = $fresh->reply or return ''; # the connection had its time
	return $r->{json}{result} // $r->{json}{error};
}

sub name { return $_[0]->http(GET => '/health')->{json}{agent} }

for my $w (1, 4) {
	my $host = FramesAgent->start($w, options => ['slow', 'fail'], yaml => "name: one\n");
	my ($slow, $fail) = map { $host->place . "/$_" } 'slow', 'fail';
	my $settings = CoHost::read_file($host->dir . '/.co/host.yaml');
	my $rename = sub {
		write_file($host->dir . '/.co/host.yaml', $settings =~ s/name: one/name: $_[0]/r);
		$host->signal('HUP');
	};
	write_file($slow, '');
	ok wait_for(20, sub { $host->http(GET => '/readyz')->{status} == 200 }),
	    "$w: the agent is loaded";
	my %old = map { $_ => 1 } $host->marks('start');

	unlink $slow;
	my $running = $host->begun;
	$rename->('two');
	ok wait_for(20, sub { $host->marks('start') == 2 * $w }),
	    "$w: after HUP, the next generation loads the agent";
	is_deeply [grep { !$old{$_} } pids($host, 20)], [],
	    "$w: turns that begin meanwhile run in the processes that are there";
	is $host->http(GET => '/readyz')->{status}, 200, "$w: /readyz is good meanwhile";
	is name($host), 'one', "$w: the old settings apply until the agent is loaded";
	write_file($slow, '');
	ok wait_for(20, sub { name($host) eq 'two' }),
	    "$w: the new settings apply when the agent is loaded";
	ok wait_for(20, sub { !grep { $old{$_} } pids($host, 20) }),
	    "$w: turns run in the new processes then";
	$running->send_json({ type => 'INTERRUPT' });
	is ending($running), 'stopped', "$w: a turn that began before ends in its process";

	my %now = map { $_ => 1 } $host->marks('start');
	write_file($fail, '');
	$rename->('three');
	ok $host->log_has(qr/reload: the agent cannot be loaded; still serving/),
	    "$w: the log tells of a reload with an agent that cannot be loaded";
	ok wait_for(20, sub { $host->workers == $w }),
	    "$w: the generation that cannot load its agent leaves";
	is name($host), 'two', "$w: the settings before such a reload stay";
	is_deeply [grep { !$now{$_} } pids($host, 20)], [],
	    "$w: the processes before such a reload serve on";
	unlink $fail;
	$rename->('four');
	ok wait_for(20, sub { name($host) eq 'four' }),
	    "$w: a later reload succeeds when the agent can be loaded again";

	if ($w == 1) {
		my $result;
		for (1 .. 5) {
			$result = input_while_draining($host) and last;
		}
		is $result, 'done', "$w: an input over a connection from before a reload is taken";
	} else {
		ok wait_for(20, sub { $host->workers == $w }), "$w: the old generation is gone";
		unlink $slow;
		my @started = $host->marks('start');
		$host->kill_worker(($host->workers)[0]);
		ok wait_for(20, sub { $host->marks('start') > @started }),
		    "$w: a worker in place of one that died loads the agent";
		is scalar(grep { $_ } map { $host->runner_pid } 1 .. 20), 20,
		    "$w: clients find the other workers meanwhile";
	}
	$host->stop;
}
done_testing;
