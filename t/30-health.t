#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# /health, /livez, /readyz and /info say what they are documented to say.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(yaml => "name: translator\nmax_file_size: 7\n", clock => 1);

my $r = $host->http(GET => '/health');
is $r->{status}, 200, 'GET /health is 200';
is $r->{header}{'content-type'}, 'application/json', '/health answers in JSON';
is_deeply [sort keys %{ $r->{json} }], [qw(agent status uptime)], '/health has three members';
is $r->{json}{status}, 'healthy', '/health says healthy';
is $r->{json}{agent}, 'translator', '/health names the agent';
like $r->{json}{uptime}, qr/^\d+$/, 'uptime is a whole number';
$host->pass(3600);
my %uptimes = map { $host->http(GET => '/health')->{json}{uptime} => 1 } 1 .. 8;
cmp_ok((sort { $a <=> $b } keys %uptimes)[0], '>=', 3600,
	'every worker tells the master\'s uptime');

is $host->http(GET => "/$_")->{status}, 200, "GET /$_ is 200" for qw(livez readyz);
$r = $host->http(GET => '/readyz?verbose');
is $r->{json}{checks}{$_}, 'ok', "/readyz?verbose says ok for $_" for qw(store workers);

$r = $host->http(GET => '/info');
is $r->{status}, 200, 'GET /info is 200';
is $r->{header}{'cache-control'}, 'no-store', '/info is never cached';
my $info = $r->{json};
is $info->{name}, 'translator', '/info gives the name';
like $info->{address}, qr/^0x[0-9a-f]{64}$/, '/info gives the address';
is ref $info->{tools}, 'ARRAY', '/info lists tools';
is $info->{trust}, 'careful', '/info gives the trust level';
ok $info->{version}, '/info gives the version';
is_deeply $info->{accepted_inputs}, { text => JSON::PP::true,
	images => JSON::PP::true, files => { max_file_size_mb => 7,
		max_files_per_request => 10 } }, '/info gives the configured limits';
is_deeply $info->{protocol}, { name => 'oip', version => '0.1',
	min_version => '0.1', max_version => '0.1', websocket_path => '/ws' },
    '/info gives the protocol';
$host->stop;
done_testing;
