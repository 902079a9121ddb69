#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# examples/agent.py: it runs as it is.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(source);
use PyAgent;
use Test::More;

PyAgent->need;
my $host = PyAgent->start(source('examples/agent.py'), workers => 2);
is $host->input('calculate 6*(3+4)')->{json}{result}, 'The result is 42',
    'the example agent uses its tool';
is $host->input('hello')->{json}{result}, 'You said: hello', 'the example agent answers a prompt';
$host->stop;
done_testing;
