#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Between the host and its relay is a network that loses packets, or everything: the agent is
# listed again soon after it can be, and sessions go on without loss.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Comeback;
use HostRelay;
use LossyNet;
use Sign qw(host_address);
use Test::More;

LossyNet::enter();
my $net = LossyNet->start;
my $relay = HostRelay->start(workers => 2, bind => $net->near, clock => 1);
my $dir = CoHost::directory();
my $host = CoHost->start(dir => $dir, relay => $relay->url, workers => 2, clock => 1,
	bind => "unix:$dir/socket", prefix => [$net->prefix],
	args => ['-o', 'trust=open']);
my $address = host_address($host);

sub connected {
	my (%session) = @_;
	return $relay->client($address, session => \%session);
}

# How often the host has said this.
sub said {
	my ($what) = @_;
	return scalar(() = $host->words =~ /$what/g);
}

ok $relay->agent($address), 'an agent is listed by a relay in another network';

# ---- packets are lost, both ways ----

# make soak-link loses 30 %, where a single packet may need half a minute.
my $loss = $ENV{LINK_LOSS} || 0.15;
$net->loss($loss);
my @turns = map { Comeback->begin(\&connected, 'stream 10 50') } 1 .. $ENV{LINK_TURNS} || 2;
$_->read for @turns;
is scalar(grep { $_->end && $_->end->{type} eq 'OUTPUT' } @turns), scalar @turns,
    100 * $loss . ' % of the packets are lost: all turns end';
is scalar(grep { $_->twice } @turns), 0, 'packets are lost: no event comes twice';
$net->heal;
like $net->lost, qr/^[1-9]\d* packets$/, 'packets were lost';

# ---- the network is cut ----

my $turn = Comeback->begin(\&connected, 'stream 30 200');
$turn->read(until => sub { $turn->seen > 3 });
my $lost = said(qr/relay disconnected/);
$net->cut;
$host->pass(91);
ok wait_for(10, sub { said(qr/relay disconnected/) > $lost }),
    'a host notices that its relay is silent';
$relay->pass(121);
ok wait_for(10, sub { !$relay->is_listed($address) }),
    'a relay does not list an agent that is silent';
for my $n (1 .. 4) {
	wait_for(10, sub { $host->pass(3); said(qr/relay connection error/) >= $n });
}
cmp_ok said(qr/relay connection error/), '>=', 4, 'a host tries again while the network is cut';
$net->heal;
# An attempt may be under way whose packets were lost; the next one succeeds.
my $is_back;
for my $step (1, 2) {
	my $failed = said(qr/relay connection error/);
	$host->pass(32) if !$is_back;
	wait_for(20, sub { ($is_back = $relay->is_listed($address))
		|| said(qr/relay connection error/) > $failed });
}
ok $is_back, 'an agent is listed again within two waits after a cut';
ok $turn->read, 'a client comes back to its turn after a cut';
is $turn->end->{result}, 'Streamed 30 steps.', 'a turn ends across a cut of the network';
is $turn->twice, 0, 'no event comes twice after a cut';
cmp_ok $turn->breaks, '>', 0, 'the client was told that its agent was away';
is +($turn->ws->turn('echo on'))[-1]{result}, 'on', 'the session goes on after a cut';
$turn->ws->close;
$host->stop;
$relay->stop;
done_testing;
