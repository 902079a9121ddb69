#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Tokens for Onsembl: the command that makes them, and keys that cannot be used.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use CoHost qw(program run write_file);
use Digest::SHA qw(hmac_sha256);
use File::Temp;
use JSON::PP qw(decode_json);
use MIME::Base64 qw(decode_base64url encode_base64url);
use Test::More;

my $secret = 'a secret of more than thirty-two bytes';
my $dir = File::Temp->newdir;
mkdir "$dir/.co";

sub co { run([program('co-hostd'), '-d', "$dir", @_]) }

my $r = co('token', 'ann');
is $r->{status}, 1, 'no token is made without a secret';
like $r->{out}, qr/ONSEMBL_JWT_SECRET/, 'the command token says without a secret what to set';

{
	local $ENV{ONSEMBL_JWT_SECRET} = $secret;
	$r = co('token', 'ann');
	is $r->{status}, 0, 'a token is made with a secret' or diag $r->{out};
	chomp(my $token = $r->{out});
	my ($head, $claims, $mac) = split /\./, $token;
	is encode_base64url(hmac_sha256("$head.$claims", $secret)), $mac,
	    'the token is signed with the secret';
	is_deeply decode_json(decode_base64url($head)), { alg => 'HS256', typ => 'JWT' },
	    'the header of the token names HS256';
	$claims = decode_json(decode_base64url($claims));
	is $claims->{sub}, 'ann', 'the token names its user';
	is $claims->{exp} - $claims->{iat}, 86400, 'the token is good for a day';
	(undef, $claims) = split /\./, co('token', 'ann', 60)->{out};
	$claims = decode_json(decode_base64url($claims));
	is $claims->{exp} - $claims->{iat}, 60, 'the token is good for as long as is said';
	for my $bad ([], ['a b'], ['ann', 'x'], ['ann', '0'], ['ann', '1', '2']) {
		is co('token', @$bad)->{status}, 2, "the arguments '@$bad' are refused";
	}
	$ENV{ONSEMBL_JWT_SECRET} = 'short';
	$r = co('-t');
	isnt $r->{status}, 0, 'a secret that is too short stops the start';
	like $r->{out}, qr/ONSEMBL_JWT_SECRET: the secret has 5 bytes; HS256 needs at least 32/,
	    'a secret that is too short is named';
}
write_file("$dir/secret", "$secret\n");
$r = co('-o', 'onsembl_secret_file=secret', 'token', 'ann');
like $r->{out}, qr/^[\w-]+\.[\w-]+\.[\w-]+$/, 'the secret may be in a file of the project';
write_file("$dir/keys", "no key\n");
$r = co('-t', '-o', 'onsembl_keys=keys');
like $r->{out}, qr/onsembl_keys: it has no public key in PEM form/,
    'a file without keys stops the start';
$r = co('-t', '-o', 'onsembl_keys=nowhere');
like $r->{out}, qr/onsembl_keys: \S+nowhere: No such file/, 'a missing file of keys stops the start';
done_testing;
