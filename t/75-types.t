#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Every field of every frame with a value of every wrong type.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use JSON::PP ();
use Test::More;

my $host = CoHost->start(workers => 2);
my @pids = $host->workers;
my @wrong = (undef, JSON::PP::true, -1, 1.5, 1e300, '', 'x' x 10_000, "\0\n", [], [[]], {},
	{ type => 'CONNECT' }, [1, 'a', undef]);
my %fields = (
	CONNECT => [qw(session_id last_msg_id session protocol to timestamp type)],
	INIT => [qw(session_id session to)], ATTACH => [qw(session_id last_msg_id session)],
	INPUT => [qw(prompt images files input_id session to)],
	ASK_USER_RESPONSE => ['answer'], APPROVAL_RESPONSE => [qw(approved scope mode feedback)],
	PLAN_REVIEW_RESPONSE => ['message'], ULW_RESPONSE => [qw(action turns mode)],
	prompt_update => ['prompt'], mode_change => [qw(mode turns)],
	EXEC => [qw(exec_id tool args)], SESSION_STATUS => [qw(session payload)],
	ONBOARD_SUBMIT => [qw(payload from signature)],
	ADMIN_PROMOTE => [qw(payload from signature)], PING => ['type'], PONG => ['x'],
	PROVIDER_INTERRUPT => [qw(requestId stateRevision invocationId)],
	PROVIDER_INPUT => [qw(requestId text stateRevision)], INTERRUPT => ['x'],
);
for my $type (sort keys %fields) {
	my $n_ok = 0;
	my $n = 0;
	for my $connected (0, 1) {
		for my $field (@{ $fields{$type} }) {
			my $ws = $host->ws($connected ? (session => {}) : ());
			for my $value (@wrong) {
				$ws->send_json({ type => $type, prompt => 'echo x', $field => $value });
			}
			$n++;
			$n_ok++ if eval { $ws->settle; 1 };
			$ws->close;
		}
	}
	is $n_ok, $n, "$type: answers, and stays open";
}

my ($n, @bad) = (0);
for my $field (qw(prompt session images files input_id payload from signature)) {
	for my $value (@wrong) {
		my $r = $host->http(POST => '/input', {}, { prompt => 'echo x', $field => $value });
		$n++;
		push @bad, "$field: " . ($r ? $r->{status} : 'none')
		    unless $r && $r->{status} =~ /^(?:200|4\d\d)$/;
	}
}
is_deeply \@bad, [], "POST /input: $n odd bodies are answered";
for my $path ('%', '%zz', '%00', '..%2f..', "\xff", 'x' x 300, '%0a') {
	my $r = $host->http(GET => "/sessions/$path");
	like $r->{status}, qr/^(?:404|400)$/, 'an odd id: ' . ($path =~ s/[^ -~]/?/gr =~ s/(.{10}).*/$1/r);
}
is_deeply [$host->workers], \@pids, 'no worker died';
$host->stop;
done_testing;
