#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# JSON bodies with a byte order mark are read, and compressed ones refused by name; Accept
# is weighed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(workers => 1);
my $body = '{"prompt":"echo hi"}';

is $host->http(POST => '/input', {}, "\xef\xbb\xbf$body")->{json}{result}, 'hi',
    'a body with a byte order mark is read';
my $r = $host->http(POST => '/input', {}, "\xef\xbb\xbf");
is $r->{json}{error}, 'prompt required', 'a byte order mark alone is an empty body';
is $host->http(POST => '/input', {}, "\xef\xbb\xbf\xef\xbb\xbf$body")->{json}{error}, 'Invalid JSON',
    'a second byte order mark is no JSON';

for my $coding (qw(gzip deflate br x-gzip zstd), 'identity, gzip') {
	for my $path ('/input', '/admin/trust/promote') {
		$r = $host->http(POST => $path, { 'content-encoding' => $coding }, $body);
		is $r->{status}, 415, "POST $path in $coding is refused";
		is $r->{json}{error}, 'Content-Encoding is not taken: send the body as it is',
		    "POST $path in $coding is told why";
		is $r->{header}{'accept-encoding'}, 'identity', "POST $path in $coding is told what is taken";
	}
}
is $host->http(POST => '/input', { 'content-encoding' => 'Identity' }, $body)->{status}, 200,
    'a body that says it is not compressed is taken';
is $host->http(GET => '/health', { 'content-encoding' => 'gzip' })->{status}, 200,
    'a request without a body may have any Content-Encoding';

for (['text/event-stream', 1], ['text/event-stream;q=0', 0], ['application/json, text/event-stream', 1],
    ['text/event-stream;q=0.2, application/json', 0], ['*/*', 0]) {
	my ($accept, $is_stream) = @$_;
	$r = $host->http(POST => '/input', { accept => $accept }, $body);
	is $r->{header}{'content-type'}, $is_stream ? 'text/event-stream' : 'application/json',
	    "POST /input with Accept: $accept gets the right type";
}
$host->stop;
done_testing;
