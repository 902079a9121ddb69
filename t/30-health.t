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
is $r->{status}, 200, '/health';
is $r->{header}{'content-type'}, 'application/json', 'is JSON';
is_deeply [sort keys %{ $r->{json} }], [qw(agent status uptime)], 'of three words';
is $r->{json}{status}, 'healthy', 'it is healthy';
is $r->{json}{agent}, 'translator', 'it names the agent';
like $r->{json}{uptime}, qr/^\d+$/, 'uptime is a whole number';
$host->pass(3600);
my %uptimes = map { $host->http(GET => '/health')->{json}{uptime} => 1 } 1 .. 8;
cmp_ok((sort { $a <=> $b } keys %uptimes)[0], '>=', 3600,
	'every worker tells the master\'s uptime');

is $host->http(GET => "/$_")->{status}, 200, "/$_" for qw(livez readyz);
$r = $host->http(GET => '/readyz?verbose');
is $r->{json}{checks}{$_}, 'ok', "/readyz?verbose: $_" for qw(store workers);

$r = $host->http(GET => '/info');
is $r->{status}, 200, '/info';
is $r->{header}{'cache-control'}, 'no-store', 'is never cached';
my $info = $r->{json};
is $info->{name}, 'translator', 'name';
like $info->{address}, qr/^0x[0-9a-f]{64}$/, 'address';
is ref $info->{tools}, 'ARRAY', 'tools';
is $info->{trust}, 'careful', 'trust';
ok $info->{version}, 'version';
is_deeply $info->{accepted_inputs}, { text => JSON::PP::true,
	images => JSON::PP::true, files => { max_file_size_mb => 7,
		max_files_per_request => 10 } }, 'limits as configured';
is_deeply $info->{protocol}, { name => 'oip', version => '0.1',
	min_version => '0.1', max_version => '0.1', websocket_path => '/ws' },
    'protocol';
$host->stop;
done_testing;
