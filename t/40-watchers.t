#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Several clients on one session: each sees all of it, at its own place.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use Test::More;

my $host = CoHost->start;
my @clients = map { $host->ws(session => { session_id => 'shared' }) } 1 .. 8;
$clients[0]->send_json({ type => 'INPUT', prompt => 'stream 40 25' });
my @late = map { $host->ws(session => { session_id => 'shared' }) } 1 .. 4;

my @seen = map { [$_->all_until('OUTPUT', 'ERROR')] } @clients;
my $ids = sub { [map { "$_->{type} " . ($_->{id} // '') } @{ $_[0] }] };
is scalar(@{ $seen[0] }), 83, 'the client that asked sees all events';
is_deeply $ids->($seen[$_]), $ids->($seen[0]), "client $_ sees the same events" for 1 .. $#seen;
for my $c (@late) {
	my @all = $c->all_until('OUTPUT', 'ERROR');
	is scalar(@all), 83, 'a client that came late sees all events';
}
is_deeply [grep { $_->{type} =~ /OUTPUT|ERROR/ } map { $_->settle } @clients, @late], [],
    'each client gets one end';

$clients[3]->send_json({ type => 'INPUT', prompt => 'echo from the fourth' });
is $_->next(type => 'OUTPUT')->{result}, 'from the fourth',
    'any of several clients may send an input' for @clients;
is $host->metric('cohostd_sessions_attached'), 12, 'twelve clients are attached';
$_->close for @clients, @late;
ok CoHost::wait_for(5, sub { $host->metric('cohostd_sessions_attached') == 0 }),
    'no client is attached when all have left';
$host->stop;
done_testing;
