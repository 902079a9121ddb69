#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What a client is told of a failure never shows where the server's files are.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file write_file);
use JSON::PP ();
use Sign qw(:all);
use Test::More;

my ($anna, $admin) = (key_new(), key_new());
my $host = CoHost->start(workers => 1);
my $dir = $host->dir;
my $n = 0;

sub is_discreet {
	my ($text, $want, $name) = @_;
	like $text, $want, $name;
	unlike $text, qr{\Q$dir\E|/home/|/tmp/}, "$name: without a path";
}

write_file("$dir/.co/admins.txt", "$admin->{address}\n");
for my $list (qw(contacts whitelist blocklist)) {
	my $file = "$dir/.co/$list.txt";
	unlink $file;
	mkdir $file or die "$file: $!";
	is_discreet($host->http(POST => '/input', {}, signed_body($anna,
		{ prompt => 'echo hi', timestamp => now($host), nonce => $n++ }))->{body},
		qr/cannot read $list\.txt/, "$list.txt that cannot be read, to who signs");
	my $ws = $host->ws;
	$ws->send_json(connect_frame($anna, $host, payload => { nonce => $n++ }));
	is_discreet($ws->next_text, qr/cannot read $list\.txt/,
	    "$list.txt that cannot be read, on a socket");
	my @promote = (method => 'POST', path => '/admin/trust/promote');
	is_discreet($host->http(POST => '/admin/trust/promote', {}, signed_body($admin,
		{ @promote, client_id => $anna->{address}, n => $n++ }))->{body},
		qr/cannot read $list\.txt/, "$list.txt that cannot be read, to an admin");
	like read_file($host->log), qr{list=\Q$file\E: }, "$list.txt is told to the log with its path";
	rmdir $file;
}

# As the store says it when it fails: .co/uploads is no folder.
rmdir "$dir/.co/uploads";
write_file("$dir/.co/uploads", '');
my %input = (prompt => 'echo hi', files => [{ name => 'a', data => 'data:text/plain;base64,YQ==' }]);
is_discreet($host->http(POST => '/input', {}, \%input)->{body}, qr/"error"/,
    'files that cannot be saved, over HTTP');
my $ws = $host->ws(session => {});
$ws->send_json({ type => 'INPUT', %input });
is_discreet(JSON::PP::encode_json($ws->next(type => 'ERROR')), qr/"ERROR"/,
    'files that cannot be saved, on a socket');
$host->stop;
done_testing;
