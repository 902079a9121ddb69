#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# plan_review: any word on the plan lets it go on.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(workers => 2);
my $ws = $host->ws(session => { session_id => 'plan' });
$ws->send_json({ type => 'INPUT', prompt => 'plan Dig|Fill' });
my $review = $ws->next(type => 'plan_review');
is $review->{plan_content}, "1. Dig\n2. Fill", 'plan_review has the plan';
$ws->close(how => 'cut');

$ws = $host->ws(session => { session_id => 'plan' });
is $ws->next(type => 'plan_review')->{id}, $review->{id},
    'an open plan_review is sent to a client that comes back';
$ws->send_json({ type => 'PLAN_REVIEW_RESPONSE', message => 'Looks good, proceed' });
my @all = $ws->all_until('OUTPUT', 'ERROR');
like $all[-1]{result}, qr/Looks good, proceed/, 'the word arrives';
my @plans = grep { $_->{type} eq 'plan' } @all;
is_deeply [map { join ' ', map { $_->{status} } @{ $_->{entries} } } @plans],
    ['in_progress pending', 'completed in_progress', 'completed completed'],
    'the plan is done step by step';
is_deeply [sort keys %{ $plans[0]{entries}[0] }], [qw(content priority status)],
    'each plan entry has three members';
$host->stop;
done_testing;
