#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Messages through the relay that are larger than their clients may send: a little above the
# limit is enough. Such a client is told and ended, and the link and all others go on.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Relay;
use Sign qw(:all);
use Test::More;

# What a client may send before its CONNECT: a sealed CONNECT with its conversation.
my $session = 1024;
my $first = int((1024 * 1024 + $session) / 3) * 4 + 1024 * 1024;
my $most = 4 * 1024 * 1024;

sub frame_of {
	my ($size, %frame) = @_;
	return { %frame, x => 'x' x $size };
}

sub oversized { return $_[0]->metric('cohostd_relay_oversized_total') }

for my $workers (1, 4) {
	my $relay = Relay->start;
	my $host = CoHost->start(relay => $relay->url, workers => $workers, args => [
		'-o', 'trust=open', '-o', "max_session=$session", '-o', 'max_body=4']);
	my $address = host_address($host);
	$relay->agent($address);

	my $stranger = $relay->client($address);
	$stranger->send_json(frame_of($first, type => 'CONNECT'));
	is $stranger->next(type => 'ERROR')->{message},
	    "message too large: $first bytes are the limit before CONNECT",
	    "-w $workers: a first message above the limit is refused, with the limit";
	is $stranger->wait_close, 1009, "-w $workers: its client is closed with 1009";
	is oversized($host), 1, "-w $workers: the message is counted";

	my $late = $relay->client($address);
	$late->send_json({ type => 'INPUT', prompt => 'echo hi' });
	ok $late->next(type => 'ERROR'), "-w $workers: a client may speak before its CONNECT";
	$late->send_json(frame_of($first, type => 'CONNECT'));
	is $late->wait_close, 1009,
	    "-w $workers: a client that was answered, but not admitted, may not send more";

	my $near = $relay->client($address);
	$near->send_json(frame_of(1_000_000, type => 'CONNECT'));
	ok $near->next(type => 'CONNECTED'), "-w $workers: a CONNECT of 1 MB is served";
	$near->send_json(frame_of(3_500_000, type => 'INPUT', prompt => 'echo large'));
	is +($near->all_until('OUTPUT'))[-1]{result}, 'large',
	    "-w $workers: a client that is admitted may send more";

	# A relay that adds its ids at the end: whose message it is is seen at its end.
	my $end = '"session_id":"s","conn_id":"nobody"}';
	$relay->tell_agents('{"type":"CONNECT","x":"' . 'x' x $first . '",' . $end);
	ok wait_for(10, sub { oversized($host) == 3 }),
	    "-w $workers: a message is refused whose ids come last";

	my $other = $relay->client($address, session => {});
	$near->send_json(frame_of($most, type => 'INPUT', prompt => 'echo hi'));
	is $near->wait_close, 1009,
	    "-w $workers: an admitted client may not send more than a direct one";
	my ($end_frame) = grep { $_->{what} eq 'agent' && ($_->{frame}{type} // '') eq 'close' }
	    reverse $relay->story;
	is $end_frame->{frame}{reason}, "message too large: $most bytes are the limit",
	    "-w $workers: the relay is told of that limit";
	is oversized($host), 4, "-w $workers: each such message is counted";
	is +($other->turn('echo still here'))[-1]{result}, 'still here',
	    "-w $workers: a client beside them is served";
	ok !(grep { $_->{what} eq 'agent gone' } $relay->story),
	    "-w $workers: the connection to the relay has never ended";
	$host->stop;
	$relay->stop;
}
done_testing;
