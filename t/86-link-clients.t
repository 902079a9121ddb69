#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The published clients reach the server through a relay: the stories of t/65-*-client.t,
# sealed (Python) and in clear (without keys, and JavaScript). More of them: t/clients/link.t.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/clients";

use LinkClients;
use Test::More;

LinkClients::begin();

# By relay, a client without keys that answers on another connection is not recognised
# (doc/oip.txt 14), so it has no story with a question.
my $host = LinkClients::start(workers => 4);
LinkClients::python($host, {}, qw(talk sealed ask approve stop files owner));
LinkClients::python($host, { ANONYMOUS => 1 }, qw(talk approve));
LinkClients::python($host, {}, qw(roam missed_end killed));
LinkClients::javascript($host, qw(talk many ask interrupt come_back));
$host->stop;

my $strict = LinkClients::start(trust => 'strict');
LinkClients::python($strict, {}, 'strict');
$strict->stop;
LinkClients::end();
done_testing;
