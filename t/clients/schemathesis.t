#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The official validators accept /openapi.json and /asyncapi.json, and schemathesis finds no reply
# that is not as described, and no error 5xx, in some thousand requests. "make test-clients" runs
# this.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";

use CoHost qw(lacks program run source write_file);
use File::Basename qw(dirname);
use Test::More;

my $build = dirname(program('co-hostd'));
my ($python, $node) = ("$build/describe/bin", "$build/describe-node");
lacks 'no schemathesis: t/clients/install BUILD more installs it' unless -x "$python/schemathesis";
lacks 'no parser of AsyncAPI: t/clients/install BUILD more installs it'
    unless -d "$node/node_modules/\@asyncapi/parser";

my $dir = CoHost::directory();
my $host = CoHost->start(dir => $dir, workers => 2,
	args => ['--trust', 'open', '-o', 'admin_bearer=any', '-o', 'limit_peer_requests=0']);
write_file("$dir/$_", $host->http(GET => "/$_")->{body}) for qw(openapi.json asyncapi.json);

my $r = run(["$python/openapi-spec-validator", "$dir/openapi.json"], timeout => 60);
is $r->{status}, 0, 'the validator of OpenAPI accepts /openapi.json' or diag $r->{out};
$r = run(['node', source('t/clients/asyncapi.mjs'), $node, "$dir/asyncapi.json"], timeout => 60);
is "$r->{status} $r->{out}", '0 ', 'the parser of AsyncAPI finds nothing wrong in /asyncapi.json';

# Pages for people, and streams without an end, are not what it tests. It is not asked whether other methods get 405: below /admin
# strangers get 401 for whatever they try.
$r = run(["$python/schemathesis", '--no-color', 'run', $host->url . '/openapi.json',
	'--checks', 'not_a_server_error,status_code_conformance,content_type_conformance,'
	    . 'response_schema_conformance,response_headers_conformance',
	'--exclude-tag', 'page', '--exclude-path-regex', '^/admin/(live|logs/tail)\$', '--header', 'Authorization: Bearer any',
	'--phases', 'examples,coverage,fuzzing', '--max-examples', '50',
	'--generation-deterministic', '--workers', '2'], timeout => 280);
is $r->{status}, 0, 'each reply to schemathesis is as described, and none is an error 5xx'
    or diag $r->{out};
my ($generated) = $r->{out} =~ /(\d+) generated/;
cmp_ok $generated // 0, '>', 500, 'schemathesis made hundreds of requests';
is $host->http(GET => '/health')->{status}, 200, 'the server serves after that';
$host->stop;
done_testing;
