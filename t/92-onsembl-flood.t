#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A dashboard never reads while its command prints FLOOD_MB (10) megabytes, through a real wrapper
# ("make soak-onsembl" prints a gigabyte): the memory of all stays bounded, and others are served.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(memory_kb wait_for);
use Onsembl;
use Socket qw(SO_RCVBUF SOL_SOCKET);
use Test::More;
use Time::HiRes qw(time);
use Wrapper;

$ENV{ONSEMBL_JWT_SECRET} = $Onsembl::SECRET;
my $mb = $ENV{FLOOD_MB} || 10;
my $host = CoHost->start(workers => 4);
my $token = Onsembl::token(user => 'ann');
my ($flooder, $other) = map { Wrapper->start(server => $host->url, token => $token,
	args => ['--agent-id', $_]) } qw(flooder other);
ok wait_for(20, sub { $host->metric('cohostd_agents_dialed_in') == 2 }), 'two wrappers dial in';

sub status {
	return $host->http(GET => '/api/commands/flood', { authorization => "Bearer $token" })->{json}{status};
}

my %begin = (server => $host->memory_kb, wrapper => memory_kb($flooder->pid));
my %most = %begin;

sub note_memory {
	my %now = (server => $host->memory_kb, wrapper => memory_kb($flooder->pid));
	for (keys %now) { $most{$_} = $now{$_} if $now{$_} > $most{$_} }
}

my $began = time;
my $never = Onsembl->dashboard($host, user => 'ann', sockopts => [[SOL_SOCKET, SO_RCVBUF, 4096]]);
$never->say(COMMAND_REQUEST => { commandId => 'flood', agentId => 'flooder',
	command => "yes 'a line of a command that prints a lot' | head -c ${mb}M" });
my $reader = Onsembl->dashboard($host, user => 'ann');
my ($n_served, $n_good) = (0, 0);
my $is_over = wait_for(30 + $mb / 2, sub {
	my $id = 'c' . ++$n_served;
	$reader->say(COMMAND_REQUEST => { commandId => $id, agentId => 'other', command => "echo $id" });
	my @all = $reader->until('COMMAND_COMPLETE');
	$n_good++ if Onsembl::output($id, @all) eq "$id\n";
	note_memory();
	return status() !~ /^(?:queued|executing|running|pending)$/i;
});
diag sprintf '%d MB in %.1f s; memory in kB: server %d, at most %d; wrapper %d, at most %d; %d others',
    $mb, time - $began, $begin{server}, $most{server}, $begin{wrapper}, $most{wrapper}, $n_served;
is lc status(), 'completed', 'a command ends well though its dashboard never reads';
is $n_good, $n_served, 'commands of other dashboards are served while one is not read';
cmp_ok $most{server} - $begin{server}, '<', 48 * 1024,
    'the memory of the server stays bounded while a dashboard does not read';
cmp_ok $most{wrapper} - $begin{wrapper}, '<', 24 * 1024,
    'the memory of the wrapper stays bounded while a dashboard does not read';
unlike $flooder->log, qr/output was dropped/, 'a wrapper that is connected drops no output';
$_->stop for $flooder, $other;
$host->stop;
done_testing;
