#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A UUID with dashes and without them name one session, not two.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my @uuids = ('019a0000-1111-7222-8333-444455556666', '019a0000-1111-7222-8333-44445555aaaa');
for my $workers (1, 4) {
	my $host = CoHost->start(workers => $workers);
	my $at = "with -w $workers";
	my @ids = ($uuids[0], $uuids[1] =~ tr/-//dr);
	for my $id (@ids) {
		my $other = $id =~ /-/ ? $id =~ tr/-//dr : $uuids[1];
		my $begun = $id =~ /-/ ? 'with dashes' : 'without dashes';
		$host->input('echo first', session => { session_id => $id });
		is $host->input('echo second', session => { session_id => $other })->{json}{session_id},
		    $id, "POST /input finds the session that was begun $begun $at";
		is $host->ws(session => { session_id => $other })->session_id, $id,
		    "CONNECT finds the session that was begun $begun $at";
		my $fresh = "$id-x";
		is $host->ws(session => { session_id => $fresh })->session_id, $fresh,
		    "an id that is no UUID stays as it is: $begun $at";
	}
	is_deeply [sort map { $_->{session_id} } @{ $host->http(GET => '/sessions')->{json}{sessions} }],
	    [sort @ids], "there are no twins $at";
	my $new = '019a0000-9999-7222-8333-444455556666';
	is $host->ws(session => { session_id => $new })->session_id, $new,
	    "a UUID that names no session begins one of this id $at";
	$host->stop;
}
done_testing;
