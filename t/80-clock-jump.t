#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Somebody sets the clock of the machine: no result is lost by that, no name of an input
# is free again, and what took a second did not take two days.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Test::More;

use constant DAY => 86400;

my $host = CoHost->start(clock => 1, workers => 2);

sub again {
	my ($k) = @_;
	return $host->input('echo ' . $k, input_id => $k, session => { session_id => $k });
}

# What is there of an input, at one moment.
sub is_kept {
	my ($k, $when) = @_;
	is $host->http(GET => "/sessions/$k")->{json}{result}, $k, "$when: the result is there";
	my $runs = $host->metric('cohostd_runs_done_total');
	is again($k)->{json}{result}, $k, "$when: the input is answered again";
	is $host->metric('cohostd_runs_done_total'), $runs, "$when: it does not run again";
}
is again('first')->{json}{result}, 'first', 'an input runs';

# A turn during which the clock jumps.
my $ws = $host->ws(session => { session_id => 'during' });
$ws->send_json({ type => 'INPUT', prompt => 'sleep 300' });
$ws->next(type => 'user_input');
$host->set_clock(2 * DAY);
is_kept('first', 'at once');
my $end = $ws->next(type => 'OUTPUT');
cmp_ok $end->{duration_ms}, '<', 60000, 'a turn takes the time that passes'
    or diag $end->{duration_ms};
ok wait_for(10, sub { $host->words =~ /wall clock jumped \d+ s ahead/ }),
    'the log tells of a clock that jumped ahead';
is again('second')->{json}{result}, 'second', 'inputs are taken after the clock jumped ahead';
$host->pass(3);
is_kept('first', 'later');

$host->set_clock(-2 * DAY);
ok wait_for(10, sub { $host->words =~ /wall clock was set back by \d+ s/ }),
    'the log tells of a clock that went back';
is again('third')->{json}{result}, 'third', 'inputs are taken after the clock went back';
is_kept($_, 'back') for qw(first second third);
$host->set_clock(0);
is_kept($_, 'right again') for qw(first second third);
$host->stop;

my $first = $host; # its folder goes with it
$host = CoHost->start(dir => $first->dir, clock => 1, workers => 2, ahead => 3 * DAY);
is_kept($_, 'after a start with another clock') for qw(first second third);
my $n = $host->metric('cohostd_expired_total');
$host->pass(2 * DAY);
ok wait_for(20, sub { $host->http(GET => '/sessions/first')->{status} == 404 }),
    'a session expires by the time that passes';
$host->pass(DAY);
ok wait_for(20, sub { $host->metric('cohostd_expired_total') > $n }),
    'an expired session is removed in spite of clock jumps';
is again('first')->{json}{result}, 'first', 'the input_id of an expired session is free again';
$host->stop;
done_testing;
