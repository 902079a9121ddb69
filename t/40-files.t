#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Images and files over WebSocket: limits, and what the agent is told.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use MIME::Base64 qw(encode_base64);
use Test::More;

my $host = CoHost->start(workers => 2, yaml => "max_file_size: 1\nmax_files_per_request: 2\n");
my $ws = $host->ws(session => { session_id => 'files' });
my $data = sub { encode_base64($_[0], '') };

my @all = $ws->turn('look', files => [{ name => 'a.txt', data => $data->('hello') }],
	images => ['data:image/png;base64,' . $data->('pixels')]);
my ($told) = grep { $_->{type} eq 'files_received' } @all;
is $told->{files}[0]{name}, 'a.txt', 'files_received names it';
my $path = $told->{files}[0]{path};
is CoHost::read_file($path), 'hello', 'and where it is';
like $all[-1]{result}, qr/a\.txt.*5 bytes.*/, 'the agent saw it';
like $all[-1]{result}, qr/Image 1.*6 bytes/, 'and the image';

my @wrong = (
	[{ files => [({ name => 'x', data => 'eA==' }) x 3] },
		'Too many files: 3 (max: 2). Increase max_files_per_request in host.yaml'],
	[{ files => [{ name => 'b', data => $data->('x' x 2**21) }] },
		'File too large: b (2.0MB, max: 1MB). Increase max_file_size in host.yaml'],
	[{ images => [('eA==') x 3] },
		'Too many images: 3 (max: 2). Increase max_files_per_request in host.yaml'],
	[{ files => 'x' }, 'Invalid file: 0'],
	[{ files => [17] }, 'Invalid file: 0'],
	[{ images => [17] }, 'Invalid image: 0'],
);
for (@wrong) {
	my ($more, $message) = @$_;
	my $f = ($ws->turn('look', %$more))[-1];
	is $f->{type}, 'ERROR', 'refused';
	is $f->{message}, $message, 'in these words';
}
is +($ws->turn('echo on'))[-1]{result}, 'on', 'the socket stays open';
is scalar(my @kept = glob $host->dir . '/.co/uploads/*'), 1, 'one file was kept';
is $host->metric('cohostd_uploads_total'), 1, 'and counted';
$host->stop;
done_testing;
