#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# GET /sessions and /sessions/{id}: running, done, unknown, expired.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Test::More;

my $host = CoHost->start(clock => 1, args => ['-o', 'result_ttl=60']);

sub get { my ($id) = @_; return $host->http(GET => "/sessions/$id") }

is get('nobody')->{status}, 404, 'an unknown session is 404';
is_deeply get('nobody')->{json}, { error => 'not found' }, 'the answer for an unknown id is JSON';

my $done = $host->input('Translate hello to Spanish', session => { session_id => 'a/b c' });
my $r = get('a%2Fb%20c');
is $r->{status}, 200, 'every worker knows a finished session';
is $r->{json}{status}, 'done', 'a finished session has the status done';
is $r->{json}{result}, 'Hola', 'a finished session has its result';
is $r->{json}{duration_ms}, $done->{json}{duration_ms}, 'a finished session has its duration';

my $c = $host->client;
$c->send(POST => '/input', {}, { prompt => 'sleep 1000000',
	session => { session_id => 'ever' } });
ok wait_for(5, sub { get('ever')->{status} == 200 }), 'a running session can be read';
is_deeply get('ever')->{json}, { session_id => 'ever', status => 'running' },
    'a running session shows its id and status only';

my $list = $host->http(GET => '/sessions')->{json}{sessions};
is_deeply [map { $_->{session_id} } @$list], ['ever', 'a/b c'],
    'the list of sessions begins with the newest';
is_deeply [sort keys %{ $list->[0] }], [qw(created session_id status)],
    'each entry of the list has three members';

$host->pass(30);
is get('a%2Fb%20c')->{status}, 200, 'after 30 s of 60 a result is still kept';
$host->pass(31);
is get('a%2Fb%20c')->{status}, 404, 'after 61 s a result has expired';
is get('ever')->{json}{status}, 'running', 'a running session never expires';

my $d = $host->client;
$d->send(POST => '/input', {}, { prompt => 'sleep 30000',
	session => { session_id => 'long' } });
ok wait_for(5, sub { get('long')->{status} == 200 }), 'a turn longer than result_ttl runs';
$host->pass(31);
is $d->reply->{json}{result}, 'Slept 30000 ms.', 'a turn longer than result_ttl ends';
is get('long')->{json}{status}, 'done', 'the result of a turn longer than result_ttl is kept';
is_deeply [map { $_->{session_id} } @{ $host->http(GET => '/sessions')->{json}{sessions} }],
    ['long', 'ever'], 'the list has what is kept';
# Rows of more than 2 MiB take more than one tick.
$host->input('echo ' . 'x' x 700_000, session => { session_id => "large-$_" }) for 1, 2;
is_deeply [map { $_->{session_id} } @{ $host->http(GET => '/sessions')->{json}{sessions} }],
    ['large-2', 'large-1', 'long', 'ever'], 'the list has large sessions and those behind them';
$host->stop('QUIT');
done_testing;
