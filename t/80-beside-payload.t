#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Clients that sign their prompt alone put images, files and input_id beside the payload.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use MIME::Base64 qw(encode_base64);
use Sign qw(key_new connect_frame command_frame sign_payload host_address);
use Test::More;

my $host = CoHost->start(workers => 2, yaml => "max_file_size: 1\nmax_files_per_request: 2\n");
my $address = host_address($host);
my $anna = key_new();
my $n = 0;
my %load = (files => [{ name => 'a.txt', data => encode_base64('hello', '') }],
	images => ['data:image/png;base64,' . encode_base64('pixels', '')]);

sub hello {
	my (%payload) = @_;
	my $ws = $host->ws;
	$ws->send_json(connect_frame($anna, $host, payload => { nonce => $n++, %payload }));
	$ws->next(type => 'CONNECTED') or die "not connected\n";
	return $ws;
}

# An INPUT whose payload has the prompt, and what else is given.
sub input {
	my ($beside, %payload) = @_;
	return { type => 'INPUT', %$beside,
		%{ sign_payload($anna, { prompt => 'look', to => $address, nonce => $n++, %payload }) } };
}

sub end_of {
	my ($ws, $frame) = @_;
	$ws->send_json($frame);
	return ($ws->all_until('OUTPUT', 'ERROR'))[-1];
}

my $ws = hello();
my $end = end_of($ws, input({%load, input_id => 'mine'}));
like $end->{result}, qr/a\.txt.*5 bytes/s, 'a v1 socket: files beside the payload reach the agent';
like $end->{result}, qr/Image 1.*6 bytes/s,
    'a v1 socket: images beside the payload reach the agent';
is $end->{input_id}, 'mine', 'a v1 socket: the input_id beside the payload counts';

$end = end_of($host->ws, input({%load, input_id => 'other'}));
like $end->{result}, qr/a\.txt.*5 bytes.*Image 1.*6 bytes|Image 1.*6 bytes.*a\.txt.*5 bytes/s,
    'a signed INPUT without CONNECT: files and images reach the agent';
is $end->{input_id}, 'other', 'a signed INPUT without CONNECT: the input_id counts';

$end = end_of($ws, input({ files => [({ name => 'x', data => 'eA==' }) x 3] }));
like $end->{message}, qr/^Too many files: 3 \(max: 2\)/,
    'the limit of files counts beside the payload';
$end = end_of($ws, input({ images => [('eA==') x 3] }));
like $end->{message}, qr/^Too many images: 3 \(max: 2\)/,
    'the limit of images counts beside the payload';
$end = end_of($ws, input({ input_id => 5 }));
is $end->{message}, 'input_id invalid',
    'an input_id that is no text is refused beside the payload';
$end = end_of($ws, input({ files => [{ name => 'b.txt', data => 'eA==' }] }, files => $load{files}));
like $end->{result}, qr/a\.txt/, 'signed files count';
unlike $end->{result}, qr/b\.txt/, 'files beside signed files do not count';

$ws = hello(signed_commands => 1);
my $frame = command_frame($anna, $host, 'INPUT', prompt => 'look');
$end = end_of($ws, { %$frame, %load });
unlike $end->{result}, qr/a\.txt|Image/, 'only the signed part of a signed command counts';
$host->stop;
done_testing;
