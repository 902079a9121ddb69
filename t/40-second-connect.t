#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A second CONNECT on one socket: the same again, or an error.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start(workers => 2);
my $ws = $host->ws(session => { session_id => 'mine' });
$ws->send_json({ type => 'CONNECT', session_id => 'mine' });
my $f = $ws->next(type => ['CONNECTED', 'ERROR']);
is $f->{type}, 'CONNECTED', 'a second CONNECT for the same session is answered';
is $f->{status}, 'connected', 'a second CONNECT for the same session gets the present status';
$ws->send_json({ type => 'CONNECT', session_id => 'other' });
is $ws->next(type => ['CONNECTED', 'ERROR'])->{message},
    'already authenticated: open a new connection',
    'a second CONNECT for another session is refused';
is +($ws->turn('echo still mine'))[-1]{session_id}, 'mine',
    'a refused second CONNECT leaves the socket in its session';

my @ends = grep { $_->{type} eq 'OUTPUT' } $ws->settle;
is scalar(@ends), 0, 'a second CONNECT does not double the OUTPUT';
$host->stop;
done_testing;
