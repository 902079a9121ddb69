#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# /openapi.json and /asyncapi.json describe what is there; errors in the form of RFC 9457 for
# those who want it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file run source);
use JSON::PP qw(decode_json);
use Test::More;

for my $what (qw(openapi asyncapi)) {
	my $r = run([$^X, source('scripts/describe'), $what, source('.'), '--strict']);
	is $r->{status}, 0, "$what: src/api/describe.json has words for each route and frame"
	    or diag $r->{out} =~ s/^[^d].*\n//mgr;
}

my $host = CoHost->start(workers => 2, args => ['--trust', 'open']);
my %doc;
for my $what (qw(openapi asyncapi)) {
	my $r = $host->http(GET => "/$what.json");
	is $r->{status}, 200, "/$what.json is there";
	is $r->{header}{'content-type'}, 'application/json', "/$what.json is JSON";
	$doc{$what} = $r->{json};
}
is $doc{openapi}{openapi}, '3.1.0', '/openapi.json is OpenAPI 3.1';
is $doc{asyncapi}{asyncapi}, '3.0.0', '/asyncapi.json is AsyncAPI 3';
is $doc{openapi}{info}{version}, $host->http(GET => '/info')->{json}{version},
    'the description has the version of the server';

# Each reference leads somewhere.
sub references {
	my ($v) = @_;
	return ref $v eq 'ARRAY' ? map { references($_) } @$v
	    : ref $v ne 'HASH' ? () : map { $_ eq '$ref' ? $v->{$_} : references($v->{$_}) } keys %$v;
}
for my $what (qw(openapi asyncapi)) {
	my %broken;
	for my $ref (references($doc{$what})) {
		my $at = $doc{$what};
		$at = $at->{$_} // last for split m{/}, $ref =~ s{^#/}{}r;
		$broken{$ref} = 1 unless $at && ref $at;
	}
	is join(' ', sort keys %broken), '', "$what: each reference leads somewhere";
}

# What is described exists: GET without parameters is answered with a status that is described.
for my $path (sort grep { !/\{/ } keys %{$doc{openapi}{paths}}) {
	my $op = $doc{openapi}{paths}{$path}{get} // next;
	my $r = $host->http(GET => $path, { accept => 'application/json' });
	ok $op->{responses}{$r->{status}}, "the status of GET $path is described"
	    or diag $r->{status};
	next if $r->{status} == 404 && $path =~ m{^/(?:dashboard|agents|manifest|licenses)};
	my ($type) = $r->{header}{'content-type'} =~ /^([^;]+)/;
	my $reply = $op->{responses}{$r->{status}};
	$reply = $doc{openapi}{components}{responses}{$1}
	    if ($reply->{'$ref'} // '') =~ m{/responses/(\w+)};
	ok $reply->{content}{$type}, "the type of GET $path is described" or diag $type;
}
my @events = read_file(source('src/core/events.tbl')) =~ /^EVENT\(\w+, "(\w+)", STREAM/mg;
my @lost = grep { $_ ne 'custom' && !$doc{asyncapi}{components}{messages}{"event.$_"} } @events;
is "@lost", '', '/asyncapi.json has each event of events.tbl';

# ---- errors ----

my %wants = (accept => 'application/problem+json, application/json');
my $r = $host->http(GET => '/sessions/nobody', \%wants);
is $r->{status}, 404, 'a problem has the status of the error';
is $r->{header}{'content-type'}, 'application/problem+json', 'a problem has its type';
is_deeply $r->{json}, { type => 'about:blank', title => 'Not Found', status => 404,
	detail => $r->{json}{error}, error => $r->{json}{error} }, 'a problem has the members of RFC 9457';
$r = $host->http(POST => '/input', { %wants, 'content-type' => 'application/json' },
	'{"prompt": "x", "session": {"session_id": "a\u0000\"b\\\\"}}');
is $r->{json}{detail}, $r->{json}{error}, 'the detail of a problem is the text of the error';
$r = $host->http(POST => '/input', { %wants }, { prompt => 'fail now' });
is_deeply [@{$r->{json}}{qw(status title detail code)}],
    [500, 'Internal Server Error', 'Unable to run agent', -32603], 'a turn that failed is a problem';
for my $accept ('application/json', '*/*', 'application/problem+json;q=0', 'application/problem+json; q=0.00, */*') {
	$r = $host->http(GET => '/nothing', { accept => $accept });
	is_deeply $r->{json}, { error => 'not found' }, "an error is as ever with Accept: $accept";
}
$r = $host->http(GET => '/nothing', { accept => 'application/problem+json;q=0.1' });
is $r->{json}{status}, 404, 'a small weight is enough for a problem';
is $host->http(GET => '/health', \%wants)->{header}{'content-type'}, 'application/json',
    'what is no error is no problem';
$host->stop;
done_testing;
