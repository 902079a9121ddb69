#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The relay is killed in the middle of sealed turns, and comes back LINK_AWAY (2.5) seconds
# later: co-connect gets all events of each turn, once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program read_file);
use HostRelay;
use JSON::PP ();
use Sign qw(host_address);
use Test::More;
use Time::HiRes qw(sleep);

my $away = $ENV{LINK_AWAY} || 2.5;
my $steps = int(10 * ($away + 3));

# A client with a key of its own, and its events as they come.
sub client {
	my ($relay, $host, $n) = @_;
	my $home = $host->dir . "/client$n";
	mkdir $home, 0700;
	my @argv = (program('co-connect'), '--relay-only', '-r', $relay->url, '-j', '-t', 120,
		host_address($host), "stream $steps 100");
	my $pid = open my $out, '-|';
	die "fork: $!" if !defined $pid;
	if (!$pid) {
		$ENV{HOME} = $home;
		chdir $home;
		exec @argv or POSIX::_exit(127);
	}
	return $out;
}

sub events { my ($out) = @_; return map { JSON::PP::decode_json($_) } grep { /^\{/ } <$out> }

sub check {
	my ($workers, $host, @clients) = @_;
	my (@ends, @incomplete, @twice);
	for my $out (@clients) {
		my @events = events($out);
		close $out;
		push @ends, ($events[-1] // {})->{result} // 'none';
		my %steps;
		$steps{ $_->{tool_id} }++ for grep { $_->{type} eq 'tool_result' } @events;
		push @incomplete, scalar(keys %steps) if keys %steps != $steps;
		push @twice, grep { $steps{$_} > 1 } keys %steps;
	}
	is_deeply \@ends, [("Streamed $steps steps.") x @clients],
	    "-w $workers: each turn ends, with the relay away for $away s";
	is "@incomplete", '', "-w $workers: no client misses an event across the restart";
	is "@twice", '', "-w $workers: no client gets an event twice across the restart";
	my $sealed = () = read_file($host->log) =~ /SEAL identity=/g;
	is $sealed, 2 * @clients, "-w $workers: the clients were sealed, before and after";
}

# Both at once, since most of this is waiting.
my @all = map { { workers => $_ } } 1, 4;
for my $one (@all) {
	my $relay = $one->{relay} = HostRelay->start(workers => $one->{workers});
	my $host = $one->{host} = CoHost->start(relay => $relay->url, workers => $one->{workers},
		args => ['-o', 'trust=open']);
	$relay->agent(host_address($host));
	$one->{clients} = [map { client($relay, $host, $_) } 1 .. 4];
}
for my $one (@all) {
	my @first = map { scalar <$_> } @{ $one->{clients} };
	is scalar(grep { defined } @first), 4, "-w $one->{workers}: four turns run";
}
$_->{relay}->kill_all for @all;
sleep $away;
$_->{relay} = $_->{relay}->again(workers => $_->{workers}) for @all;
for my $one (@all) {
	check($one->{workers}, $one->{host}, @{ $one->{clients} });
	$_->stop for @$one{qw(host relay)};
}
done_testing;
