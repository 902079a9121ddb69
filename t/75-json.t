#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Deep, broken and odd JSON, over HTTP and WebSocket.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(workers => 2);
my $other = $host->ws(session => {});
my $deep = 200_000;
my @texts = (
	['deep arrays', '[' x $deep], ['deep objects', '{"a":' x $deep],
	['deep and closed', '{"prompt":' . '[' x $deep . ']' x $deep . '}'],
	['deep in the session', '{"prompt":"x","session":{"messages":' . '[' x $deep
	    . ']' x $deep . '}}'],
	['half an object', '{"prompt":"x"'], ['half a string', '{"prompt":"x'],
	['half an escape', '{"prompt":"\u00'], ['a lone quote', '"'],
	['bytes that are not UTF-8', "{\"prompt\":\"\xff\xfe\xc0\x80\"}"],
	['a surrogate in bytes', "{\"prompt\":\"\xed\xa0\x80\"}"],
	['a NUL', "{\"prompt\":\"a\0b\"}"], ['NaN', '{"prompt":NaN}'],
	['a comma too many', '{"prompt":"x",}'], ['single quotes', "{'prompt':'x'}"],
	['a million commas', ',' x 1_000_000], ['nothing but spaces', ' ' x 1000],
);
for (@texts) {
	my ($what, $text) = @$_;
	my $r = $host->http(POST => '/input', {}, $text);
	like $r->{status}, qr/^4/, "HTTP refuses $what";
	ok $r->{json}{error}, "HTTP answers $what with an error in JSON";
	my $ws = $host->ws(session => {});
	$ws->send_text($text);
	my $f = $ws->next(type => 'ERROR', timeout => 10);
	ok $f || ($ws->closed // 0) == 1007, "WebSocket refuses $what";
	is +($ws->turn('echo on'))[-1]{result}, 'on', "the socket stays open after $what" if $f;
}

my @taken = (
	['the last of two keys', '{"prompt":"echo a","prompt":"echo b"}', 'b'],
	['an escaped NUL', '{"prompt":"echo a\u0000b"}', "a\0b"],
	['a surrogate pair', '{"prompt":"echo \ud83d\ude00"}', "\x{1F600}"],
	['big numbers', '{"prompt":"echo n","x":1e999,"y":' . '9' x 1000 . '}', 'n'],
	['spaces everywhere', " {\t\"prompt\" :\r\n\"echo s\" } ", 's'],
	['deep enough', '{"prompt":"echo d","x":' . '[' x 50 . ']' x 50 . '}', 'd'],
	['many keys', '{"prompt":"echo k",' . join(',', map { "\"k$_\":$_" } 1 .. 20_000) . '}', 'k'],
);
for (@taken) {
	my ($what, $text, $want) = @$_;
	is $host->http(POST => '/input', {}, $text)->{json}{result}, $want, "HTTP accepts $what";
}
my $lone = $host->http(POST => '/input', {}, '{"prompt":"echo \ud800"}');
like $lone->{status}, qr/^(?:200|400)$/, 'half a surrogate pair does no harm';
is +($other->turn('echo calm'))[-1]{result}, 'calm',
    'other clients are served after malformed texts';
is scalar($host->workers), 2, 'no worker died';
$host->stop;
done_testing;
