#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The store says which format it has: files of a newer program are refused and stay as they
# are, unless they say that this one can use them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program read_file run write_file);
use Test::More;

my $host = CoHost->start(workers => 1);
is $host->input('echo kept', session => { session_id => 'kept' })->{status}, 200, 'an input has run';
$host->stop;
my $first = $host; # it keeps the folder
my $dir = $host->dir;

# Set the version of a file, and the oldest program that may read it.
sub set_format {
	my ($file, $version, $least) = @_;
	my $path = "$dir/.co/store/$file";
	my $text = read_file($path);
	my $n = $text =~ s/(format)(.{8})/$1 . pack('LL', $version, $least)/ges;
	write_file($path, $text);
	return $n;
}

sub start { return CoHost->start(dir => $dir, workers => 1, @_) }

for my $file ('facts.mdb', 'journal.mdb') {
	ok set_format($file, 3, 3), "$file has a version";
	my $before = read_file("$dir/.co/store/$file");
	my $old = start(fails => 1);
	is $old->wait_exit, 1, "a server does not start if $file is newer";
	like $old->words, qr/store: \S+$file was written by a newer version, whose format this one \(format 2\) cannot read: install/,
	    "a newer $file is named, with what to do";
	is scalar(grep { /corrupt|damaged/ } glob "$dir/.co/store/*"), 0, "a newer $file is not moved aside";
	ok read_file("$dir/.co/store/$file") eq $before, "a newer $file is not changed";
	set_format($file, 3, 2);
}
$host = start();
is $host->http(GET => '/sessions/kept')->{json}{result}, 'kept',
    'files of a newer version that this one can use are read';
$host->stop;
ok set_format('facts.mdb', 3, 4), 'the version of a newer program stays when an older one has used the file';
my $r = run([program('co-hostd'), 'export', '-d', "$dir"]);
isnt $r->{status}, 0, 'a command refuses a newer store';
like $r->{out}, qr/written by a newer version/, 'a command says that the store is newer';
set_format('facts.mdb', 2, 2);
$host = start();
is $host->http(GET => '/sessions/kept')->{json}{result}, 'kept', 'the store is as it was after all refusals';
$host->stop;
done_testing;
