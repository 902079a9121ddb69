#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The published clients reach a server through a relay: what t/86-link-clients.t leaves out of
# their stories. "make test-clients" runs this.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin";

use LinkClients;
use Test::More;

LinkClients::begin();

note '-w 1';
my $host = LinkClients::start(workers => 1);
LinkClients::python($host, {}, qw(talk sealed ask approve stop files killed));
LinkClients::javascript($host, qw(talk ask files come_back));
$host->stop;

note '-w 4';
$host = LinkClients::start(workers => 4);
LinkClients::python($host, {}, qw(talk_async quick modes));
LinkClients::javascript($host, qw(approve files status modes));
$host->stop;
LinkClients::end();
done_testing;
