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
is scalar($host->keepers), 1, 'and one keeper';
cmp_ok $host->{ready_s}, '<', 5, "ready after $host->{ready_s} s";
is $host->http(GET => '/health')->{status}, 200, 'the first request is answered';
is $host->http(GET => '/readyz')->{status}, 200, 'it says it is ready';

my $words = $host->words;
my $port = $host->port;
my $address = $host->http(GET => '/info')->{json}{address};
like $words, qr/\[agent\] ─+\n\s+greeter\n\s+\S+ • \d+ tools/,
    'the banner tells of the agent';
like $words, qr/\[host\]  ─+\n\s+http:\S+:$port\n\s+POST \/input · WS \/ws · GET \/docs/,
    'and where it is';
like $words, qr/0x[0-9a-f]{8}/, 'with an address';
like $address, qr/^0x[0-9a-f]{64}$/, 'which /info tells whole';
like $words, qr{config: \S+/\.co/host\.yaml}, 'it names its configuration';
like $words, qr{logs: \S+/\.co/logs}, 'and the logs';
like $words, qr/Waiting for tasks\.\.\./, 'it waits for tasks';
like $words, qr/^ {8}\Q$address\E\n {8}no relay\n/m, 'whole, and that there is no relay';
unlike $words, qr/chat\.openonion/, 'where somebody would look for it';
unlike $words, qr/\e/, 'without colours';

ok wait_for(10, sub { -e $host->dir . '/.co/served_by.json' }), 'who serves is noted';
my $mode = sub { sprintf '%04o', (stat $host->dir . "/$_[0]")[2] & 07777 };
ok -d $host->dir . '/.co/keys', '.co/keys is there';
is $mode->('.co/keys/agent.key'), '0600', 'its key is for its owner alone';
ok -d $host->dir . '/.co/logs', '.co/logs is there';
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
    'a level of the environment is told';
unlike banner("trust: open\n", CONNECTONION_ENV => 'development'), qr/trust: |Invite: /,
    'one of host.yaml is not';
my $careful = banner("trust: careful\n", CONNECTONION_ENV => 'development',
	CO_INVITE_CODE => 'open sesame');
unlike $careful, $development, 'the environment does not open what is closed';
like $careful, qr/^ {8}Invite: set — CO_INVITE_CODE in \.env, not printed here$/m,
    'there is an invite code';
unlike $careful, qr/open sesame/, 'which is not told';
like banner("trust: careful\n"),
    qr/^ {8}Invite: no one can onboard — CO_INVITE_CODE is not set\. Add it to \.env, or /m,
    'without one nobody can come in';

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
