#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# POST /input: every refusal has its status and its text.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(workers => 2);

sub refused {
	my ($body, $status, $error, $what) = @_;
	my $r = $host->http(POST => '/input', {}, $body);
	is $r->{status}, $status, $what;
	ref $error ? like $r->{json}{error}, $error, "$what: the answer says why"
	    : is $r->{json}{error}, $error, "$what: the answer says why";
	return $r;
}

refused('{', 400, qr/^Invalid JSON/, 'bad JSON is refused');
refused($_, 400, qr/^Invalid JSON/, "JSON that is no object is refused: $_")
    for '[]', '"text"', '17', 'null', 'true';
refused('', 400, 'prompt required', 'an empty body is refused');
refused({ prompt => $_ }, 400, 'prompt required', 'a prompt that is no text is refused')
    for '', 17, undef, ['x'], { a => 1 };
refused({ prompt => 'x', session => $_ }, 400, 'session must be an object',
	'a session that is no object is refused') for 'abc', 17, [];
refused({ prompt => 'x', session => { session_id => 'a' x 257 } }, 400, qr/session/,
	'a session_id that is too long is refused');
refused({ prompt => 'x', session => { session_id => "a\nb" } }, 400, qr/session/,
	'a session_id with a line break is refused');
refused({ prompt => 'x', input_id => 17 }, 400, qr/input_id/,
    'an input_id that is no text is refused');

my $unsigned = 'unauthorized: signed request required';
refused({ prompt => 'x', $_ => 'y' }, 401, $unsigned, "an unsigned body with $_ is refused")
    for qw(payload from signature);
my $r = $host->http(POST => '/input', { 'x-co-from' => '0x00' }, { prompt => 'x' });
is $r->{status}, 401, 'a request with x-co headers is not taken as unsigned';
is $r->{json}{error}, $unsigned, 'the refusal of x-co headers says what is missing';

$r = refused({ prompt => 'fail because I say so' }, 500, 'Unable to run agent',
	'an agent that fails is answered with 500');
is $r->{json}{code}, -32603, 'the answer for a failed agent has a code';
is $r->{json}{reason}, 'failed', 'the answer for a failed agent has a reason word';
unlike $r->{body}, qr/because/,
    "the answer for a failed agent does not show the agent's own text";
is $host->http(GET => "/sessions/$r->{json}{session_id}")->{json}{status}, 'failed',
    'the record of a failed turn says failed';

my $busy = $host->client;
$busy->send(POST => '/input', {}, { prompt => 'sleep 3000',
	session => { session_id => 'busy' } });
ok CoHost::wait_for(5, sub { $host->metric('cohostd_runs') == 1 }), 'a turn runs';
$r = refused({ prompt => 'echo me', session => { session_id => 'busy' } }, 409,
	'Session is busy', 'a second input for a busy session is refused');
is_deeply [@{ $r->{json} }{qw(code data)}], [-32000, { retryable => JSON::PP::true }],
    'a busy session is said to be retryable';
$host->stop('QUIT');
done_testing;
