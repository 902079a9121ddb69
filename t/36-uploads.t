#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Files and images by the conformance checklist: the same limits and words through HTTP and
# WebSocket, what is stored under which names, and where the contents must never be.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for write_file);
use JSON::PP;
use MIME::Base64 qw(encode_base64);
use Test::More;

my $MB = 1024 * 1024;
my $host = CoHost->start;
my $uploads = $host->dir . '/.co/uploads';
my $n_sockets = 0;

sub file { return { name => $_[0], data => 'data:text/plain;base64,' . encode_base64($_[1], '') } }
sub image { return 'data:image/png;base64,' . encode_base64($_[0], '') }
sub kept { return sort glob "$uploads/*" }
sub runs { return $host->metric('cohostd_runs_done_total') + $host->metric('cohostd_runs') }

# A fresh socket, on whichever worker.
sub come { return $host->ws(session => { session_id => 'files-' . $n_sockets++ }) }

sub turn { my (%o) = @_; return (come()->turn('look', %o))[-1] }

# ---- limits ----

my @refused = (
	[{ files => [map { file("$_", 'x') } 1 .. 11] },
		'Too many files: 11 (max: 10). Increase max_files_per_request in host.yaml'],
	[{ files => [file('small', 'x'), file('video.mp4', 'x' x (10 * $MB + 1))] },
		'File too large: video.mp4 (10.0MB, max: 10MB). Increase max_file_size in host.yaml'],
	[{ images => [map { image('x') } 1 .. 11] },
		'Too many images: 11 (max: 10). Increase max_files_per_request in host.yaml'],
	[{ images => [image('x' x (10 * $MB + 1))] },
		'Image too large: image 0 (10.0MB, max: 10MB). Increase max_file_size in host.yaml'],
	# The first fault counts, files before images.
	[{ files => [file('video.mp4', 'x' x (11 * $MB))], images => [map { image('x') } 1 .. 11] },
		'File too large: video.mp4 (11.0MB, max: 10MB). Increase max_file_size in host.yaml'],
	[{ files => [{ name => 'a' }] }, 'Invalid file: 0'],
	[{ files => [file('a', 'x'), 5] }, 'Invalid file: 1'],
	[{ files => {} }, 'Invalid file: 0'],
	[{ files => [{ name => 'a', data => 5 }] }, 'Invalid file: 0'],
	[{ files => [{ name => undef, data => 'eA==' }] }, 'Invalid file: 0'],
	[{ files => [file('a', 'x'), file('b', 'x'), { name => 'c', data => 'e*==' }] },
		'Invalid file: 2'],
	[{ images => [5] }, 'Invalid image: 0'],
	[{ images => ['https://example.com/x.png'] }, 'Invalid image: 0'],
);
for (@refused) {
	my ($body, $text) = @$_;
	my ($name) = $text =~ /^(.*?)(?:\. |$)/;
	my $r = $host->input('look', %$body);
	is $r->{status}, 400, "HTTP refuses: $name";
	is_deeply $r->{json}, { error => $text }, "the body of the refusal has the reason: $name";
	my $ws = come();
	$ws->send_json({ type => 'INPUT', prompt => 'look', %$body });
	my @all = ($ws->next, $ws->settle);
	is scalar(@all), 1, "WebSocket answers by one frame: $name";
	is_deeply [@{ $all[0] }{qw(type message)}], ['ERROR', $text],
	    "WebSocket answers with an ERROR in the same words: $name";
	is_deeply [kept()], [], "no file of a refused input is kept: $name";
}
is runs(), 0, 'no turn begins for a refused input';

my $whole = file('whole.bin', 'x' x (10 * $MB));
like $host->input('look', files => [$whole])->{json}{result}, qr/whole\.bin.*10485760 bytes/,
    'a file of exactly 10 MiB passes through HTTP';
like turn(files => [$whole])->{result}, qr/whole\.bin.*10485760 bytes/,
    'a file of exactly 10 MiB passes through WebSocket';
my $picture = image('x' x (10 * $MB));
like turn(images => [$picture])->{result}, qr/Image 1.*10485760 bytes/,
    'an image of exactly 10 MiB passes through WebSocket';
like $host->input('look', files => [map { file("f$_", 'x') } 1 .. 10],
	images => [map { image('x') } 1 .. 10])->{json}{result}, qr/Image 10.*File f10 /s,
    'ten files and ten images do';
unlink kept();

# ---- names ----

write_file($host->dir . '/victim', 'as it was');
symlink '../../victim', "$uploads/twice.txt" or die "symlink: $!";
for my $text ('one', 'two') {
	is $host->input('look', files => [file('twice.txt', $text)])->{status}, 200,
	    "a file with the content $text is taken";
}
is turn(files => [file('twice.txt', 'three'), file('twice.txt', 'four')])->{type}, 'OUTPUT',
    'two files of one name are taken in one turn';
is_deeply [sort map { read_file($_) } grep { !-l } kept()], [sort qw(one two three four)],
    'files of one name do not overwrite each other';
is read_file($host->dir . '/victim'), 'as it was',
    'a symlink with the name of an upload is not followed';
unlink kept();

# ---- what clients are told ----

my $ws = come();
my @all = $ws->turn('look', files => [file('../a.txt', 'hello'), file('b.txt', 'there')]);
my ($told) = grep { $_->{type} eq 'files_received' } @all;
my @paths = map { $_->{path} } @{ $told->{files} };
is_deeply [map { $_->{name} } @{ $told->{files} }], ['a.txt', 'b.txt'],
    'files_received names the files';
is_deeply [sort @paths], [kept()], 'files_received gives absolute paths';
# ---- what must not be anywhere ----

my $secret = join '', 'content', map { int rand 10 } 1 .. 24;
my $base64 = encode_base64($secret, '');
my $r = $host->input('look', files => [file('secret.txt', $secret)],
	session => { session_id => 'keeps' });
$ws = come();
my @turn = $ws->turn('look', files => [file('secret.txt', $secret)]);
unlike(JSON::PP->new->encode([$r->{json}, @turn]), qr/\Q$secret\E|\Q$base64\E/,
    'contents of files are in no frame');
my $results = $host->dir . '/.co/session_results.jsonl';
ok wait_for(15, sub {
	my $text = read_file($results);
	2 == grep { $text =~ /"session_id":"$_","status":"done"/ } 'keeps', $ws->session_id;
}), 'the results are written';
$host->stop;
my @found = grep { read_file($_) =~ /\Q$secret\E|\Q$base64\E/ } $results, $host->log, $host->{out},
    glob($host->dir . '/.co/logs/*'), glob($host->dir . '/.co/evals/*');
is_deeply \@found, [], 'contents of files are in no log or result';
done_testing;
