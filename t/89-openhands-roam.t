#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Clients come back again and again, over either transport and to any worker, while workers
# are killed: each gets every event once and in order. ("make soak-openhands" is longer.)
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Roam;
use SIO;
use Test::More;

my $host = CoHost->start(workers => 4);
srand 7;

# ---- workers are killed meanwhile ----

my $r = Roam::story($host, id => 'roam', events => 300, step_ms => 8, clients => 2,
	reconnects => 25, kill_every => 0.7);
cmp_ok scalar(@{ $r->{expected} }), '>', 300, 'the conversation has its events';
cmp_ok $r->{kills}, '>', 0, 'workers were killed while clients roamed';
for my $i (0, 1) {
	is $r->{cuts}[$i], 25, "client $i broke off";
	is "@{ $r->{seen}[$i] }", "@{ $r->{expected} }",
	    "A28, A53, A55: client $i roams and gets each event once and in order, without gaps";
}
my $later = Roam::client($host, 'roam', stride => 30, reconnects => 10);
is "@{ $later->{seen} }", "@{ $r->{expected} }",
    'a client that reads the conversation later gets each event once and in order';
ok CoHost::wait_for(10, sub { $host->workers == 4 }), 'the workers were replaced';

# ---- a reload ----

my $p = SIO->polling($host, conversation_id => 'reload');
$p->connect;
my $ws = SIO->websocket($host, conversation_id => 'reload');
$ws->connect;
my %old = map { $_ => 1 } $host->workers;
$host->signal('HUP');
is $ws->wait_close, 1006,
    'the connection of a WebSocket ends at a reload, without a close frame: all clients come back then';
$p->emit(oh_user_action => { type => 'message', message => 'echo after the reload' });
ok $p->event(sub { ($_[0]{message} // '') eq 'echo after the reload' }),
    'a polling client goes on over a reload, in its session';
ok CoHost::wait_for(20, sub { !grep { $old{$_} } $host->workers }), 'no old worker is left';
$p->emit(oh_user_action => { type => 'message', message => 'echo once more' });
ok $p->event(sub { ($_[0]{message} // '') eq 'echo once more' }),
    'a polling client goes on when the old workers are gone';
$host->stop;
done_testing;
