#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What has not come whole costs memory: strangers may have little of it, and all together no
# more than max_unfinished.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use JSON::PP;
use Sign qw(:all);
use Test::More;

my $KIB = 1024;
my $MIB = 1024 * $KIB;

# Begin a text message of so many bytes, of which these are the first.
sub begin {
	my ($ws, $head, $bytes, $claimed) = @_;
	my $text = $head . 'x' x ($bytes - length $head);
	$ws->send_raw(WS::frame(WS::TEXT(), $text, fin => 0));
	return $ws;
}

for my $workers (1, 4) {
	my $name = "-w $workers";
	my $host = CoHost->start(workers => $workers, yaml => "max_session: 2000000\n");
	my $n = 0;
	my $signed = sub {
		my ($key, %o) = @_;
		return connect_frame($key, $host, payload => { nonce => $n++ }, %o);
	};

	# ---- before CONNECT ----

	my %close = (
		'nothing known' => ['{"x":"', 65 * $KIB, 1009],
		'a CONNECT' => ['{"type":"CONNECT","session":{"x":"', 1000 * $KIB, undef],
		'a CONNECT above max_session' => ['{"type":"CONNECT","session":{"x":"', 4 * $MIB, 1009],
		'a command' => ['{"type":"EXEC","x":"', 65 * $KIB, 1009],
		'a first INPUT' => ['{"type":"INPUT","files":["', 5 * $MIB, undef],
	);
	for my $what (sort keys %close) {
		my ($head, $bytes, $code) = @{ $close{$what} };
		my $ws = begin($host->ws, $head, $bytes);
		if ($code) {
			is $ws->wait_close, $code, "$name: $bytes bytes of $what are refused to a stranger";
		} else {
			$ws->send_frame(WS::PING(), 'here');
			ok wait_for(10, sub { $ws->next(timeout => 0.1); $ws->pongs }),
			    "$name: $bytes bytes of $what are taken from a stranger";
		}
	}

	# ---- after CONNECT ----

	my $anna = key_new();
	my $ws = $host->ws;
	$ws->send_json($signed->($anna, session_id => 'hers',
		session => { messages => [{ role => 'user', content => 'y' x 1_500_000 }] }));
	is $ws->next(type => ['CONNECTED', 'ERROR'])->{type}, 'CONNECTED',
	    "$name: a CONNECT may bring a conversation of max_session";
	$ws->send_json({ type => 'INPUT', prompt => 'echo ' . 'z' x 900_000,
		files => [{ name => 'f', data => 'data:text/plain;base64,' . 'QUJD' x 1_000_000 }] });
	is length($ws->next(type => ['OUTPUT', 'ERROR'])->{result} // ''), 900_000,
	    "$name: then files of megabytes are taken";
	my $first = $host->ws;
	$first->send_json({ type => 'INPUT', prompt => 'echo first',
		files => [{ name => 'f', data => 'data:text/plain;base64,' . 'QUJD' x 1_000_000 }] });
	is $first->next(type => ['OUTPUT', 'ERROR'])->{result}, 'first',
	    "$name: so are those of an INPUT that comes first";
	$host->stop;
}

# ---- the budget ----

my $host = CoHost->start(workers => 1, yaml => "max_unfinished: 16\n");
my $anna = key_new();
my $hers = $host->ws;
$hers->send_json(connect_frame($anna, $host));
$hers->next(type => 'CONNECTED');
my @strangers = map { begin($host->ws, '{"type":"CONNECT","session":{"x":"', 3 * $MIB) } 1 .. 5;
ok wait_for(10, sub { $host->metric('cohostd_unfinished_bytes') > 14 * $MIB }),
    'unfinished bytes of messages are counted';
$hers->send_json({ type => 'INPUT', prompt => 'echo ok',
	files => [{ name => 'f', data => 'data:text/plain;base64,' . 'QUJD' x 2_000_000 }] });
is $hers->next(type => ['OUTPUT', 'ERROR'])->{result}, 'ok',
    'an authenticated client finds room when strangers fill the budget';
my $cut = grep { $_->next(timeout => 0.3); ($_->closed // 0) == 1013 } @strangers;
ok $cut >= 1 && $cut < 5, 'some of the strangers are told to try again';
is $host->metric('cohostd_unfinished_dropped_total'), $cut,
    'the strangers that were cut are counted';

my $body = $host->client;
$body->write("POST /input HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	. 'Content-Length: ' . 20 * $MIB . "\r\n\r\n{\"prompt\":\"" . 'p' x (18 * $MIB));
my $head = $body->head;
is $head->{status}, 503, 'a body above the budget is refused as busy';
is $head->{header}{'retry-after'}, 1, 'the refusal of a body above the budget has Retry-After';
$_->socket->close for @strangers;
ok wait_for(10, sub { $host->metric('cohostd_unfinished_bytes') == 0 }),
    'no byte is held when all clients have left';
$host->stop;
done_testing;
