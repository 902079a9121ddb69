#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The setting doors: what belongs to a door that is off is not there, and the routes of the
# server itself always are.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use OnsAgent;
use Test::More;

my @server = qw(/health /livez /readyz /info /metrics);
my @door = qw(/sessions /docs);

sub start {
	my ($doors) = @_;
	return CoHost->start(workers => 1, args => ['-o', "doors=$doors"], relay => 'ws://127.0.0.1:1');
}

sub links { return scalar(my @pids = $_[0]->children_of_kind('link')) }

my $host = start('http');
is $host->http(GET => $_)->{status}, 200, "$_ is answered with doors=http" for @server, @door;
is $host->input('hi')->{status}, 200,
    'POST /input runs a turn with doors=http';
is $host->ws->status, 404, '/ws is not found with doors=http';
is links($host), 0, 'no process connects to the relay with doors=http';
$host->stop;

$host = start('agent-server');
is $host->http(GET => $_)->{status}, 200, "$_ is answered with doors=agent-server"
    for '/alive', '/server_info';
is $host->http(POST => '/api/conversations', {}, { agent => {} })->{status}, 201,
    'a conversation is created with doors=agent-server';
is $host->http(POST => '/input', {}, { prompt => 'x' })->{status}, 404,
    'POST /input is not found with doors=agent-server';
$host->stop;

$host = start('connectonion');
is $host->http(POST => '/api/conversations', {}, { agent => {} })->{status}, 404,
    '/api/conversations is not found with doors=connectonion';
is $host->ws(path => "/sockets/$_/0a221d36-e097-458e-b136-dd567843e915")->status, 404,
    "/sockets/$_ is not found with doors=connectonion" for qw(events session);
is $host->http(GET => $_)->{status}, 200, "$_ is answered with doors=connectonion" for @server;
is $host->http(GET => $_)->{status}, 404, "$_ is not found with doors=connectonion" for @door;
is $host->input('hi')->{status}, 404,
    'POST /input is not found with doors=connectonion';
is $host->ws->status, 101, '/ws is accepted with doors=connectonion';
is links($host), 1, 'a process connects to the relay with doors=connectonion';
$host->stop;

$ENV{ONSEMBL_JWT_SECRET} = $OnsAgent::SECRET;
$host = start('onsembl');
my $agent = OnsAgent->new($host, id => 'mock-1', user => 'ann');
is $agent->{welcome}{type}, 'ACK',
    'an agent can dial in with doors=onsembl';
is $host->http(GET => '/api/agents/mock-1', { authorization => 'Bearer ' . OnsAgent::token('ann') })
    ->{json}{status}, 'online', 'an agent that has dialed in is listed with doors=onsembl';
is $host->http(POST => '/input', {}, { prompt => 'x' })->{status}, 404,
    'POST /input is not found with doors=onsembl';
$host->stop;
done_testing;
