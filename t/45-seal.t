#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Sealed connections: t/clients/seal.py has the stories.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/clients";

use Clients;
use CoHost qw(lacks source wait_for);
use Test::More;

my $python = $ENV{CO_TEST_PYTHON} // Clients::python()
    or lacks 'no Python client: scripts/setup --tests could not install it';
my $script = source('t/clients/seal.py');

sub stories {
	my ($host, @stories) = @_;
	Clients::stories([$python, $script, $host->url, @stories], $host->dir . '/home', {});
}

# An address of this machine that is not loopback.
sub own_address {
	return (grep { /^\d+(?:\.\d+){3}$/ && !/^127\./ } split ' ', `hostname -I 2>/dev/null`)[0];
}

my $host = Clients::host();
stories($host, qw(talk large secret refused rejected rules uses order cut));
like $host->words, qr/SEAL identity=0x[0-9a-f]{4}\.\.\./,
    'the log names the identity of a sealed connection';
$host->stop;

$host = Clients::host(args => ['-o', 'ping_interval=1']);
stories($host, 'ping');
$host->stop;

SKIP: {
	my $address = own_address() or skip 'this machine has no address but loopback', 1;
	note $address;
	my $lan = Clients::host(bind => $address);
	stories($lan, qw(talk large));
	$lan->stop;
}

# A worker that finds no key serves all the same.
$host = Clients::host(workers => 1);
unlink $host->dir . '/.co/keys/agent.key' or die $!;
my $victim = $host->kill_worker;
ok wait_for(10, sub { my @w = $host->workers; @w == 1 && $w[0] != $victim }),
    'a killed worker is replaced when the key is gone';
is $host->input('echo small')->{json}{result}, 'small', 'a worker without the key takes inputs';
stories($host, 'cannot');
like $host->words, qr/agent\.key is not there any more: connections cannot be sealed/,
    'the log says why connections cannot be sealed';
$host->stop;

SKIP: {
	my $uid = getpwnam('nobody');
	skip 'only root can drop to another user', 1 if $> != 0 || !defined $uid;
	my $dir = CoHost::directory(yaml => "trust: open\n");
	chmod 0755, "$dir";
	chown $uid, -1, "$dir", "$dir/.co", "$dir/home";
	my $nobody = CoHost->start(agent => 'demo', dir => "$dir", args => ['--user', 'nobody']);
	stories($nobody, qw(talk refused));
	$nobody->stop;
}
done_testing;
