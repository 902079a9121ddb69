#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Files and images: limits with their exact text, and where files go.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file);
use MIME::Base64 qw(encode_base64);
use Test::More;

my $host = CoHost->start(yaml => "max_file_size: 1\nmax_files_per_request: 3\n");
my $mb = 1024 * 1024;
my $post = sub { $host->input('look', @_) };

sub file { my ($name, $bytes, $type) = @_;
	return { name => $name, data => "data:text/plain;base64," . encode_base64($bytes, '') } }
sub image { return 'data:image/png;base64,' . encode_base64($_[0], '') }

sub refused {
	my ($what, $text, @body) = @_;
	my $r = $post->(@body);
	is $r->{status}, 400, $what;
	is $r->{json}{error}, $text, "$what: the answer says why";
}

my $r = $post->(files => [file('a.txt', 'hello'), file('b.txt', 'x' x $mb)],
	images => [image('picture')]);
is $r->{status}, 200, 'files up to the limit pass';
like $r->{json}{result}, qr/a\.txt.*5 bytes/, 'the agent was told of the first file';
like $r->{json}{result}, qr/b\.txt.*1048576 bytes/, 'the agent was told of the second file';
like $r->{json}{result}, qr/Image 1.*7 bytes/, 'the agent was told of the image';
my $dir = $host->dir . '/.co/uploads';
my @saved = glob "$dir/*";
is scalar(@saved), 2, 'two files are saved';
like $saved[0], qr{/[0-9a-f]{32}_[ab]\.txt$}, "saved files have a name of the server's own";
is_deeply [sort { $a <=> $b } map { length read_file($_) } @saved], [5, $mb] ,
    'files are saved whole'
    or diag "@saved";
is sprintf('%04o', (stat $dir)[2] & 07777), '0700', 'files are saved in a private directory';
is sprintf('%04o', (stat $saved[0])[2] & 07777), '0600', 'saved files are private';
unlike $r->{body}, qr/aGVsbG8/, 'the data of files are not in the session';

refused('too many files are refused',
	'Too many files: 4 (max: 3). Increase max_files_per_request in host.yaml',
	files => [map { file("$_", 'x') } 1 .. 4]);
refused('a file that is too large is refused',
	'File too large: big.bin (1.5MB, max: 1MB). Increase max_file_size in host.yaml',
	files => [file('big.bin', 'x' x (1.5 * $mb))]);
refused('too many images are refused',
	'Too many images: 4 (max: 3). Increase max_files_per_request in host.yaml',
	images => [(image('x')) x 4]);
refused('an image that is too large is refused',
	'Image too large: image 1 (1.2MB, max: 1MB). Increase max_file_size in host.yaml',
	images => [image('x'), image('x' x (1.2 * $mb))]);

refused('a file that is no object is refused', 'Invalid file: 0', files => ['x']);
refused('a file without data is refused', 'Invalid file: 1',
	files => [file('a', 'x'), { name => 'b' }]);
refused('a file name that is no string is refused', 'Invalid file: 0',
	files => [{ name => 1, data => 'eA==' }]);
refused('data that are not base64 are refused', 'Invalid file: 0',
	files => [{ name => 'a', data => '!!' }]);
refused('an image that is no string is refused', 'Invalid image: 0', images => [{}]);
refused('an image by its address is refused', 'Invalid image: 0',
	images => ['https://example.com/x.png']);
is $post->(files => undef, images => [])->{status}, 200,
    'null and [] count as no files and no images';
is scalar(my @now = glob "$dir/*"), 2, 'nothing refused was kept';
$host->stop;
done_testing;
