#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A conversation goes on over any workers when its session is passed back.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Test::More;

my $host = CoHost->start;

sub converse {
	my (@pairs) = @_;
	my $session;
	my $turn = 0;
	for (@pairs) {
		my ($prompt, $want) = @$_;
		my $r = $host->input($prompt, $session ? (session => $session) : ());
		is $r->{json}{result}, $want, $prompt;
		is $r->{json}{session}{turn}, ++$turn, "turn $turn";
		is $r->{json}{session_id}, $session->{session_id}, 'same session'
		    if $session;
		$session = $r->{json}{session};
	}
	return $session;
}

converse(['Calculate 100 + 50', 'The result is 150'],
	['Multiply that by 2', 'The result is 300']);
my $s = converse(['My name is John', 'Nice to meet you, John!'],
	['What is my name?', 'Your name is John'],
	['What is my name?', 'Your name is John']);
my @roles = map { $_->{role} } @{ $s->{messages} };
is scalar(grep { $_ eq 'user' } @roles), 3, 'three user messages';
is scalar(grep { $_ eq 'assistant' } @roles), 3, 'three answers';

$host->kill_worker($_) for $host->workers;
ok wait_for(10, sub { scalar($host->workers) == 4 }), 'all workers are new';
is $host->input('What is my name?', session => { session_id => $s->{session_id} })
    ->{json}{result}, 'Your name is John', 'the server has kept it, too';

my %older = (%$s, messages => [], trace => [], turn => 1, iteration => 0, updated => 1);
my $r = $host->input('What is my name?', session => \%older);
is $r->{json}{result}, 'Your name is John', 'an older copy loses';
is $r->{json}{server_newer}, JSON::PP::true, 'and the client is told';
$host->stop;
done_testing;
