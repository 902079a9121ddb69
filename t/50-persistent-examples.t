#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The programs that co-agent(7) prints under PERSISTENT MODE do what it says.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(source wait_for read_file write_file);
use Test::More;

my ($text) = read_file(source('man/co-agent.7'))
    =~ /^\.Ss Examples of persistent mode\n(.*?)^\.S[hs] /ms;
my @programs = $text =~ /^\.Bd -literal -offset indent\n(.*?)^\.Ed$/msg;
s/\\e/\\/g for @programs;
is scalar(@programs), 2, 'the manual prints two programs for persistent mode';

my $dir = File::Temp->newdir(TMPDIR => 1);
my @cases = (['python3', 'python3 --version', 'Python'], ['node', 'node --version', 'JavaScript']);
for my $case (@cases) {
	my ($program, $test, $name) = @$case;
	my $source = shift @programs;
	SKIP: {
		skip "there is no $program", 1 if system "$test >/dev/null 2>&1";
		write_file("$dir/agent", $source);
		my $host = CoHost->start(workers => 2, agent => "exec:$program $dir/agent",
			yaml => "agent_persistent: true\n");
		is $host->input('hello')->{json}{result}, 'HELLO',
		    "the program in $name answers an input over HTTP";
		my @turns = map { $host->ws(session => {}) } 1 .. 20;
		$_->send_json({ type => 'INPUT', prompt => 'hello ' . $_->session_id }) for @turns;
		is_deeply [map { $_->next(type => 'OUTPUT')->{result} } @turns],
		    [map { uc 'hello ' . $_->session_id } @turns],
		    "the program in $name answers many inputs at the same time";
		is $host->metric('cohostd_agent_spawns_total'), 2,
		    "the program in $name is started once in each worker";
		$host->stop;
	}
}
done_testing;
