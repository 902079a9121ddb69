#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The way to the relay: TLS with authorities that the operator trusts, and a proxy.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(lacks run source wait_for);
use File::Temp ();
use Relay;
use Sign qw(:all);
use Test::More;

run(['openssl', 'version'])->{status} == 0 or lacks 'there is no openssl';
run(['python3', '-c', 'import ssl'])->{status} == 0 or lacks 'there is no python3 with ssl';

my $dir = File::Temp->newdir('tls-XXXXXX', TMPDIR => 1);

# An authority, and a certificate of it for these names.
sub make_certs {
	my ($names) = @_;
	my @new = qw(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2);
	is run([@new, '-subj', '/CN=test authority', '-keyout', "$dir/ca.key", '-out', "$dir/ca.pem"])
	    ->{status}, 0, 'an authority is made';
	is run([@new, '-subj', '/CN=relay', '-addext', "subjectAltName=$names",
		'-CA', "$dir/ca.pem", '-CAkey', "$dir/ca.key",
		'-keyout', "$dir/relay.key", '-out', "$dir/relay.pem"])->{status}, 0,
	    'a certificate is made';
}

# TLS in front of a relay: its port, what it says since, and how to end it.
sub front {
	my ($relay) = @_;
	my $pid = open my $out, '-|', 'python3', source('t/lib/tls_front.py'), "$dir/relay.pem",
	    "$dir/relay.key", $relay->{port} or die "python3: $!";
	my ($port) = <$out> =~ /(\d+)/;
	return ($port, $out, sub { kill KILL => $pid; close $out });
}

make_certs('DNS:localhost,IP:127.0.0.1');
my $relay = Relay->start;
my ($port, $front, $end_front) = front($relay);
my %trust = (SSL_CERT_FILE => "$dir/ca.pem", SSL_CERT_DIR => '/nowhere');

sub start {
	my ($url, %env) = @_;
	return CoHost->start(relay => $url, workers => 1, args => ['-o', 'trust=open'], env => \%env);
}

for my $name ('localhost', '127.0.0.1') {
	my $host = start("wss://$name:$port", %trust);
	my $address = host_address($host);
	ok $relay->agent($address), "$name: the agent is announced over TLS";
	my $ws = $relay->client($address, session => {});
	my $text = 'z' x 300_000;
	ok +($ws->turn("echo $text"))[-1]{result} eq $text, "$name: a turn goes over TLS";
	chomp(my $sni = <$front>);
	is $sni, $name eq 'localhost' ? 'localhost' : '-',
	    "$name: a name is told to the server, an address is not";
	$host->stop;
}

my $untrusting = start("wss://localhost:$port", SSL_CERT_FILE => '/dev/null', SSL_CERT_DIR => '/nowhere');
ok wait_for(20, sub { $untrusting->words =~ /relay connection error \(wss:\S+ cannot be trusted: its certificate: unable to get local issuer certificate\)/ }),
    'a relay whose authority is unknown is not trusted';
is $untrusting->http(GET => '/health')->{status}, 200, 'the server serves beside a relay it does not trust';
$untrusting->stop;

$end_front->();
make_certs('DNS:other.example');
($port, $front, $end_front) = front($relay);
my $wrong = start("wss://localhost:$port", %trust);
ok wait_for(20, sub { $wrong->words =~ /cannot be trusted: its certificate: hostname mismatch/ }),
    'a relay with the certificate of another is not trusted';
$wrong->stop;

my $clear = start('wss://localhost:' . $relay->{port}, %trust);
ok wait_for(20, sub { $clear->words =~ /cannot be trusted: TLS: / }),
    'a relay without TLS is not trusted';
$clear->stop;
$end_front->();

# ---- a proxy ----

my $proxy = Relay->start(proxy => 1);
my $host = start('ws://relay.example:7', http_proxy => $proxy->url =~ s/^ws/http/r);
my $address = host_address($host);
ok $proxy->agent($address), 'the agent is announced through a proxy';
my ($connect) = grep { $_->{what} eq 'connect' } $proxy->story;
is $connect->{to}, 'relay.example:7', 'the proxy is asked for the relay';
my $ws = $proxy->client($address, session => {});
is +($ws->turn('echo through'))[-1]{result}, 'through', 'a turn goes through the proxy';
$host->stop;

$host = start($relay->url, http_proxy => 'http://127.0.0.1:1', no_proxy => 'example, 127.0.0.1');
ok $relay->agent(host_address($host)), 'no_proxy spares the relay';
$host->stop;

my $bare = Relay->start;
$host = start('ws://relay.example:7', http_proxy => $bare->url =~ s/^ws/http/r);
ok wait_for(20, sub { $host->words =~ /relay connection error \(ws:\S+ is behind a proxy that / }),
    'a proxy that does not serve is mentioned';
$host->stop;
$_->stop for $relay, $proxy, $bare;
done_testing;
