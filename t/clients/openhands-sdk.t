#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# OpenHands' SDK (openhands-sdk 1.58.2), unmodified, runs its conversations here: on four workers,
# while these are killed, behind nginx, and with a key. "make test-clients" runs this.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin";

use Clients;
use CoHost qw(lacks source);
use Test::More;

my $python = Clients::sdk()
    or lacks 'no SDK of OpenHands: t/clients/install could not install it (it needs Python 3.12)';

sub play {
	my ($host, $url, $env, @stories) = @_;
	Clients::stories([$python, source('t/clients/openhands_sdk.py'), $url, @stories],
		$host->dir, { OPENHANDS_SUPPRESS_BANNER => 1, %$env });
}

my $host = CoHost->start(workers => 4);

# The example of the README, as it is printed, with this server's address.
my ($example) = CoHost::read_file(source('README')) =~ /^(\tfrom openhands\.sdk import .*?\n)\n/ms;
$example =~ s/^\t//mg;
$example =~ s{http://127\.0\.0\.1:8000}{$host->url}e;
my $r = CoHost::run([$python, '-c', $example], timeout => 240, dir => $host->dir,
    env => { HOME => $host->dir, LITELLM_LOCAL_MODEL_COST_MAP => 'True' });
is $r->{status}, 0, 'the example of the README runs';
like $r->{out}, qr/The result of 42 \* 17 is 714\./, 'the example of the README shows the answer';
play($host, $host->url, {}, qw(turn idle pause approval ends));

# A worker dies every half second while a run goes on.
my $killer = fork // die "fork: $!";
if (!$killer) {
	while (1) {
		select undef, undef, undef, 0.5;
		$host->kill_worker if $host->metric('runs') && $host->workers == 4;
	}
}
play($host, $host->url, {}, 'killed');
kill KILL => $killer;
waitpid $killer, 0;

my ($front, $nginx) = Clients::nginx($host);
SKIP: {
	skip 'no nginx', 1 unless $front;
	play($host, "http://$front", {}, qw(turn approval));
	kill TERM => $nginx;
}
$host->stop;

$host = CoHost->start(workers => 4, env => { SESSION_API_KEY => 'k1' });
play($host, $host->url, { STORY_KEY => 'k1' }, 'refused');
$host->stop;
done_testing;
