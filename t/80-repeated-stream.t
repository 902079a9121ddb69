#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# An input is said again, for an event stream, while it is in the facts and its first event is
# not in the journal yet: the stream has the events of its turn, and none of the turns before.
# (t/stopper.c stops the worker between these two commits.)
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program read_file wait_for write_file);
use IO::Select;
use Test::More;

my $stops = File::Temp->newdir;
my $host = CoHost->start(workers => 4,
	env => { LD_PRELOAD => program('t/stopper.so'), STOPPER => "$stops",
		ASAN_OPTIONS => join ':', 'verify_asan_link_order=0', $ENV{ASAN_OPTIONS} // () });
is $host->input("echo $_", session => { session_id => 'again' })->{json}{result}, $_,
    "the $_ turn of the session ends"
    for qw(first second);

sub say_third {
	my $c = $host->client;
	$c->send(POST => '/input', { accept => 'text/event-stream', 'idempotency-key' => 'third' },
		{ prompt => 'stream 2 100', session => { session_id => 'again' } });
	return $c;
}
write_file("$stops/worker.between", '');
my $first = say_third();
my $pid = wait_for(20, sub { read_file("$stops/worker.between.stopped") =~ /^(\d+)\n/ && $1 });
ok $pid, 'the worker of the third turn is stopped between the commits of its input';
my @again = map { say_third() } 1 .. 3;
# Time for events that would be of earlier turns; none are due.
IO::Select->new(map { $_->socket } @again)->can_read(0.5);
kill CONT => $pid;

sub events {
	my ($c) = @_;
	$c->head;
	my @got;
	while (my $e = $c->event) { push @got, $e if $e->{id} }
	return @got;
}
my @all = events($first);
is $all[-1]{json}{result}, 'Streamed 2 steps.', 'the stream of the first request ends with its result';
for my $k (1 .. @again) {
	is_deeply [map { "$_->{id} $_->{event}" } events($again[$k - 1])],
	    [map { "$_->{id} $_->{event}" } @all],
	    "the stream of repeated request $k has the same events, and no others";
}
$host->stop;
done_testing;
