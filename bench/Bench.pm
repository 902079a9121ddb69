# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Bench;

# What the benchmarks share: load generators run, processes looked at, sums.
use strict;
use warnings;

use CoHost ();
use Exporter qw(import);
use IPC::Open2 ();
use POSIX ();

our @EXPORT_OK = qw(words hold release median ratios thousands cpu cpu_tree busy pss kernel
	descendants pss_tree);

# Run a program to its end: its NAME=NUMBER words, as a hash.
sub words {
	my @argv = @_;
	open my $out, '-|', @argv or die "$argv[0]: $!";
	my %word = map { /^(\w+)=(\S+)$/ ? ($1, $2) : () } map { split } <$out>;
	close $out or die "@argv: failed\n";
	return \%word;
}

# Run one that says "ready" and holds its sockets until it is released.
sub hold {
	my @argv = @_;
	my $pid = IPC::Open2::open2(my $out, my $life, @argv);
	(<$out> // '') =~ /ready/ or die "@argv: not ready\n";
	return { pid => $pid, life => $life };
}

sub release {
	my ($held) = @_;
	close $held->{life};
	waitpid $held->{pid}, 0;
}

sub median {
	my @all = sort { $a <=> $b } @_;
	return $all[$#all / 2];
}

# The ratio of each round: least, median, most. A round is short, so its two sides met the
# same disk.
sub ratios {
	my ($ours, $bare) = @_;
	my @all = sort { $a <=> $b } map { $ours->[$_] / $bare->[$_] } 0 .. $#$ours;
	return ($all[0], median(@all), $all[-1]);
}

sub thousands { return $_[0] =~ s/(?<=\d)(?=(?:\d{3})+$)/,/gr }

# Seconds of processor time that these processes have used.
sub cpu {
	my $ticks = 0;
	for my $pid (@_) {
		my @f = split ' ', CoHost::read_file("/proc/$pid/stat") =~ s/.*\) //sr;
		$ticks += $f[11] + $f[12];
	}
	return $ticks / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

# The same of a process, of all its living descendants, and of those that were waited for.
sub cpu_tree {
	my ($root) = @_;
	my $ticks = 0;
	for my $pid ($root, descendants($root)) {
		my @f = split ' ', CoHost::read_file("/proc/$pid/stat") =~ s/.*\) //sr;
		$ticks += $_ // 0 for @f[11 .. 14];
	}
	return $ticks / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

# Seconds of processor time that the whole machine has used, and has had.
sub busy {
	my (undef, @ticks) = split ' ', CoHost::read_file('/proc/stat') =~ s/\n.*//sr;
	my ($used, $had) = (0, 0);
	for my $i (0 .. 7) {
		$had += $ticks[$i];
		$used += $ticks[$i] unless $i == 3 || $i == 4; # idle, waiting for a disk
	}
	return map { $_ / POSIX::sysconf(POSIX::_SC_CLK_TCK()) } $used, $had;
}

# Bytes of all these processes: shared pages count for each its share.
sub pss {
	my $sum = 0;
	for my $pid (@_) {
		$sum += $1 * 1024
		    if CoHost::read_file("/proc/$pid/smaps_rollup") =~ /^Pss: +(\d+)/m;
	}
	return $sum;
}

# What the kernel holds for sockets: objects in use, not the pages that it keeps for later
# (Slab of /proc/meminfo counts those: who comes second finds them and seems to need none).
sub kernel {
	my $sum = 0;
	for (split /\n/, CoHost::read_file('/proc/slabinfo')) {
		$sum += $2 * $3 if /^([\w-]+) +(\d+) +\d+ +(\d+) /;
	}
	$sum += $1 * POSIX::sysconf(POSIX::_SC_PAGESIZE())
	    if CoHost::read_file('/proc/net/sockstat') =~ /^TCP: .* mem (\d+)/m;
	return $sum;
}

# The living processes that a process has started, they and theirs.
sub descendants {
	my ($root) = @_;
	my %children;
	for my $stat (glob '/proc/[0-9]*/stat') {
		my ($pid) = $stat =~ /(\d+)/;
		my ($parent) = CoHost::read_file($stat) =~ /\) \S (\d+) / or next;
		push @{ $children{$parent} }, $pid;
	}
	my @found = @{ $children{$root} || [] };
	for (my $i = 0; $i < @found; $i++) {
		push @found, @{ $children{ $found[$i] } || [] };
	}
	return @found;
}

sub pss_tree { my ($pid) = @_; return pss($pid, descendants($pid)) }

1;
