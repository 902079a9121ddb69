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
is $r->{status}, 0, '-t accepts a good host.yaml';
like $r->{out}, qr/host\.yaml/, '-t names the file that it checked';
unlike $r->{out}, qr/Waiting for tasks/, '-t serves nothing';

write_file("$dir/.co/host.yaml", "name: tested\nport: 123456\n");
$r = run(\@check, %env);
isnt $r->{status}, 0, '-t refuses a bad host.yaml';
like $r->{out}, qr/host\.yaml.*2.*port.*65535/,
    'a refusal by -t names file, line, key and what is allowed';

write_file("$dir/other.yaml", "workers: 3\n");
is run([@check, '-c', "$dir/other.yaml"], %env)->{status}, 0,
    '-c checks another file';

unlink "$dir/.co/host.yaml";
is run(\@check, %env)->{status}, 0, '-t accepts a project without host.yaml';

write_file("$dir/.co/host.yaml", "port: 9\n");
$r = run([@check], env => { HOME => "$dir/home", AGENT_PORT => 'nine' });
isnt $r->{status}, 0, 'a wrong AGENT_PORT is refused';
like $r->{out}, qr/AGENT_PORT/, 'the refusal names AGENT_PORT';
done_testing;
