#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# POST /input: the transcripts of the host() document come true.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start;

my $r = $host->input('What is 42 * 17?');
is $r->{status}, 200, 'an input is answered';
is $r->{json}{result}, 'The result of 42 * 17 is 714.', 'the answer has the result';
is $r->{json}{status}, 'done', 'the answer has the status done';
like $r->{json}{duration_ms}, qr/^\d+$/, 'duration_ms is a whole number';
my $session = $r->{json}{session};
like $r->{json}{session_id}, qr/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    'the session has an id of ours';
is $session->{session_id}, $r->{json}{session_id}, 'the session carries its id';
is $session->{turn}, 1, 'a new session is at turn 1';
is ref $session->{$_}, 'ARRAY', "session.$_ is an array" for qw(messages trace);
is $r->{json}{server_newer}, JSON::PP::false, 'the server\'s copy is not newer';

my @pairs = (
	['Translate hello to Spanish' => 'Hola'],
	["What's the weather in Seattle?" => qr/Seattle/],
	['echo  as it is ' => qr/as it is/],
	['think 3' => qr/3/],
	['something else' => 'You said: something else'],
	["\x{1F600} caf\x{e9}" => "You said: \x{1F600} caf\x{e9}"],
);
for (@pairs) {
	my ($prompt, $want) = @$_;
	my $result = $host->input($prompt)->{json}{result};
	my $title = "'$prompt' is answered";
	ref $want ? like $result, $want, $title : is $result, $want, $title;
}

is $host->input('echo late', session => { session_id => 'my-own' })
    ->{json}{session_id}, 'my-own', 'an id that the client names is kept';
is $host->input('echo x', session => {})->{status}, 200, 'an empty session is new';
is $host->metric('cohostd_inputs_accepted_total'), 9, 'nine inputs were accepted';
is $host->metric('cohostd_runs_done_total'), 9, 'nine turns ended as done';
is $host->metric('cohostd_runs'), 0, 'no turn is left running';
$host->stop;
done_testing;
