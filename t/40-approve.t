#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# approval_needed: one answer counts; silence is a no after a while.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(clock => 1, args => ['-o', 'approval_timeout=600']);
my $ws = $host->ws(session => { session_id => 'approve' });

sub approve {
	my ($answer) = @_;
	$ws->send_json({ type => 'INPUT', prompt => 'approve bash' });
	my $q = $ws->next(type => 'approval_needed');
	$ws->send_json({ type => 'APPROVAL_RESPONSE', %$answer });
	my @all = $ws->all_until('OUTPUT', 'ERROR');
	return ($q, @all);
}

my ($q, @all) = approve({ approved => JSON::PP::true, scope => 'once' });
is $q->{tool}, 'bash', 'approval_needed names the tool';
is ref $q->{arguments}, 'HASH', 'approval_needed has the arguments of the tool';
ok $q->{id}, 'approval_needed has an id';
is $all[-1]{result}, 'bash was approved and ran.', 'an approved tool runs';
is $all[0]{type}, 'tool_result', 'an approved tool has a result';

my @noes = (
	{ approved => JSON::PP::false, scope => 'once', mode => 'reject_hard' },
	{ approved => JSON::PP::false, feedback => 'no' },
	{ approved => 'yes' }, { approved => 1 }, {},
	{ approved => JSON::PP::true, scope => 'for ever' },
);
for my $no (@noes) {
	(undef, @all) = approve($no);
	is $all[-1]{result}, 'bash was not approved.',
	    'a tool is not approved by ' . JSON::PP->new->canonical->encode($no);
	is $all[0]{type}, 'tool_blocked', 'a tool that was not approved is blocked';
}

$ws->send_json({ type => 'INPUT', prompt => 'approve rm' });
$ws->next(type => 'approval_needed');
my $other = $host->ws(session => { session_id => 'approve' });
is $other->next(type => 'approval_needed')->{tool}, 'rm',
    'a second client of the session is asked for the approval';
is $host->http(GET => '/sessions/approve')->{json}{status}, 'waiting_approval',
    'the record of a waiting turn says waiting_approval';
$_->send_json({ type => 'APPROVAL_RESPONSE', approved => JSON::PP::true, scope => 'once' })
    for $other, $ws, $other;
for my $client ($ws, $other) {
	my @all = $client->all_until('OUTPUT', 'ERROR');
	is $all[-1]{result}, 'rm was approved and ran.', 'the first of three approvals counts';
	is scalar(grep { $_->{type} eq 'tool_result' } @all), 1,
	    'a tool that was approved three times runs once';
	is_deeply [grep { $_->{type} eq 'ERROR' } $client->settle], [],
	    'approvals after the first are ignored';
}

$ws->send_json({ type => 'INPUT', prompt => 'approve rm' });
$ws->next(type => 'approval_needed');
$host->pass(601);
is $ws->next(type => 'OUTPUT')->{result}, 'rm was not approved.', 'silence is a no';
$host->stop;
done_testing;
