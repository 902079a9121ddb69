#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# agent_persistent: a process of an exec: agent runs many turns at the same time, with one
# worker as with four.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file);
use FramesAgent qw(ask ending is_gone told);
use Test::More;

for my $w (1, 4) {
	my $host = FramesAgent->start($w);
	ok wait_for(10, sub { $host->marks('start') == $w }),
	    "$w: each worker starts one process before the first turn";
	my @turns = map { ask($host->ws(session => {}), { type => 'begun' },
		['until', $host->place . '/go'], { type => 'x', turn => $_ }) } 1 .. 40;
	$_->next(type => 'begun') for @turns;
	ok scalar(@turns), "$w: 40 turns run at the same time";
	write_file($host->place . '/go', '');
	my @all = map { [$_->all_until('OUTPUT')] } @turns;
	is_deeply [map { map { $_->{turn} // () } grep { $_->{type} eq 'x' } @$_ } @all],
	    [1 .. 40], "$w: each turn has its own events";
	is_deeply [grep { $_->[-1]{result} ne 'done' } @all], [], "$w: each turn has its result";
	is scalar($host->marks('start')), $w, "$w: they needed no further process";

	my $ws = $host->ws(session => {});
	like +($ws->turn('one'))[-1]{result}, qr/^one /, "$w: a session has a turn";
	my $next = ($ws->turn('two'))[-1];
	is scalar(@{ $next->{session}{messages} }), 4,
	    "$w: a session keeps its conversation from turn to turn";

	ask($ws, 'listen', { type => 'x' }, 'listen');
	my $heard = sub { $ws->next(type => 'heard')->{line} };
	$ws->send_json({ type => 'INPUT', prompt => 'more' });
	is $heard->()->{prompt}, 'more', "$w: a prompt reaches the running turn";
	$ws->next(type => 'x');
	$ws->send_json({ type => 'INTERRUPT' });
	is ending($ws), 'stopped', "$w: an interrupted turn ends by itself";

	ask($ws, ['write', 100, 10000]);
	is scalar(grep { $_->{type} eq 'x' } $ws->all_until('OUTPUT')), 100,
	    "$w: a turn that counts its credit loses no event";
	ask($ws, ['flood', 100, 10000]);
	is scalar(grep { $_->{type} eq 'x' } $ws->all_until('OUTPUT')), 100,
	    "$w: a turn that does not count its credit loses no event";
	is ending(ask($ws, { type => 'ERROR', message => 'no' })), 'failed',
	    "$w: a turn can fail";
	is scalar($host->marks('start')), $w, "$w: none of this costs a process";

	for my $case (['exit', 'exited'], ['kill', 'killed'], ['lost', 'exited'],
		[['raw', "hello\n"], 'garbage'], [['raw', "999999 {}\n"], 'garbage']) {
		my ($step, $reason) = @$case;
		my $words = told($step);
		my $n = $host->marks('start');
		is ending(ask($ws, $step, ['until', '/nonexistent'])), $reason,
		    "$w: a turn alone that does $words ends as $reason";
		ok wait_for(10, sub { $host->marks('start') == $n + 1 }),
		    "$w: the process that $words ended is replaced";
		like +($ws->turn('hi'))[-1]{result}, qr/^hi /, "$w: turns run after $words";
	}
	my @pids = $host->marks('start');
	$host->stop;
	ok !grep({ !is_gone($_) } @pids), "$w: no process is left after a stop";
}
done_testing;
