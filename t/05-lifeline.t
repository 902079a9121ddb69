#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Whatever a test starts ends with it: when it comes to its end, when it is ended by its time
# limit, and when it is killed. Here, a small story stands for a test: it starts a server and a
# process that leaves its session and its parent.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for write_file);
use File::Temp ();
use POSIX ();
use Test::More;

my $story = <<'END_OF_STORY';
use strict;
use warnings;
use CoHost qw(read_file wait_for write_file);
use POSIX ();

my ($dir, $how) = @ARGV;
my $host = CoHost->start(workers => 1);
if (!fork) {
	POSIX::setsid();
	fork and POSIX::_exit(0);
	write_file("$dir/stray", $$);
	exec 'sleep', 100;
}
wait_for(20, sub { read_file("$dir/stray") });
write_file("$dir/new", "$$ " . $host->pid . ' ' . read_file("$dir/stray"));
rename "$dir/new", "$dir/pids";
sleep 100 unless $how eq 'exit';
POSIX::_exit(3);
END_OF_STORY

# Run the story, and end it so: its wait status, and its processes by name.
sub run_story {
	my ($how, $end) = @_;
	my $dir = File::Temp->newdir('lifeline-XXXXXX', TMPDIR => 1);
	write_file("$dir/story", $story);
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		delete $ENV{TEST_LIFELINE};
		open STDOUT, '>', "$dir/out";
		open STDERR, '>&', \*STDOUT;
		exec $^X, "-I$FindBin::Bin/lib", "$dir/story", "$dir", $how or POSIX::_exit(127);
	}
	my %pids;
	@pids{qw(test server stray)} = split / /, wait_for(40, sub { read_file("$dir/pids") })
	    or die read_file("$dir/out");
	$end->($pid, $pids{test});
	waitpid $pid, 0;
	return ($?, %pids);
}

sub is_alive { my ($pid) = @_; return read_file("/proc/$pid/stat") =~ /\) [^Z] / }

sub check {
	my ($how, $expected, $end) = @_;
	my ($status, %pids) = run_story($how, $end);
	is $status, $expected, "a test ends with its own status ($how)";
	ok !is_alive($pids{$_}), "a $_ does not outlive its test ($how)" for qw(server stray);
}

check(exit => 3 << 8, sub { });
check('time limit' => POSIX::SIGTERM(), sub { my ($parent, $test) = @_; kill TERM => $parent });
check(killed => POSIX::SIGKILL(), sub { my ($parent, $test) = @_; kill KILL => $test });
done_testing;
