#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Onsembl's command centre in a real browser, with two wrappers of agents.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Onsembl;
use Page;
use Test::More;
use Wrapper;

Page::needs_browser();
$ENV{ONSEMBL_JWT_SECRET} = $Onsembl::SECRET;
my $host = CoHost->start(workers => 4, yaml => "name: tester\n");
my $token = Onsembl::token(user => 'ann');
my @wrappers = map { Wrapper->start(server => $host->url, token => $token, args => ['--name', $_]) }
    qw(laptop builder);
Page::story('onsembl', $host, token => sub { $token }, login => sub {
	$host->http(POST => '/api/auth/device/authorize', {}, {})->{json}{verification_uri_complete} });
$_->stop for @wrappers;
$host->stop;

my $other = CoHost->start(workers => 2, args => ['-o', 'doors=http,connectonion']);
Page::story('onsembl-off', $other);
$other->stop;
done_testing;
