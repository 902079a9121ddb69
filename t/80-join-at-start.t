#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A prompt that comes while the input of its turn is still being committed is given to the
# agent of that turn, whichever worker it came to. (t/stopper.c stops the turn's worker when
# the input is in the facts and not yet in the journal.)
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program read_file source wait_for write_file);
use IO::Select;
use JSON::PP;
use Test::More;

my $JOINERS = 7;
my $stops = File::Temp->newdir;
for my $workers (4, 1) {
	my $title = "-w $workers";
	my $host = CoHost->start(workers => $workers,
		agent => 'exec:perl ' . source('t/agents/puppet.pl'),
		env => { LD_PRELOAD => program('t/stopper.so'), STOPPER => "$stops",
			ASAN_OPTIONS => join ':', 'verify_asan_link_order=0',
			$ENV{ASAN_OPTIONS} // () });
	my ($first, @joiners) = map { $host->ws(session => { session_id => 'early' }) } 0 .. $JOINERS;
	unlink "$stops/worker.between.stopped";
	write_file("$stops/worker.between", '');
	$first->send_json({ type => 'INPUT',
		prompt => JSON::PP->new->encode([('listen') x $JOINERS]) });
	my $pid = wait_for(20,
		sub { read_file("$stops/worker.between.stopped") =~ /^(\d+)\n/ && $1 });
	ok $pid, "$title: the turn's worker is stopped between the commits of its input";
	$_->send_json({ type => 'INPUT', prompt => 'join' }) for @joiners;
	# Time for an answer that would be too early; none is due.
	IO::Select->new(map { $_->socket } @joiners)->can_read(0.5);
	kill CONT => $pid;
	my %answers;
	$answers{ ($_->next(type => [qw(RUNTIME_INPUT_ACK OUTPUT ERROR)]) // {})->{type}
		// 'none' }++ for @joiners;
	is_deeply \%answers, { RUNTIME_INPUT_ACK => $JOINERS }, "$title: each prompt joins the turn";
	my $end = $first->next(type => ['OUTPUT', 'ERROR']) // {};
	is $end->{result}, 'done', "$title: the agent hears all of the inputs";
	$host->stop;
}
done_testing;
