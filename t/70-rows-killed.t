#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A client that keeps rows goes on with its cursor while workers are killed: nothing is
# missing, and nothing comes twice.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Rows;
use Sign qw(key_new);
use Test::More;
use Time::HiRes qw(sleep time);

my $anna = key_new();
my $seed = $ENV{TEST_SEED} // int rand 2**31;
srand $seed;
diag "seed $seed";

# Come, or come back, and say the input again.
sub come {
	my ($tab) = @_;
	$tab->open;
	$tab->say(INPUT => prompt => 'stream 200 10', input_id => 'once');
	return 1;
}

# Read until the turn ends, while lines are cut and workers are killed. Returns how often
# each of them happened, and the type of the last frame.
sub follow {
	my ($host, $tab) = @_;
	my ($n_cuts, $n_kills, $last, $next_kill) = (0, 0, '', time + 0.3);
	my $end = time + 60;
	until ($last =~ /^(?:done|failed)$/ || time > $end) {
		if (!$tab->{ws} && !eval { come($tab) }) { $tab->cut; sleep 0.05; next }
		my $f = $tab->read_until(sub { 1 }, 0.2);
		$last = $f->{type} if $f;
		if (defined $tab->{ws}->closed || rand() < 0.01) {
			$tab->cut;
			$n_cuts++;
		}
		next if time < $next_kill;
		$host->kill_worker;
		$n_kills++;
		$next_kill = time + 0.4 + rand 0.4;
	}
	return ($n_cuts, $n_kills, $last);
}

# All rows, by pages over the socket.
sub pages {
	my ($tab) = @_;
	my @all;
	for (my $before = 1 + $tab->hello->{head}; defined $before; ) {
		$tab->say(ROWS => before => $before, limit => 100);
		my $page = $tab->read_type('ROWS');
		unshift @all, @{ $page->{rows} };
		$before = $page->{before};
	}
	return \@all;
}

for my $workers (1, 4) {
	my $at = "with -w $workers";
	my $host = CoHost->start(workers => $workers);
	my $tab = Rows->new($host, $anna, session_id => 'long', cursor => '1-0');
	my ($n_cuts, $n_kills, $last) = follow($host, $tab);
	is $last, 'done', "the turn ends $at";
	cmp_ok $n_kills, '>=', 2, "$n_kills workers were killed $at";
	cmp_ok $n_cuts, '>=', 2, "the client was cut off $n_cuts times $at";
	is_deeply $tab->problems, [], "no row is missing, and none came twice $at";
	my %n;
	$n{$_}++ for @{ $tab->types };
	is_deeply [@n{qw(input tool_call tool_result done)}], [1, 200, 200, 1],
	    "the rows have one input, 200 steps and one end $at";
	my $all = Rows->new($host, $anna, session_id => 'long');
	my $hello = $all->open;
	is_deeply pages($all), $tab->rows, "the pages have the same rows $at";
	ok !$hello->{running}, "no turn is left running $at";
	$host->stop;
}
done_testing;
