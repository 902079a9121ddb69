#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The machine boots again: the journal is discarded, and with it the list of signatures
# that were used; none of them is valid again.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file write_file);
use Sign qw(:all);
use Test::More;

my $dir = CoHost::directory();
my $anna = key_new();
my $host;

sub start {
	$host = CoHost->start(dir => "$dir", clock => 1, workers => 2,
		args => ['-o', 'trust=open']);
	return;
}

# What the server has of this boot seems to be of another one.
sub boot {
	$host->stop;
	my $mark = "$dir/.co/store/journal.mark";
	write_file($mark, read_file($mark) =~ s/^./?/sr);
	start();
	return;
}

my $n = 0;
sub signed {
	my ($time) = @_;
	return signed_body($anna, { prompt => 'echo ' . ++$n, timestamp => $time });
}

sub answer {
	my ($body) = @_;
	my $json = $host->http(POST => '/input', {}, $body)->{json};
	return $json->{result} // $json->{error};
}
my $used = 'unauthorized: signature already used';

start();
my $now = now($host);
# The first and the last second of five, where claims are remembered together.
my ($first, $last) = map { $now - $now % 5 + $_ } 0, 4;
my ($one, $ahead) = map { signed($_) } $first, $now + 200;
is answer($one), 1, 'a signature is accepted once';
is answer($ahead), 2, 'a signature of a client whose clock is ahead is accepted';
$host->stop;
start();
is answer($one), $used, 'a used signature is refused after a restart';
is answer(signed($last)), 3, 'a new signature is accepted after a restart';

boot();
is answer($one), $used, 'a used signature is refused after a boot';
is answer($ahead), $used,
    'a used signature of a client whose clock is ahead is refused after a boot';
is answer(signed($last)), $used,
    'a new signature of the last seconds before a boot counts as used';
is answer(signed($last + 6)), 5, 'a signature of later seconds is accepted after a boot';
is answer(signed($first - 6)), 6,
    'a signature of seconds in which none was used is accepted after a boot';
$host->pass(190);
is answer($ahead), $used, 'a used signature stays used while its time comes nearer';
$host->stop;
done_testing;
