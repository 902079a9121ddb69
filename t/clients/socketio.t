#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Published clients of Socket.IO behind nginx: the stories of t/88-socketio-clients.t.
# "make test-clients" runs this.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin";

use Clients;
use CoHost qw(lacks source);
use Test::More;

my $home = Clients::socketio_node();
my $python = Clients::socketio_python();
lacks 'no clients of Socket.IO: scripts/setup --tests could not install them'
    unless $home && $python;

my $host = Clients::host(workers => 4, args => ['-o', 'trusted_proxies=127.0.0.1']);
my ($front, $pid) = Clients::nginx($host) or lacks 'nginx is not installed';

sub stories {
	my @workers = $host->workers;
	Clients::stories([@_], $host->dir . '/home',
		{ NODE_HOME => $home, WORKERS => "@workers" });
	CoHost::wait_for(20, sub { $host->workers == 4 });
}

for my $transport (qw(websocket polling default)) {
	stories('node', source('t/clients/socketio.mjs'), "http://$front", $transport);
	stories($python, source('t/clients/socketio.py'), "http://$front", $transport, 'sync');
}
kill QUIT => $pid;
$host->stop;
done_testing;
