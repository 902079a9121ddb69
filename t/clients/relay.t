#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The published programs meet at co-relayd: clients (PyPI 1.9.2 and 1.8.0, npm 0.1.4) and agents
# (our host, and the hosts of these packages), each with each, sealed and in clear, over ws and
# wss. "make test-clients" runs this; RELAY_ROUNDS=N repeats it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin";

use Clients;
use CoHost qw(lacks run source wait_for write_file);
use CoRelay;
use Test::More;

my $python = Clients::python() or lacks 'no Python client: scripts/setup --tests could not install it';
my $older = Clients::older() or lacks 'no older Python client: scripts/setup --tests could not install it';
my $node = Clients::node() or lacks 'no JavaScript client: scripts/setup --tests could not install it';

# Endpoints at which nobody listens: clients have to go by the relay.
my %by_relay = (AGENT_PUBLIC_DOMAIN => '127.0.0.1:1');
my $home;

sub py {
	my ($what, $url, $env, @stories) = @_;
	subtest $what => sub {
		Clients::stories([$python, source('t/clients/pypi.py'), $url, @stories], $home, $env) };
}

sub py_older {
	my ($what, $url, $env, @stories) = @_;
	subtest $what => sub {
		Clients::stories([$older, source('t/clients/pypi.py'), $url, @stories], $home,
			{ VERSION => '1.8.0', %$env }) };
}

sub js {
	my ($what, $url, $env, @stories) = @_;
	subtest $what => sub {
		Clients::stories(['node', source('t/clients/npm.mjs'), $url, @stories], $home,
			{ NODE_HOME => $node, %$env }) };
}

sub our_host {
	my ($relay, %o) = @_;
	my $host = Clients::host(relay => $relay->ws_url, args => ['-o', 'max_prompt=4000000'],
		%o, env => { %by_relay, %{ $o{env} || {} } });
	ok $relay->wait_agents(1), 'our host is announced';
	return $host;
}

for my $round (1 .. $ENV{RELAY_ROUNDS} || 1) {
for my $workers (1, 4) {
	my $relay = CoRelay->start(workers => $workers, args => ['-o', 'limit_announces=100']);
	$home = $relay->dir . '/home';
	my %via = (RELAY => $relay->url);
	my $w = "co-relayd -w $workers";

	# ---- our host ----
	my $host = our_host($relay, workers => $workers);
	$via{MASTER} = $host->pid;
	py("$w, our host, PyPI 1.9.2, sealed", $host->url, \%via,
		qw(talk sealed talk_async ask approve stop files megabytes quick owner call_refused));
	py("$w, our host, PyPI 1.9.2, in clear", $host->url, { %via, ANONYMOUS => 1 }, qw(talk));
	py("$w, our host, PyPI 1.9.2, its line is cut", $host->url, \%via, qw(roam missed_end killed));
	py_older("$w, our host, PyPI 1.8.0", $host->url, \%via, qw(small question));
	js("$w, our host, npm 0.1.4, http:// relay", $host->url, \%via,
		qw(talk many ask approve interrupt files megabytes status come_back modes));
	cmp_ok $relay->counter('frames_to_clients_total'), '>', 100, "$w: the frames went by the relay";
	$host->stop;
	$relay->wait_agents(0);
	$host = our_host($relay, workers => $workers, trust => 'careful', env => { CO_INVITE_CODE => 'sesame' });
	py("$w, our host with a door, PyPI 1.9.2", $host->url, { %via, INVITE => 'sesame' }, qw(gate call));
	js("$w, our host with a door, npm 0.1.4", $host->url, { %via, INVITE => 'sesame' }, 'gate');
	$host->stop;
	$relay->wait_agents(0);

	# ---- hosts of the packages ----
	for my $of (['PyPI 1.9.2', $python], ['PyPI 1.8.0', $older]) {
		my ($name, $interpreter) = @$of;
		my $theirs = Clients::package_host($interpreter, %by_relay, RELAY => $relay->ws_url);
		ok $theirs->{address}, "$w: the host of $name serves";
		ok $relay->wait_agents(1), "$w: the host of $name is announced";
		my $url = $theirs->{url};
		my $is_new = $name =~ /1\.9/;
		py("$w, host of $name, PyPI 1.9.2", $url, \%via,
			'small', $is_new ? qw(sealed talk_async stop_live question) : ());
		py_older("$w, host of $name, PyPI 1.8.0", $url, \%via, 'small');
		# Its host is slow for all once it has kept large answers. That of 1.8.0 ends its
		# link at a message over 1 MiB.
		js("$w, host of $name, npm 0.1.4", $url, \%via, qw(many talk));
		if ($is_new) {
			py("$w, host of $name, PyPI 1.9.2, 2 MB", $url, \%via, 'megabytes');
			js("$w, host of $name, npm 0.1.4, 2 MB", $url, \%via, 'megabytes');
		}
		Clients::package_end($theirs);
		ok $relay->wait_agents(0), "$w: the host of $name has left";
	}
	is $relay->counter('bad_client_frames_total'), 0, "$w: no published client was refused";
	is $relay->counter('bad_agent_frames_total'), 0, "$w: no frame of a published host was refused";
	is $relay->counter('announces_refused_total'), 0, "$w: no ANNOUNCE of a published host was refused";
	$relay->stop;
}
}
done_testing;
