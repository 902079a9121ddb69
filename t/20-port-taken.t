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
isnt $r->{status}, 0, 'a taken port makes the start fail';
isnt $r->{status}, -1, 'a taken port makes the start fail at once';
like $r->{out}, qr/127\.0\.0\.1\D+$port.*in use/i, 'the message names the taken address and port';
like $r->{out}, qr/another port \(-p\)/, 'the message about a taken port says what to do';
unlike $r->{out}, qr/Waiting for tasks|\[host\]/, 'a start that fails prints no banner';
done_testing;
