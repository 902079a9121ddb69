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
		is $r->{json}{result}, $want, "'$prompt' is answered";
		is $r->{json}{session}{turn}, ++$turn, "the session counts turn $turn";
		is $r->{json}{session_id}, $session->{session_id},
		    'the session keeps its id from turn to turn'
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
is scalar(grep { $_ eq 'user' } @roles), 3, 'the conversation has three messages of the user';
is scalar(grep { $_ eq 'assistant' } @roles), 3, 'the conversation has three answers';

$host->kill_worker($_) for $host->workers;
ok wait_for(10, sub { scalar($host->workers) == 4 }), 'all workers are new';
is $host->input('What is my name?', session => { session_id => $s->{session_id} })
    ->{json}{result}, 'Your name is John',
    'the server keeps the conversation over a change of all workers';

my %older = (%$s, messages => [], trace => [], turn => 1, iteration => 0, updated => 1);
my $r = $host->input('What is my name?', session => \%older);
is $r->{json}{result}, 'Your name is John', 'an older copy loses';
is $r->{json}{server_newer}, JSON::PP::true,
    "a client with an older copy is told that the server's is newer";
$host->stop;
done_testing;
