#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Text that is no frame: an ERROR in Python's words, and the socket stays.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(workers => 2);
my $ws = $host->ws(session => {});

my @cases = (
	["{type: 'INPUT'}",
		'Expecting property name enclosed in double quotes at line 1 col 2 (pos 1)'],
	["{\n  x", 'Expecting property name enclosed in double quotes at line 2 col 3 (pos 4)'],
	['{"a" 1}', "Expecting ':' delimiter at line 1 col 6 (pos 5)"],
	['{"a": 1 "b": 2}', "Expecting ',' delimiter at line 1 col 9 (pos 8)"],
	['{"a": }', 'Expecting value at line 1 col 7 (pos 6)'],
	['{} {}', 'Extra data at line 1 col 4 (pos 3)'],
	['{"a": "b', 'Unterminated string starting at at line 1 col 7 (pos 6)'],
	["{\"a\": \"b\tc\"}", 'Invalid control character at at line 1 col 9 (pos 8)'],
	['{"a": "\x"}', 'Invalid \escape at line 1 col 8 (pos 7)'],
	['{"a": "\u12"}', 'Invalid \uXXXX escape at line 1 col 9 (pos 8)'],
	["{\"\xc3\xa9\": ?}", 'Expecting value at line 1 col 7 (pos 6)'],
	['[1, 2]', 'Expecting object at line 1 col 1 (pos 0)'],
	['"text"', 'Expecting object at line 1 col 1 (pos 0)'],
	['null', 'Expecting object at line 1 col 1 (pos 0)'],
);
for (@cases) {
	my ($text, $message) = @$_;
	$ws->send_text($text);
	my $f = $ws->next(type => 'ERROR');
	(my $got = $f->{message}) =~ s/ at at / at /;
	$message =~ s/ at at / at /;
	$got =~ s/: line/ at line/;
	my $shown = $text =~ s/\n/\\n/r;
	is $got, "Invalid JSON: $message", "an ERROR says what is wrong with $shown";
	utf8::decode($text);
	is $f->{received}, $text, "an ERROR repeats the text $shown";
}

$ws->send_text('{' . 'x' x 500);
is $ws->next(type => 'ERROR')->{received}, '{' . 'x' x 199 . '...(truncated)',
    'a long text is cut in the ERROR';
$ws->send_frame(WS::BINARY, '{"type":"PING"}');
is $ws->next(type => 'ERROR')->{message},
    'Invalid JSON: Expecting text frame at line 1 col 1 (pos 0)', 'a binary frame is no JSON';
$ws->send_text('');
is $ws->next(type => 'ERROR')->{message}, 'unknown message type: None', 'an empty frame is {}';
is +($ws->turn('echo here'))[-1]{result}, 'here', 'the socket has stayed';
$host->stop;
done_testing;
