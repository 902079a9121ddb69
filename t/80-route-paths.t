#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The path of a request to an agent's own route is decoded once and then matched, so that
# the handler is given what the router of the Python package would give it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use JSON::PP;
use PyAgent;
use Test::More;

PyAgent->need;
my $host = PyAgent->start('paths.py', workers => 1);

my @targets = map { "/public$_" } qw(
    /file/a /file/a%20b /file/..%2f /file/..%2fetc /file/..%252f /file/%2e%2e /file/..
    /file/%252e /file/a%2Fb /file/a/b%2f /file/a/b/c /file/%2f /file/%5c.. /file/fixed
    /file/%66ixed /file/a.txt /file/a%2etxt /file/.txt /file/ /file /file/%zz /file/%
    /file/%ff /file/%e2%82 /file/%C3%A9 /file/caf%C3%A9s /file/a+b /file/a;b=c /file/%0a
    /file/%22 /file/%3Fq /file/%23f //file/a /./file/a /../public/file/a
    /pair/a-b /pair/a-b-c /pair/-b /pair/a%2Db /pair/a%2fb-c /pair/abx /pair/xxx-xx);
my $r = CoHost::run([PyAgent::python(), PyAgent::file('paths_router.py'), @targets]);
my @reference = map { JSON::PP->new->allow_nonref->decode($_) } split /\n/, $r->{out};
is scalar(@reference), scalar(@targets), 'the router of the package answers each path'
    or diag $r->{out};

for my $i (0 .. $#targets) {
	my ($target, $want) = ($targets[$i], $reference[$i]);
	my $got = $host->http(GET => $target);
	if ($want && !ref $want) {
		is $got->{status}, 500, "$target fits two routes alike, as in the package";
	} elsif ($want) {
		is_deeply $got->{json}, $want, "$target reaches the handler as in the package"
		    or diag explain $got;
	} else {
		is $got->{status}, 404, "$target is no route, as in the package";
	}
}

for ('/public/file/a%00b', '/public/file/%00', '/public/none%00', '/contacts/%00') {
	$r = $host->http(GET => $_);
	is $r->{status}, 400, "$_ is refused for its NUL";
	is $r->{json}{error}, 'the path holds a NUL (%00)', "$_ is refused in these words";
}
$host->stop;
done_testing;
