#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# -t checks a configuration and serves nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program run write_file);
use Test::More;

my $dir = CoHost::directory(yaml => "name: tested\nport: 0\nworkers: 2\n");
my @check = (program('co-hostd'), '-d', "$dir", '-t');
my %env = (env => { HOME => "$dir/home" });

my $r = run(\@check, %env);
is $r->{status}, 0, 'a good host.yaml passes';
like $r->{out}, qr/host\.yaml/, 'and it names the file';
unlike $r->{out}, qr/Waiting for tasks/, 'nothing was served';

write_file("$dir/.co/host.yaml", "name: tested\nport: 123456\n");
$r = run(\@check, %env);
isnt $r->{status}, 0, 'a bad one does not';
like $r->{out}, qr/host\.yaml.*2.*port.*65535/,
    'it names file, line, key and what is allowed';

write_file("$dir/other.yaml", "workers: 3\n");
is run([@check, '-c', "$dir/other.yaml"], %env)->{status}, 0,
    '-c names another file';

unlink "$dir/.co/host.yaml";
is run(\@check, %env)->{status}, 0, 'no host.yaml at all is fine';

write_file("$dir/.co/host.yaml", "port: 9\n");
$r = run([@check], env => { HOME => "$dir/home", AGENT_PORT => 'nine' });
isnt $r->{status}, 0, 'a wrong AGENT_PORT is refused';
like $r->{out}, qr/AGENT_PORT/, 'by its name';
done_testing;
