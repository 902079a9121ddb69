#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# libcoconnect over TLS, to relays and to hosts, and through a proxy.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(lacks run source);
use CoRelay;
use File::Temp ();
use Front;
use Relay;
use Sign qw(key_of);
use Talker;
use Test::More;

run(['openssl', 'version'])->{status} == 0 or lacks 'there is no openssl';
run(['python3', '-c', 'import ssl'])->{status} == 0 or lacks 'there is no python3 with ssl';

my $dir = File::Temp->newdir('tls-XXXXXX', TMPDIR => 1);
my @new = qw(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2);

# An authority, and a certificate of it for localhost.
for my $name (qw(ca other)) {
	run([@new, '-subj', "/CN=$name", '-keyout', "$dir/$name.key", '-out', "$dir/$name.pem"]);
}
run([@new, '-subj', '/CN=relay', '-addext', 'subjectAltName=DNS:localhost',
	'-CA', "$dir/ca.pem", '-CAkey', "$dir/ca.key", '-keyout', "$dir/relay.key",
	'-out', "$dir/relay.pem"]);
ok -s "$dir/relay.pem", 'there is a certificate';

# TLS in front of a port: its own port, and how to end it.
sub tls {
	my ($port) = @_;
	my $pid = open my $out, '-|', 'python3', source('t/lib/tls_front.py'), "$dir/relay.pem",
	    "$dir/relay.key", $port or die "python3: $!";
	my ($own) = <$out> =~ /(\d+)/;
	return ($own, sub { kill KILL => $pid; close $out });
}

my $relay = CoRelay->start(workers => 2, args => ['-o', 'hold_timeout=1']);
my $host = CoHost->start(workers => 2, relay => $relay->ws_url, args => ['-o', 'trust=open']);
my $address = key_of($host)->{address};
$relay->wait_agents(1);
my ($relay_port, $end_relay) = tls($relay->port);
my ($host_port, $end_host) = tls($host->port);
my %trust = (SSL_CERT_FILE => "$dir/ca.pem", SSL_CERT_DIR => '/nowhere');

sub come {
	my ($url, $env, %o) = @_;
	return Talker->start($address, relay => $url, env => { %trust, %$env }, %o);
}

for my $scheme (qw(wss https)) {
	my $c = come("$scheme://localhost:$relay_port", {}, no_direct => 1);
	is $c->result('input echo tls')->{text}, 'tls', "$scheme: a turn goes over TLS";
	like $c->result('big 2000000')->{text}, qr/2000000 bytes/, "$scheme: 2 MB go over TLS";
	is $c->ways, 'connecting open+*', "$scheme: the relay is the way, and sealed as well";
	$c->end;
	$c = come("$scheme://localhost:$relay_port", {});
	$c->result('input echo direct');
	is $c->ways, 'lookup connecting open*', "$scheme: the look-up goes over TLS";
	$c->end;
}

my %distrust = (
	'another authority' => ["wss://localhost:$relay_port", { SSL_CERT_FILE => "$dir/other.pem" }],
	'another name' => ["wss://127.0.0.1:$relay_port", {}],
);
for my $what (sort keys %distrust) {
	my $c = come(@{ $distrust{$what} });
	my $r = $c->result('input echo secret');
	is $r->{code}, 'unreachable', "$what: the relay is not trusted" or diag explain $c->{all};
	like $r->{text}, qr/cannot be trusted/, "$what: the error says why";
	is $c->ways, 'lookup connecting broken', "$what: the look-up finds nothing either";
	$c->end;
}

# ---- a host behind TLS ----

my $front = Front->start($relay->address);
$front->answer("/api/agents/$address", { address => $address, online => JSON::PP::true,
	endpoints => [$host->url, "https://localhost:$host_port"] });
my $c = come($front->url, {}, keyless => 1);
$c->result('input echo in clear');
my ($open) = grep { $_->{way} eq 'open' } $c->so_far(what => 'way');
is $open->{where}, "wss://localhost:$host_port/ws", 'in clear, only the endpoint with TLS is used';
$c->end;
$c = Talker->start($address, direct => "https://localhost:$host_port", relay => '',
	env => { %trust });
is $c->result('input echo direct')->{text}, 'direct', 'a host behind TLS is reached by its URL';
$c->end;
$c = Talker->start($address, direct => "https://localhost:$host_port", relay => '',
	env => { %trust, SSL_CERT_FILE => "$dir/other.pem" });
is $c->result('input echo secret')->{code}, 'unreachable',
    'a host of another authority is not trusted';
$c->end;
$end_host->();
$end_relay->();
$host->stop;
$relay->stop;

# ---- a proxy ----

my $proxy = Relay->start(proxy => 1);
$host = CoHost->start(workers => 1, relay => $proxy->url, args => ['-o', 'trust=open']);
$address = key_of($host)->{address};
$proxy->agent($address);
$c = Talker->start($address, relay => 'ws://relay.example', no_direct => 1,
	env => { https_proxy => 'http://' . $proxy->address });
is $c->result('input echo by proxy')->{text}, 'by proxy', 'a turn goes through a proxy';
my ($connect) = grep { $_->{what} eq 'connect' } $proxy->story;
is $connect->{to}, 'relay.example:80', 'the proxy is asked for the relay';
$c->end;
$host->stop;
$proxy->stop;
done_testing;
