#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A command that was begun and cancelled by HTTP is CANCELLED there, also when its agent has
# said so itself; and so is one that a dashboard cancels in the same moment in which it asks for it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program run wait_for);
use JSON::PP qw(encode_json);
use Onsembl;
use Test::More;
use WS;

my %secret = (ONSEMBL_JWT_SECRET => 'a secret of at least thirty-two bytes');
my $host = CoHost->start(workers => 4, env => \%secret);
my $token = run([program('co-hostd'), 'token', 'ann', '-d', $host->dir], env => \%secret)->{out};
chomp $token;

sub ask {
	my ($method, $path, $body) = @_;
	return $host->http($method => $path, { authorization => "Bearer $token" }, $body // ());
}

# Of the hosted agent, and of the one that dials in.
sub statuses {
	my $agents = ask(GET => '/api/agents')->{json}{agents};
	return join ' ', map { $_->{status} } sort { $a->{agent_id} cmp $b->{agent_id} } @$agents;
}

mkdir my $dir = $host->dir . '/work';
sub wrapper {
	my ($command, @options) = @_;
	return run([program('co-agentd'), $command, '-w', $dir, @options],
		env => { HOME => $dir, ONSEMBL_API_KEY => $token });
}

my $r = wrapper('start', '-b', '--agent-id', 'mock-1-x', '-s', $host->url);
is $r->{status}, 0, 'the wrapper is connected' or diag $r->{out};
for my $worker (1 .. 4) {
	my $id = ask(POST => '/api/commands',
		{ content => 'sleep 60', targetAgents => ['mock-1-x'] })->{json}{id};
	my $path = "/api/commands/$id";
	wait_for(10, sub { ask(GET => $path)->{json}{status} eq 'EXECUTING' });
	wait_for(10, sub { statuses() =~ /busy/ });
	is statuses(), 'online busy', "the hosted agent is not busy with command $worker";
	is ask(DELETE => "$path/cancel")->{status}, 200, "command $worker can be cancelled";
	my $status;
	wait_for(15, sub { ($status = ask(GET => $path)->{json}{status}) ne 'EXECUTING' });
	is $status, 'CANCELLED', "command $worker is CANCELLED when it has ended";
}
my %words = map { $_->{status} => 1 } @{ ask(GET => '/api/commands')->{json}{commands} };
is_deeply [keys %words], ['CANCELLED'], 'a list has cancelled commands as CANCELLED';

# Both messages are in one piece, so that the server reads the second before it can have the receipt
# of the first.
sub ask_and_stop {
	my ($id, $type, $payload) = @_;
	my $d = Onsembl->dashboard($host, token => $token);
	$d->next('DASHBOARD_CONNECTED');
	my $request = { type => 'COMMAND_REQUEST', id => 1,
		payload => { agentId => 'mock-1-x', commandId => $id, command => 'sleep 60' } };
	$d->ws->send_raw(join '', map { WS::frame(WS::TEXT, encode_json($_)) }
		$request, { type => $type, id => 2, payload => $payload });
	return $d;
}

sub end_of {
	my $d = ask_and_stop(@_);
	my $end = $d->next('COMMAND_COMPLETE') or return 'no end';
	return "$end->{payload}{commandId} $end->{payload}{status}";
}
for my $i (1 .. 4) {
	is end_of("quick-$i", 'COMMAND_CANCEL', { commandId => "quick-$i" }), "quick-$i CANCELLED",
	    "command $i that is cancelled before its ACK is CANCELLED";
	is end_of("stop-$i", 'EMERGENCY_STOP', {}), "stop-$i CANCELLED",
	    "command $i before whose ACK an emergency stop comes is CANCELLED";
}
for my $i (1 .. 4) {
	my $id = "cut-$i";
	my $d = ask_and_stop($id, 'COMMAND_CANCEL', { commandId => $id });
	shutdown $d->ws->{http}{socket}, 1; # the server reads the end next
	my $status;
	wait_for(15, sub { ($status = ask(GET => "/api/commands/$id")->{json}{status} // '') eq 'CANCELLED' });
	is $status, 'CANCELLED', "command $i that is cancelled by a dashboard that leaves at once is CANCELLED";
}
is wrapper('stop')->{status}, 0, 'the wrapper can be stopped';
$host->stop;
done_testing;
