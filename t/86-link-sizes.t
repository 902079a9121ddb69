#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Much at once through the relay: large messages in both directions, many clients on one
# connection, and clients that send or read badly, beside which the others go on.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use MIME::Base64 qw(encode_base64);
use HostRelay;
use Sign qw(:all);
use Test::More;


# ---- 2 MB in both directions, beside others ----

for my $workers (1, 4) {
	my $relay = HostRelay->start(workers => $workers);
	my $host = CoHost->start(relay => $relay->url, workers => $workers,
		args => ['-o', 'trust=open', '-o', 'max_prompt=4000000']);
	my $address = host_address($host);
	$relay->agent($address);
	my $large = $relay->client($address, session => {});
	my @others = map { $relay->client($address, session => {}) } 1 .. 4;
	my $text = 'x' x 2_000_000;
	$large->send_json({ type => 'INPUT', prompt => "echo $text" });
	$_->send_json({ type => 'INPUT', prompt => 'echo beside' }) for @others;
	is +($_->all_until('OUTPUT'))[-1]{result}, 'beside',
	    "-w $workers: a client is served beside 2 MB" for @others;
	my $end = ($large->all_until('OUTPUT'))[-1];
	ok $end->{result} eq $text, "-w $workers: 2 MB go there and come back";

	my $file = 'y' x (10 * 1024 * 1024);
	my @files = ({ name => 'ten.bin', data => encode_base64($file, '') });
	my $answer = ($large->turn('files', files => \@files))[-1];
	like $answer->{result}, qr/ten\.bin.*10485760/s,
	    "-w $workers: a file of 10 MiB passes through the relay";
	$files[0]{data} = encode_base64($file . 'y', '');
	like +($large->turn('files', files => \@files))[-1]{message},
	    qr/^File too large: ten\.bin \(10\.0MB, max: 10MB\)/,
	    "-w $workers: a larger file is refused through the relay";
	$host->stop;
	$relay->stop;
}
done_testing;
