#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# More of the published programs at co-relayd: TLS with an authority of the test's own, the direct
# way before that by the relay, and the command co (announce, sub sync, call).
# "make test-clients" runs this.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin";

use Clients;
use CoHost qw(lacks read_file run source wait_for write_file);
use CoRelay;
use File::Path qw(make_path);
use JSON::PP ();
use Test::More;

my $python = Clients::python() or lacks 'no Python client: scripts/setup --tests could not install it';
my $older = Clients::older() or lacks 'no older Python client: scripts/setup --tests could not install it';
my $co = Clients::co() or lacks 'nothing that co starts with: scripts/setup --tests could not install it';
my $node = Clients::node() or lacks 'no JavaScript client: scripts/setup --tests could not install it';
run(['openssl', 'version'])->{status} == 0 or lacks 'there is no openssl';

my $relay = CoRelay->start(workers => 4, args => ['-o', 'limit_announces=100']);
my $home = $relay->dir . '/home';

sub told {
	my ($what, $argv, $env) = @_;
	subtest $what => sub { Clients::stories($argv, $home, $env) };
}

# ---- direct first ----

my $host = Clients::host(relay => $relay->ws_url, workers => 4);
ok $relay->wait_agents(1), 'our host is announced';
my %via = (RELAY => $relay->url);
told('a host that can be reached, PyPI 1.9.2', [$python, source('t/clients/pypi.py'), $host->url, 'small'],
	\%via);
told('a host that can be reached, npm 0.1.4', ['node', source('t/clients/npm.mjs'), $host->url, 'many'],
	{ %via, NODE_HOME => $node });
is $relay->counter('frames_to_agents_total'), 0, 'clients go directly when the record leads there';
cmp_ok $relay->counter('lookups_total'), '>', 0, 'clients asked the relay where the agent is';
$host->stop;
$relay->wait_agents(0);

# ---- a restart ----

# A turn of PyPI 1.9.2, in the middle of which the relay is restarted, or reloaded.
sub through {
	my ($what, $url, $happen) = @_;
	my $before = $relay->counter('frames_to_clients_total');
	my $out = "$home/through";
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		open STDOUT, '>', $out;
		open STDERR, '>&', \*STDOUT;
		chdir $home;
		%ENV = (%ENV, HOME => $home, AGENT_CONFIG_PATH => "$home/.co", RELAY => $relay->url,
			CONNECTONION_BACKEND_URL => 'http://127.0.0.1:1', PYTHONDONTWRITEBYTECODE => 1);
		exec $python, source('t/clients/pypi.py'), $url, 'through' or POSIX::_exit(127);
	}
	ok wait_for(30, sub { $relay->counter('frames_to_clients_total') > $before + 12 }),
	    "$what: a turn runs";
	$happen->();
	waitpid $pid, 0;
	my $told = read_file($out);
	ok $told =~ /^# the end$/m && $told !~ /^not ok/m, "$what: the turn comes through" or diag $told;
}

sub restart {
	$relay->signal('TERM');
	is $relay->wait_exit, 0, 'the relay stops';
	$relay = $relay->start_again(workers => 4);
}

for my $of (['our host', sub { Clients::host(relay => $relay->ws_url, workers => 4,
		env => { AGENT_PUBLIC_DOMAIN => '127.0.0.1:1' }) }, sub { $_[0]->stop }],
	['the host of PyPI 1.9.2', sub { Clients::package_host($python,
		AGENT_PUBLIC_DOMAIN => '127.0.0.1:1', RELAY => $relay->ws_url) }, \&Clients::package_end]) {
	my ($name, $start, $end) = @$of;
	$host = $start->();
	ok $relay->wait_agents(1), "$name is announced";
	my $url = ref $host eq 'HASH' ? $host->{url} : $host->url;
	through("$name, a reload of the relay", $url, sub { $relay->signal('HUP') });
	through("$name, a restart of the relay", $url, \&restart);
	$end->($host);
	ok $relay->wait_agents(0), "$name has left";
}

# ---- TLS ----

my $dir = $relay->dir;
my @new = qw(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2);
is run([@new, '-subj', '/CN=test authority', '-keyout', "$dir/ca.key", '-out', "$dir/ca.pem"])
    ->{status}, 0, 'an authority is made';
is run([@new, '-subj', '/CN=relay', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
	'-CA', "$dir/ca.pem", '-CAkey', "$dir/ca.key", '-keyout', "$dir/relay.key",
	'-out', "$dir/relay.pem"])->{status}, 0, 'a certificate is made';
my $front_pid = open my $front, '-|', 'python3', source('t/lib/tls_front.py'), "$dir/relay.pem",
    "$dir/relay.key", $relay->port or die "python3: $!";
my ($tls_port) = <$front> =~ /(\d+)/;
my %trust = (SSL_CERT_FILE => "$dir/ca.pem", NODE_EXTRA_CA_CERTS => "$dir/ca.pem");
my %by_relay = (AGENT_PUBLIC_DOMAIN => '127.0.0.1:1');
my $wss = "wss://localhost:$tls_port";

