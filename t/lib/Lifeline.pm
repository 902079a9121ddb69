# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Lifeline;

# What a test starts ends with it, also if the test is ended by its time limit.
#
# Loading this package forks: the test goes on in the child, and its parent waits. The parent is
# a subreaper (prctl(2)), so all descendants of the test remain below it, whatever session or
# process group they have. When the test ends, or somebody ends the parent by HUP, INT, QUIT or
# TERM, it kills all that is left and ends as the test did.
#
# CoHost.pm loads it. It must be loaded before Test::More, which remembers its process.
use strict;
use warnings;

use POSIX qw(WNOHANG);

use constant { PR_SET_PDEATHSIG => 1, PR_SET_CHILD_SUBREAPER => 36 };

sub prctl { my ($option, $value) = @_; return syscall(SYS_prctl(), $option, $value, 0, 0, 0) }

# All descendants of this process.
sub descendants {
	my %children;
	for my $stat (glob '/proc/[0-9]*/stat') {
		open my $f, '<', $stat or next;
		my ($pid, $parent) = (readline($f) // '') =~ /^(\d+) \(.*\) \S (\d+) /s or next;
		push @{ $children{$parent} }, $pid;
	}
	my @all = @{ $children{$$} // [] };
	for (my $i = 0; $i < @all; $i++) { push @all, @{ $children{ $all[$i] } // [] } }
	return @all;
}

# Kill all descendants, and those that they leave to us.
sub end_all {
	while (1) {
		kill KILL => descendants();
		my $pid = 1;
		$pid = waitpid -1, WNOHANG while $pid > 0;
		return if $pid < 0;
		select undef, undef, undef, 0.01;
	}
}

sub end_by {
	my ($signal) = @_;
	end_all();
	$SIG{$signal} = 'DEFAULT';
	kill $signal => $$;
}

sub watch {
	my ($test) = @_;
	$SIG{$_} = \&end_by for qw(HUP INT QUIT TERM);
	my $pid;
	do { $pid = waitpid -1, 0 } until $pid == $test || ($pid < 0 && !$!{EINTR});
	my $status = $?;
	end_all();
	POSIX::_exit($status >> 8) unless $status & 127;
	$SIG{$_} = 'DEFAULT' for qw(HUP INT QUIT TERM);
	kill $status & 127, $$;
	POSIX::_exit(128 + ($status & 127));
}

# A program below a test is watched with the test.
sub hold {
	return if $^C || $ENV{TEST_LIFELINE};
	die "CoHost.pm must be loaded before Test::More\n" if $INC{'Test/Builder.pm'};
	eval { require 'syscall.ph' } or die "perl lacks syscall.ph: install all of perl\n";
	$ENV{TEST_LIFELINE} = $$;
	prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 or die "prctl: $!\n";
	my $parent = $$;
	my $test = fork // die "fork: $!\n";
	watch($test) if $test;
	prctl(PR_SET_PDEATHSIG, POSIX::SIGKILL()) == 0 or die "prctl: $!\n";
	POSIX::_exit(1) if getppid != $parent;
}

hold();

1;
