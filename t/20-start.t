#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# One command: workers, a banner, an address, and a server that is ready.
use strict;
use utf8;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for write_file);
use Test::More;

my $host = CoHost->start(yaml => "name: greeter\n");

is scalar($host->workers), 4, 'four workers run';
is scalar($host->keepers), 1, 'one keeper is running';
note "ready after $host->{ready_s} s";
is $host->http(GET => '/health')->{status}, 200, 'the server answers its first request';
is $host->http(GET => '/readyz')->{status}, 200, 'the server says that it is ready';

my $words = $host->words;
my $port = $host->port;
my $address = $host->http(GET => '/info')->{json}{address};
like $words, qr/\[agent\] ─+\n\s+greeter\n\s+\S+ • \d+ tools/,
    'the banner names the agent and its tools';
like $words, qr/\[host\]  ─+\n\s+http:\S+:$port\n\s+POST \/input · WS \/ws · GET \/docs/,
    'the banner names the endpoints';
like $words, qr/0x[0-9a-f]{8}/, 'the banner names the start of the address';
like $address, qr/^0x[0-9a-f]{64}$/, '/info gives the whole address';
like $words, qr{config: \S+/\.co/host\.yaml}, 'the banner names the configuration file';
like $words, qr{logs: \S+/\.co/logs}, 'the banner names the folder of logs';
like $words, qr/Waiting for tasks\.\.\./, 'the banner ends when the server waits for tasks';
like $words, qr/^ {8}\Q$address\E\n {8}no relay\n/m,
    'the banner gives the whole address and says that there is no relay';
unlike $words, qr/chat\.openonion/, 'the banner has no chat link without a relay';
unlike $words, qr/\e/, 'the banner has no colours without a terminal';

ok wait_for(10, sub { -e $host->dir . '/.co/served_by.json' }), 'served_by.json is written';
my $mode = sub { sprintf '%04o', (stat $host->dir . "/$_[0]")[2] & 07777 };
ok -d $host->dir . '/.co/keys', 'a start makes .co/keys';
is $mode->('.co/keys/agent.key'), '0600', 'the key is readable by its owner alone';
ok -d $host->dir . '/.co/logs', 'a start makes .co/logs';
$host->stop;

my $again = CoHost->start(dir => $host->dir, workers => 1);
is $again->http(GET => '/info')->{json}{address}, $address,
    'the address stays the same over a restart';
$again->stop;

# What the banner says depends on who may come in.
sub banner {
	my ($yaml, %env) = @_;
	my $h = CoHost->start(yaml => $yaml, workers => 1,
		env => { CO_INVITE_CODE => '', CONNECTONION_ENV => '', %env });
	wait_for(10, sub { $h->words =~ /Waiting for tasks/ });
	my $words = $h->words;
	$h->stop;
	return $words;
}
my $development = qr/^ {8}trust: open \(CONNECTONION_ENV=development\)$/m;
like banner("name: x\n", CONNECTONION_ENV => 'development'), $development,
    'the banner names the level that CONNECTONION_ENV sets';
unlike banner("trust: open\n", CONNECTONION_ENV => 'development'), qr/trust: |Invite: /,
    'the banner does not name CONNECTONION_ENV when host.yaml sets the level';
my $careful = banner("trust: careful\n", CONNECTONION_ENV => 'development',
	CO_INVITE_CODE => 'open sesame');
unlike $careful, $development, 'CONNECTONION_ENV does not open what host.yaml closes';
like $careful, qr/^ {8}Invite: set — CO_INVITE_CODE in \.env, not printed here$/m,
    'the banner says that an invite code is set';
unlike $careful, qr/open sesame/, 'the banner does not print the invite code';
my $admits = qr/^ {8}trust: careful: without an invite code .* without a signature$/m;
my $free = banner("trust: careful\n");
like $free, qr/^ {8}Invite: no one can onboard — CO_INVITE_CODE is not set\. Add it to \.env, or /m,
    'the banner says that nobody can onboard without an invite code';
like $free, $admits, 'the banner says that strangers need no signature without an invite code';
unlike $careful, $admits, 'the banner does not say so when there is an invite code';
my $paid = banner("trust: careful\n", CO_PAYMENT => '0.5');
unlike $paid, qr/no one can onboard/, 'the banner lets strangers onboard when there is a price';
unlike $paid, $admits, 'the banner does not admit strangers unsigned when there is a price';
like $paid, qr/^ {8}Invite: no code .* by the payment of CO_PAYMENT\.$/m,
    'the banner says that strangers can pay';

# The environment of the project is loaded, and said to be.
my $dir = CoHost::directory();
mkdir "$dir/home/.co";
write_file("$dir/.env", "ONE=1\n");
write_file("$dir/home/.co/keys.env", "TWO=2\n");
my $loads = CoHost->start(dir => "$dir", workers => 1);
wait_for(10, sub { $loads->words =~ /Waiting for tasks/ });
like read_file($loads->{out}), qr{^INFO: Loaded environment: \Q$dir\E/\.env
INFO: Loaded global keys: \Q$dir\E/home/\.co/keys\.env\n\n\[agent\] }m,
    'the banner begins with what was loaded';
$loads->stop;
done_testing;
