#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What a Python file made when it was loaded, and a fork must not copy: connections, threads,
# processes, files, locks. Each turn gets its own answers, whatever the state.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Hazards;
use PyAgent;
use Test::More;

use constant { CLIENTS => 8, ROUNDS => 2 };

PyAgent->need('numpy');
my $hazards = Hazards->new;

my @all = qw(channel client database file guarded loop process worker);
my @harmless = qw(free number numpy);

# All clients ask at once, and each gets the answer to what it has asked.
sub are_answered {
	my ($host, $title, @things) = @_;
	my @ws = map { $host->ws(session => {}) } 1 .. CLIENTS;
	my (%numbers, $n);
	for my $thing (@things) {
		my @wrong;
		for my $round (1 .. ROUNDS) {
			$ws[$_]->send_json({ type => 'INPUT', prompt => "$thing $thing-$_-$round" })
			    for 0 .. $#ws;
			for (0 .. $#ws) {
				my $end = $ws[$_]->next(type => ['OUTPUT', 'ERROR']) // {};
				my $answer = $end->{result} // $end->{reason} // 'nothing';
				my ($text, $number) = $answer =~ /^(\w+-\d+-\d+)(?:-(\d+))?$/;
				$n++;
				$numbers{$number // $n}++;
				push @wrong, "$thing-$_-$round got $answer"
				    if ($text // '') ne "$thing-$_-$round";
			}
		}
		is "@wrong", '', "$title: each turn gets its own answer from the $thing";
	}
	is scalar keys %numbers, $n, "$title: no two turns draw the same random number";
	$_->close for @ws;
}

for my $workers (1, 4) {
	my $host = $hazards->start('shared', $workers, [@all, @harmless]);
	are_answered($host, "shared, -w $workers", @all, @harmless);
	$host->stop;

	$host = $hazards->start('isolated', $workers, \@harmless);
	are_answered($host, "isolated, -w $workers", @harmless);
	$host->stop;
}
done_testing;
