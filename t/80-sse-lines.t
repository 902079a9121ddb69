#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The data of a server-sent event is one line also for readers that end lines at U+0085,
# U+2028 and U+2029.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $text = "a\x{2028}b\x{2029}c\x{85}d\x{e9}";
my $host = CoHost->start(workers => 1);
my $c = $host->client;
$c->send(POST => '/input', { accept => 'text/event-stream' },
	{ prompt => "echo $text", session => { session_id => 'lines' } });
is $c->head->{status}, 200, 'a turn is streamed as events';
my @events;
while (my $e = $c->event) { push @events, $e }
my @replay;
$c = $host->client;
$c->send(GET => '/sessions/lines/events?from=0');
is $c->head->{status}, 200, 'the events of a turn are streamed again';
while (my $e = $c->event) { push @replay, $e }
for (['live', @events], ['again', @replay]) {
	my ($how, @e) = @$_;
	is scalar(grep { $_->{data} =~ /\xe2\x80[\xa8\xa9]|\xc2\x85/ } @e), 0,
	    "$how: no data holds a line end of Unicode";
	is $e[-1]{json}{result}, $text, "$how: the text is the same";
}
$host->stop;
done_testing;
