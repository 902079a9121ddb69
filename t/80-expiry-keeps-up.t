#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The keeper removes what has expired as fast as it was made, however much it is.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program run wait_for write_file);
use Test::More;
use Time::HiRes qw(time);

use constant N => 20000;

my $dir = CoHost::directory();
my $now = time;
write_file("$dir/many.jsonl", join '', map {
	sprintf qq({"session_id":"s%d","status":"done","prompt":"p","result":"r",)
	    . qq("created":%.3f,"expires":%.3f,"duration_ms":1}\n), $_, $now - 10, $now + 3600
} 1 .. N);
my $said = run([program('co-hostd'), 'import', '-d', "$dir", "$dir/many.jsonl"]);
is $said->{status}, 0, N . ' sessions are imported' or diag $said->{out};

my $host = CoHost->start(dir => $dir, clock => 1, workers => 1);
is $host->http(GET => '/sessions/s1')->{status}, 200, 'the first imported session can be read';
is $host->http(GET => '/sessions/s' . N)->{status}, 200, 'the last imported session can be read';
# Some that have a name each, and so a claim.
is $host->input("echo $_", input_id => "i$_")->{status}, 200, "input $_ is taken" for 1 .. 3;
$host->pass(86400 + 3600);
my $began = time;
ok wait_for(30, sub { $host->metric('cohostd_expired_total') >= N }),
    'all imported sessions expire when their time is over'
    or diag $host->metric('cohostd_expired_total');
diag sprintf '%.0f sessions a second', N / (time - $began);
cmp_ok time - $began, '<', N / 1000 * ($ENV{TEST_PATIENCE} || 1),
    'more than a thousand sessions expire in a second';
is $host->http(GET => '/sessions')->{status}, 200, 'the server answers while sessions expire';
$host->stop;
done_testing;
