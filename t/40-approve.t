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
is $q->{tool}, 'bash', 'the tool';
is ref $q->{arguments}, 'HASH', 'its arguments';
ok $q->{id}, 'an id';
is $all[-1]{result}, 'bash was approved and ran.', 'yes';
is $all[0]{type}, 'tool_result', 'it ran';

my @noes = (
	{ approved => JSON::PP::false, scope => 'once', mode => 'reject_hard' },
	{ approved => JSON::PP::false, feedback => 'no' },
	{ approved => 'yes' }, { approved => 1 }, {},
	{ approved => JSON::PP::true, scope => 'for ever' },
);
for my $no (@noes) {
	(undef, @all) = approve($no);
	is $all[-1]{result}, 'bash was not approved.',
	    'no: ' . JSON::PP->new->canonical->encode($no);
	is $all[0]{type}, 'tool_blocked', 'it did not run';
}

$ws->send_json({ type => 'INPUT', prompt => 'approve rm' });
$ws->next(type => 'approval_needed');
my $other = $host->ws(session => { session_id => 'approve' });
is $other->next(type => 'approval_needed')->{tool}, 'rm', 'another client is asked as well';
is $host->http(GET => '/sessions/approve')->{json}{status}, 'waiting_approval',
    'the record says that it waits';
$_->send_json({ type => 'APPROVAL_RESPONSE', approved => JSON::PP::true, scope => 'once' })
    for $other, $ws, $other;
for my $client ($ws, $other) {
	my @all = $client->all_until('OUTPUT', 'ERROR');
	is $all[-1]{result}, 'rm was approved and ran.', 'the first answer counts';
	is scalar(grep { $_->{type} eq 'tool_result' } @all), 1, 'it ran once';
	is_deeply [grep { $_->{type} eq 'ERROR' } $client->settle], [], 'the rest is ignored';
}

$ws->send_json({ type => 'INPUT', prompt => 'approve rm' });
$ws->next(type => 'approval_needed');
$host->pass(601);
is $ws->next(type => 'OUTPUT')->{result}, 'rm was not approved.', 'silence is a no';
$host->stop;
done_testing;
