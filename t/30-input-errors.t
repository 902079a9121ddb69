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
	ref $error ? like $r->{json}{error}, $error, 'and why'
	    : is $r->{json}{error}, $error, 'and why';
	return $r;
}

refused('{', 400, qr/^Invalid JSON/, 'bad JSON');
refused($_, 400, qr/^Invalid JSON/, "not an object: $_")
    for '[]', '"text"', '17', 'null', 'true';
refused('', 400, 'prompt required', 'nothing at all');
refused({ prompt => $_ }, 400, 'prompt required', 'a prompt that is none')
    for '', 17, undef, ['x'], { a => 1 };
refused({ prompt => 'x', session => $_ }, 400, 'session must be an object',
	'a session that is none') for 'abc', 17, [];
refused({ prompt => 'x', session => { session_id => 'a' x 257 } }, 400, qr/session/,
	'an id that is too long');
refused({ prompt => 'x', session => { session_id => "a\nb" } }, 400, qr/session/,
	'an id with a line break');
refused({ prompt => 'x', input_id => 17 }, 400, qr/input_id/, 'an input_id that is none');

my $unsigned = 'unauthorized: signed request required';
refused({ prompt => 'x', $_ => 'y' }, 401, $unsigned, "a body with $_")
    for qw(payload from signature);
my $r = $host->http(POST => '/input', { 'x-co-from' => '0x00' }, { prompt => 'x' });
is $r->{status}, 401, 'an x-co header';
is $r->{json}{error}, $unsigned, 'says why';

$r = refused({ prompt => 'fail because I say so' }, 500, 'Unable to run agent',
	'an agent that fails');
is $r->{json}{code}, -32603, 'has a code';
is $r->{json}{reason}, 'failed', 'and a reason word';
unlike $r->{body}, qr/because/, 'but never the agent\'s own text';
is $host->http(GET => "/sessions/$r->{json}{session_id}")->{json}{status}, 'failed',
    'its record says so too';

my $busy = $host->client;
$busy->send(POST => '/input', {}, { prompt => 'sleep 3000',
	session => { session_id => 'busy' } });
ok CoHost::wait_for(5, sub { $host->metric('cohostd_runs') == 1 }), 'a turn runs';
$r = refused({ prompt => 'echo me', session => { session_id => 'busy' } }, 409,
	'Session is busy', 'a second input for it');
is_deeply [@{ $r->{json} }{qw(code data)}], [-32000, { retryable => JSON::PP::true }],
    'may be tried again';
$host->stop('QUIT');
done_testing;