sub over_tls {
	my ($what, $url) = @_;
	my %env = (%trust, RELAY => "https://localhost:$tls_port");
	my $before = $relay->counter('frames_to_agents_total');
	told("TLS, $what, PyPI 1.9.2", [$python, source('t/clients/pypi.py'), $url, 'small'], \%env);
	told("TLS, $what, PyPI 1.8.0", [$older, source('t/clients/pypi.py'), $url, 'small'],
		{ %env, VERSION => '1.8.0' });
	told("TLS, $what, npm 0.1.4", ['node', source('t/clients/npm.mjs'), $url, 'many'],
		{ %env, NODE_HOME => $node });
	cmp_ok $relay->counter('frames_to_agents_total') - $before, '>', 20,
	    "TLS, $what: the frames went by the relay";
}

$host = Clients::host(relay => $wss, env => { %by_relay, %trust }, workers => 4);
ok $relay->wait_agents(1), 'TLS: our host is announced';
over_tls('our host', $host->url);
$host->stop;
$relay->wait_agents(0);
my $theirs = Clients::package_host($python, %by_relay, %trust, RELAY => $wss);
ok $relay->wait_agents(1), 'TLS: the host of PyPI 1.9.2 is announced';
over_tls('host of PyPI 1.9.2', $theirs->{url});
Clients::package_end($theirs);
kill KILL => $front_pid;
close $front;
$relay->wait_agents(0);

# ---- the command co ----

sub home {
	my ($name) = @_;
	my $place = "$dir/$name";
	make_path("$place/.co/skills/greet/data", "$place/.co/skills/plain");
	is run([$python, '-c', 'import sys, pathlib; from connectonion import address as a; '
		. 'a.save(a.generate(), pathlib.Path(sys.argv[1]) / ".co")', $place], timeout => 60)->{status}, 0,
	    "$name has a key";
	return $place;
}

sub co {
	my ($place, @words) = @_;
	return run([$co, '-c', 'from connectonion.cli.main import cli; cli()', @words], timeout => 60,
		dir => $place, env => { HOME => $place, CONNECTONION_BACKEND_URL => 'http://127.0.0.1:1',
			PYTHONDONTWRITEBYTECODE => 1, COLUMNS => 200 });
}

my ($publisher, $subscriber) = map { home($_) } qw(publisher subscriber);
write_file("$publisher/.co/agent.json", JSON::PP::encode_json({ alias => 'greeter', bio => 'Greets people',
	skills => [{ name => 'greet', description => 'greets', publish => JSON::PP::true },
		{ name => 'plain', description => 'one file', publish => JSON::PP::true },
		{ name => 'listed', description => 'no body' }] }));
write_file("$publisher/.co/skills/greet/SKILL.md", "---\nname: greet\ndescription: greets\n---\nSay hello.\n");
write_file("$publisher/.co/skills/greet/data/words.txt", "hello\n");
write_file("$publisher/.co/skills/plain/SKILL.md", "---\nname: plain\ndescription: x\n---\nNothing.\n");
for my $round (1, 2) {
	my $r = co($publisher, 'announce', '--relay', $round == 1 ? $relay->url : $relay->ws_url . '/ws/announce');
	like $r->{out}, qr/Announced\./, "co announce, round $round: the relay acknowledges" or diag $r->{out};
	is $r->{status}, 0, "co announce, round $round: exits with 0";
}
my $found = $relay->ws(path => '/ws/lookup');
my $address;
ok wait_for(10, sub {
	$found->send_json({ type => 'FIND', query => 'greeter' });
	($address) = map { $_->{address} } @{ $found->next(type => 'AGENTS')->{agents} };
	$address }), 'co announce: what was published is found';
my $r = co($subscriber, 'sub', 'sync', $address, '--relay', $relay->url);
is $r->{status}, 0, 'co sub sync: takes over what was published' or diag $r->{out};
my ($copy) = glob "$subscriber/.co/subs/*/skills/greet/SKILL.md";
like read_file($copy // ''), qr/Say hello\./, 'co sub sync: the signed body of a skill has arrived';
my ($data) = glob "$subscriber/.co/subs/*/skills/greet/data/words.txt";
is read_file($data // ''), "hello\n", 'co sub sync: the files of a skill have arrived';

$host = Clients::host(relay => $relay->ws_url, env => \%by_relay, workers => 4);
ok $relay->wait_agents(1), 'our host is announced for co call';
my $to = HTTP->once($host->address, GET => '/info')->{json}{address};
my $before = $relay->counter('frames_to_clients_total');
$r = co($subscriber, 'call', '--relay', $relay->ws_url, $to, 'co', 'status');
like $r->{out}, qr/forbidden: exec requires/, 'co call: the answer of the agent arrives' or diag $r->{out};
cmp_ok $relay->counter('frames_to_clients_total'), '>', $before, 'co call: it went by the relay';
$r = co($subscriber, 'call', '--relay', $relay->ws_url, '0x' . '1' x 64, 'co', 'status');
like $r->{out}, qr/Agent not connected/, 'co call: an agent that is not connected is named in the error' or diag $r->{out};
$host->stop;
is $relay->counter("announces_refused_total"), 0, 'no published program was refused';
$relay->stop;
done_testing;
