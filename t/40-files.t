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
is $told->{files}[0]{name}, 'a.txt', 'files_received names the file';
my $path = $told->{files}[0]{path};
is CoHost::read_file($path), 'hello', 'files_received names the stored file';
like $all[-1]{result}, qr/a\.txt.*5 bytes.*/, 'the agent is told of the file';
like $all[-1]{result}, qr/Image 1.*6 bytes/, 'the agent is told of the image';

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
	is $f->{type}, 'ERROR', "a frame with wrong files is answered by an ERROR: $message";
	is $f->{message}, $message, "the ERROR for wrong files has its words: $message";
}
is +($ws->turn('echo on'))[-1]{result}, 'on', 'wrong files do not close the socket';
is scalar(my @kept = glob $host->dir . '/.co/uploads/*'), 1,
    'files of refused inputs are not kept';
is $host->metric('cohostd_uploads_total'), 1,
    'the metric of uploads counts the file that was kept';
$host->stop;
done_testing;
