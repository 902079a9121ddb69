#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The processes on the way to a client of the relay: each may be killed, and the settings
# may be read again; a client loses no more than its connection.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use HostRelay;
use Sign qw(:all);
use Test::More;

my $relay;

# Begin a turn through the relay, have something happen in its middle, and come back until
# the turn has ended: its result, and the ids that came twice.
sub turn_with {
	my ($address, $happens, %o) = @_;
	my $ws = $relay->client($address, session => {});
	my ($session, %seen, $last, $end) = $ws->session_id;
	$ws->send_json({ type => 'INPUT', prompt => 'stream 40 50', input_id => 'i' . rand });
	my $twice = 0;
	while (!$end) {
		my $fresh = 1;
		while (my $f = $ws->next(timeout => 30)) {
			if ($f->{type} =~ /^(?:OUTPUT|ERROR)$/) { $end = $f; last }
			my $id = $f->{id} or next;
			$twice++ if $seen{"$f->{type} $id"}++;
			$last = $id;
			if ($happens && keys %seen == 5) { $happens->($ws); undef $happens }
		}
		last if $end || !defined $ws->closed;
		$ws = wait_for(20, sub { eval { $relay->client($address, session => {
			session_id => $session, $last ? (last_msg_id => $last) : () }) } }) or last;
	}
	return ($end, $twice);
}

sub whole {
	my ($name, $end, $twice) = @_;
	is $end->{type}, 'OUTPUT', "$name: a client that comes back gets the end of its turn";
	is $twice, 0, "$name: no event comes twice";
}

for my $workers (1, 4) {
	$relay = HostRelay->start(workers => $workers);
	my $host = CoHost->start(relay => $relay->url, workers => $workers,
		args => ['-o', 'trust=open']);
	my $address = host_address($host);
	$relay->agent($address);

	whole("-w $workers, a worker killed", turn_with($address, sub {
		kill KILL => $host->workers }));

	my ($link) = $host->children_of_kind('link');
	my $announced = $relay->counter('announces_total');
	whole("-w $workers, the link killed", turn_with($address, sub { kill KILL => $link }));
	ok wait_for(10, sub { my ($new) = $host->children_of_kind('link'); $new && $new != $link }),
	    "-w $workers: a link that was killed is replaced";
	ok $relay->agent($address, $announced + 1),
	    "-w $workers: the new link announces the agent";

	whole("-w $workers, all workers and the link killed", turn_with($address, sub {
		kill KILL => $host->workers, $host->children_of_kind('link') }));
	$host->stop;
	$relay->stop if $workers == 1;
}

# ---- one worker of several ----

my $host = CoHost->start(relay => $relay->url, workers => 4, args => ['-o', 'trust=open']);
my $address = host_address($host);
$relay->agent($address);
my @clients = map { $relay->client($address, session => {}) } 1 .. 8;
my ($victim) = $host->workers;
kill KILL => $victim;
ok wait_for(10, sub { $_->next(timeout => 0.01) for @clients;
	2 == grep { defined $_->closed } @clients }),
    'the clients of a worker that was killed are told, and of no other';
my @stay = grep { !defined $_->closed } @clients;
is join(' ', map { ($_->turn('echo on'))[-1]{result} } @stay), 'on on on on on on',
    'clients of other workers are served on';
is join(' ', sort map { $_->closed } grep { defined $_->closed } @clients), '1012 1012',
    'the close says that the client should come back';
$_->close for @stay;
$host->stop;
$relay->stop;
done_testing;
