#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A port that is taken: one clear line, no banner, a bad exit.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program run);
use IO::Socket::IP;
use Test::More;

my $taken = IO::Socket::IP->new(LocalHost => '127.0.0.1', LocalPort => 0,
	Listen => 1) or die $@;
my $port = $taken->sockport;
my $dir = CoHost::directory();
my $r = run([program('co-hostd'), '-d', "$dir", '-b', '127.0.0.1', '-p', $port],
	env => { HOME => "$dir/home" });
isnt $r->{status}, 0, 'it ends badly';
isnt $r->{status}, -1, 'and at once';
like $r->{out}, qr/127\.0\.0\.1\D+$port.*in use/i, 'it says what is taken';
like $r->{out}, qr/another port \(-p\)/, 'and what to do about it';
unlike $r->{out}, qr/Waiting for tasks|\[host\]/, 'there was no banner';
done_testing;
