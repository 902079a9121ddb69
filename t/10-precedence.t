#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Settings: host.yaml gives way to the command line; .env reaches the environment.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program run write_file);
use Test::More;

my $dir = CoHost::directory(yaml => "name: from-file\nping_interval: 7\n");
write_file("$dir/.env", "AGENT_PORT=none-of-this\n");

my $r = run([program('co-hostd'), '-d', "$dir", '-t'],
	env => { HOME => "$dir/home", AGENT_PORT => undef });
isnt $r->{status}, 0, 'a variable of .env is taken';
like $r->{out}, qr/AGENT_PORT/, 'as one of the environment';

$r = run([program('co-hostd'), '-d', "$dir", '-t'],
	env => { HOME => "$dir/home", AGENT_PORT => 4711 });
is $r->{status}, 0, 'and never over one that is set';

write_file("$dir/.env", '');
my $host = CoHost->start(dir => "$dir", workers => 1);
is $host->http(GET => '/health')->{json}{agent}, 'from-file', 'host.yaml names it';
$host->stop;

$host = CoHost->start(dir => "$dir", workers => 1,
	args => ['-o', 'name=from-option']);
is $host->http(GET => '/info')->{json}{name}, 'from-option',
    'the command line names it otherwise';
$host->stop;
done_testing;
