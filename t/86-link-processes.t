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
use Comeback;
use HostRelay;
use Sign qw(:all);
use Test::More;

my $relay;

# A turn through the relay, in whose middle something happens.
sub whole {
	my ($name, $address, $happens) = @_;
	my $turn = Comeback->begin(sub { $relay->client($address, session => {@_}) }, 'stream 40 50');
	$turn->read(until => sub { $_[0]->seen >= 5 });
	$happens->();
	$turn->read;
	is(($turn->end // {})->{type}, 'OUTPUT',
	    "$name: a client that comes back gets the end of its turn");
	is $turn->twice, 0, "$name: no event comes twice";
}

for my $workers (1, 4) {
	$relay = HostRelay->start(workers => $workers);
	my $host = CoHost->start(relay => $relay->url, workers => $workers,
		args => ['-o', 'trust=open']);
	my $address = host_address($host);
	$relay->agent($address);

	whole("-w $workers, the keeper killed", $address, sub { kill KILL => $host->keepers });
	whole("-w $workers, a worker killed", $address, sub { kill KILL => $host->workers });

	my ($link) = $host->children_of_kind('link');
	my $announced = $relay->counter('announces_total');
	whole("-w $workers, the link killed", $address, sub { kill KILL => $link });
	ok wait_for(10, sub { my ($new) = $host->children_of_kind('link'); $new && $new != $link }),
	    "-w $workers: a link that was killed is replaced";
	ok $relay->agent($address, $announced + 1),
	    "-w $workers: the new link announces the agent";

	whole("-w $workers, all workers and the link killed", $address, sub {
		kill KILL => $host->workers, $host->children_of_kind('link') });
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
