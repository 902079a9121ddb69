#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The page's modules and the client from npm tell the same stories: web/test/compare.mjs.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/clients";

use Clients;
use CoHost qw(lacks run);
use Page;
use Test::More;

run(['node', '--version'])->{status} == 0 or lacks 'there is no Node.js';
my $folder = Page::folder() or lacks 'the packages of web/package-lock.json are not there';
my $home = Clients::node()
    or lacks 'no JavaScript client: scripts/setup --tests could not install it';

my $host = Clients::host(workers => 4);
Clients::stories(['node', "$folder/test/compare.mjs", $host->url], $host->dir . '/home',
	{ NODE_HOME => $home });
$host->stop;
done_testing;
