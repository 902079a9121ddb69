#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A service manager may change the user and leave HOME as it was, root's.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(copy_programs run);
use Test::More;

my @nobody = getpwnam('nobody');
plan skip_all => 'only root can start it as another user' if $> != 0 || !@nobody;
my $dir = CoHost::directory();
is copy_programs($dir)->{status}, 0,
    'the programs are where another user can run them';
chmod 0755, "$dir";
chown $nobody[2], -1, "$dir", "$dir/.co";
my $root = (getpwuid(0))[7];
my $r = run(['setpriv', '--reuid', $nobody[2], '--clear-groups', "$dir/co-hostd", '-d', "$dir",
	'-t'], env => { HOME => $root });
is $r->{status}, 0, 'root\'s HOME does not matter to another user' or diag $r->{out};
unlike $r->{out}, qr/\Q$root\E\/\.co/, "no file of root's HOME is read by another user";
done_testing;
