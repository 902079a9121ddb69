#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A session's journal as server-sent events, from any position.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start;

my $c = $host->client;
$c->send(POST => '/input', { accept => 'text/event-stream' },
	{ prompt => 'stream 5 10', session => { session_id => 'sse' } });
my $head = $c->head;
is $head->{status}, 200, 'POST /input accepts text/event-stream';
like $head->{header}{'content-type'}, qr{^text/event-stream},
    'POST /input with Accept: text/event-stream is answered by a stream';
is $head->{header}{'x-accel-buffering'}, 'no', 'proxies are told not to buffer the stream';
is $head->{header}{'cache-control'}, 'no-store', 'caches are told not to keep the stream';
my @all;
while (my $e = $c->event) { push @all, $e }
is $all[-1]{json}{result}, 'Streamed 5 steps.', 'the last event of the stream has the result';
is $all[-1]{json}{type}, 'OUTPUT', 'the last event of the stream is an OUTPUT';
is_deeply [map { $_->{json}{args}{i} } grep { $_->{type} eq 'tool_call' } @all],
    [0 .. 4], 'the steps came in order';
my ($epoch) = $all[0]{id} =~ /^(\w+)-/;
is_deeply [map { $_->{id} } @all], [map { "$epoch-$_" } 1 .. @all],
    'positions count from 1 without a gap';

sub watch {
	my ($path, %header) = @_;
	my $c = $host->client;
	$c->send(GET => "/sessions/$path", { accept => 'text/event-stream', %header });
	my $head = $c->head;
	my @got;
	if ($head->{status} == 200) { while (my $e = $c->event) { push @got, $e } }
	return ($head->{status}, @got);
}

my ($status, @got) = watch('sse/events?from=0');
is $status, 200, 'GET /sessions/{id}/events is answered';
is_deeply [map { $_->{id} } @got], [map { $_->{id} } @all],
    'GET /sessions/{id}/events tells the same events as POST /input';
for my $at (0, 3, $#all - 1) {
	($status, @got) = watch('sse/events', 'last-event-id' => $all[$at]{id});
	is_deeply [map { $_->{id} } @got], [map { $_->{id} } @all[$at + 1 .. $#all]],
	    "Last-Event-ID $all[$at]{id} goes on after it";
}
is +(watch('sse/events', 'last-event-id' => $all[-1]{id}))[0], 204,
    'nothing left to tell after Last-Event-ID is 204';
($status, @got) = watch('sse/events', 'last-event-id' => '123-4');
is $got[0]{event}, 'reset', 'a Last-Event-ID of another epoch gets a reset event';
is +(watch('no-such/events'))[0], 404, 'an unknown session is 404';

is_deeply [map { $host->input('echo x', session => { session_id => 'sse' })->{status} }
    1 .. 2], [200, 200], 'two more turns run in the session';
($status, @got) = watch('sse/events?from=0');
is_deeply [map { $_->{id} } @got], [map { "$epoch-$_" } 1 .. @got],
    'the positions of all turns are one row';
is scalar(grep { $_->{type} eq 'done' } @got), 3, 'the stream has an end for each of three turns';
$host->stop;
done_testing;
