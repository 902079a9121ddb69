#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Published clients of Socket.IO, unmodified, over each transport, on four workers that are
# killed meanwhile: t/clients/socketio.mjs and socketio.py have the stories. More clients, and
# nginx: t/clients/socketio.t.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/clients";

use Clients;
use CoHost qw(lacks source);
use Test::More;

my $home = Clients::socketio_node();
my $python = Clients::socketio_python();
lacks 'no clients of Socket.IO: scripts/setup --tests could not install them'
    unless $home && $python;

sub stories {
	my ($program, $url, $host, @more) = @_;
	my @workers = $host->workers;
	Clients::stories([@$program, $url, @more], $host->dir . '/home',
		{ NODE_HOME => $home, WORKERS => "@workers" });
	CoHost::wait_for(20, sub { $host->workers == 4 });
}

my $host = Clients::host(workers => 4);
for my $transport (qw(websocket polling default)) {
	stories(['node', source('t/clients/socketio.mjs')], $host->url, $host, $transport);
	stories([$python, source('t/clients/socketio.py')], $host->url, $host, $transport, $_)
	    for 'sync', $transport eq 'default' ? 'asyncio' : ();
}
$host->stop;

done_testing;
