#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Wrappers run commands of dashboards while workers are killed ("make soak-onsembl" is longer).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use OnsStory;
use Onsembl;
use Test::More;

local $ENV{ONSEMBL_JWT_SECRET} = $Onsembl::SECRET;
my $host = CoHost->start(workers => 4);
my $r = OnsStory::run($host, wrappers => 5, dashboards => 3, seconds => 8, kill_every => 2);
diag "$r->{n_commands} commands, $r->{n_lines} lines, $r->{kills} kills, $r->{returns} returns";
cmp_ok $r->{n_commands}, '>', 3, 'more than three commands ran';
cmp_ok $r->{kills}, '>', 1, 'workers were killed';
is_deeply $r->{problems}, [],
    'each line came once and in order to its dashboard only, and each command ran once';
$host->stop;
done_testing;
