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

my $host = CoHost->start(workers => 4);
my $anna = key_new();
my $seed = $ENV{TEST_SEED} // int rand 2**31;
srand $seed;
diag "seed $seed";

my $tab = Rows->new($host, $anna, session_id => 'long', cursor => '1-0');
my $end = time + 60;
my ($n_opened, $n_kills, $is_over, $next_kill) = (0, 0, 0, time + 0.3);

sub come {
	$n_opened++;
	$tab->open;
	$tab->say(INPUT => prompt => 'stream 200 15', input_id => 'once');
}

until ($is_over || time > $end) {
	if (!$tab->{ws} && !eval { come(); 1 }) { $tab->cut; sleep 0.05; next }
	my $f = $tab->read_until(sub { 1 }, 0.2);
	$tab->cut if defined $tab->{ws}->closed || rand() < 0.01;
	$is_over = $f && ($f->{type} eq 'done' || $f->{type} eq 'failed');
	next if time < $next_kill;
	$host->kill_worker;
	$n_kills++;
	$next_kill = time + 0.4 + rand 0.4;
}
ok $is_over, 'the turn ends';
cmp_ok $n_kills, '>=', 3, "$n_kills workers were killed";
cmp_ok $n_opened, '>', 3, "the client came $n_opened times";
is_deeply $tab->problems, [], 'no row is missing, and none came twice';
my %n;
$n{$_}++ for @{ $tab->types };
is_deeply [@n{qw(input tool_call tool_result done)}], [1, 200, 200, 1],
    'there is one input, 200 steps and one end';
my $all = Rows->new($host, $anna, session_id => 'long');
my $hello = $all->open;
my @pages;
for (my $before = 1 + $hello->{head}; defined $before; ) {
	$all->say(ROWS => before => $before, limit => 100);
	my $page = $all->read_type('ROWS');
	unshift @pages, @{ $page->{rows} };
	$before = $page->{before};
}
is_deeply \@pages, $tab->rows, 'the pages have the same rows';
ok !$hello->{running}, 'no turn is left';
$host->stop;
done_testing;
