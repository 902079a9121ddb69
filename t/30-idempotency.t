#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# An input with a name runs once, however often and wherever it is sent.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Test::More;

my $host = CoHost->start(clock => 1);
my $runs = sub { $host->metric('cohostd_runs_done_total') };

sub say_it {
	my ($key, $prompt, @more) = @_;
	return $host->input($prompt, header => { 'idempotency-key' => $key }, @more);
}

my $first = say_it('"k1"', 'echo once');
is $first->{json}{result}, 'once', 'an input with a new key runs';
for (1 .. 6) {
	my $again = say_it('"k1"', 'echo once');
	is_deeply [@{ $again->{json} }{qw(session_id result status)}],
	    [$first->{json}{session_id}, 'once', 'done'],
	    'an input with a known key gets the first result';
}
is $runs->(), 1, 'an input sent seven times with one key runs once';
is $host->metric('cohostd_dedup_hits_total'), 6, 'six repeats are answered from the first result';

my $r = say_it('"k1"', 'echo otherwise');
is $r->{status}, 422, 'a known key with another body is refused';
is $r->{json}{error}, 'input_id reused with different input',
    'the refusal of a reused key names the reason';
unlike $r->{body}, qr/once|$first->{json}{session_id}/,
    'the refusal of a reused key does not show the first input';

is say_it('"k1"', 'echo once', session => { session_id => 's' })->{json}{session_id},
    's', 'the key of a named session is another one';
$r = $host->input('echo in the body', input_id => 'k2');
is $host->input('echo in the body', input_id => 'k2')->{json}{session_id},
    $r->{json}{session_id}, 'input_id in the body is the same thing';

my @clients = map { $host->client } 1 .. 8;
$_->send(POST => '/input', { 'idempotency-key' => '"k3"' },
	{ prompt => 'sleep 500', session => { session_id => 'attach' } }) for @clients;
my @replies = map { $_->reply } @clients;
is_deeply [map { $_->{status} } @replies], [(200) x 8],
    'eight inputs with one key at the same moment are all answered';
is_deeply [map { $_->{json}{result} } @replies], [('Slept 500 ms.') x 8],
    'eight inputs with one key get the same result';
is $runs->(), 4, 'eight inputs with one key run once';

$r = say_it('"k4"', 'fail now');
is $r->{status}, 500, 'a failing turn is answered with 500';
is say_it('"k4"', 'fail now')->{status}, 500,
    'a failing turn with a known key is answered with 500 again';
is $host->metric('cohostd_runs_failed_total'), 1,
    'a failing turn with a known key is not run again';

$host->pass(86401);
say_it('"k1"', 'echo once');
is $runs->(), 5, 'after result_ttl the key is free again';
$host->stop;
done_testing;
