#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Commands that wait for an agent of Onsembl: their order, and what dashboards are told of them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use CoHost qw(wait_for);
use OnsAgent;
use Onsembl;
use Socket qw(SO_RCVBUF SOL_SOCKET);
use Test::More;

$ENV{ONSEMBL_JWT_SECRET} = $OnsAgent::SECRET;
my $host = CoHost->start(workers => 4, args => ['-o', 'slow_reader_timeout=60']);
my ($ann, $bob) = map { my $d = Onsembl->dashboard($host, user => $_); $d->next('AGENT_STATUS'); $d } qw(ann bob);
my $agent = OnsAgent->new($host, id => 'slow', user => 'ann', says => { activeCommands => [] },
	sockopts => [[SOL_SOCKET, SO_RCVBUF, 4096]]);
$_->next('AGENT_CONNECTED') for $ann, $bob;

sub order {
	my ($d, $id, $priority, $text) = @_;
	is $d->ask(COMMAND_REQUEST => { commandId => $id, agentId => 'slow', priority => $priority,
		command => $text // $id })->{type}, 'ACK', "command $id is taken";
}

# The next QUEUE_UPDATE of which this is true.
sub queue_when {
	my ($d, $is_it) = @_;
	while (my $f = $d->next('QUEUE_UPDATE')) { return $f->{payload} if $is_it->($f->{payload}) }
	return undef;
}
sub queue_of { my ($d, $n) = @_; return queue_when($d, sub { $_[0]{queueSize} == $n }) }

# The commands of a queue that are not there to fill the socket, and the number of those.
sub waiting { return grep { $_->{commandId} !~ /^fill/ } @{ $_[0]{queued} } }

# Commands with long texts fill the socket of an agent that reads nothing.
my $large = 'x' x 900_000;
my ($n, $is_full) = (0, 0);
while ($n < 20 && !$is_full) {
	order($ann, 'fill-' . ++$n, 'urgent', $large);
	wait_for(10, sub { $is_full = grep { $_->{type} eq 'QUEUE_UPDATE' && $_->{payload}{queueSize} } $ann->settle;
		$is_full || $host->metric('cohostd_commands_sent_total') == $n });
}
ok $is_full, 'commands wait for an agent whose socket takes no more';
my @waiting = (['low-1', 'low'], ['normal-1', 5], ['low-2', 9], ['urgent-1', 'URGENT'], ['normal-2', 'normal'],
	['high-1', 0], ['urgent-2', -1]);
order($_->[0] =~ /2$/ ? $bob : $ann, @$_) for @waiting;
my $q = queue_when($ann, sub { waiting($_[0]) == 4 && $_[0]{queueSize} >= @waiting + 1 });
my $behind = $q->{queueSize} - @waiting;
is_deeply [map { $_->{position} - $behind . " $_->{commandId} $_->{priority}" } waiting($q)],
    ['1 urgent-1 urgent', '3 high-1 high', '4 normal-1 normal', '6 low-1 low'],
    'QUEUE_UPDATE has the places and priorities of the commands of a dashboard';
$q = queue_when($bob, sub { waiting($_[0]) == 3 });
is_deeply [map { $_->{commandId} } @{ $q->{queued} }], [qw(urgent-2 normal-2 low-2)],
    'QUEUE_UPDATE names no commands of other dashboards';
ok $q->{queueSize} > 7, 'QUEUE_UPDATE counts all commands that wait';
is $bob->ask(COMMAND_CANCEL => { commandId => 'low-2' })->{type}, 'ACK', 'a command that waits can be cancelled';
is queue_when($bob, sub { waiting($_[0]) == 2 })->{agentId}, 'slow', 'a command that is cancelled leaves the queue';

my @got;
while (@got < $n + @waiting - 1) {
	my $c = $agent->command or last;
	push @got, $c->{commandId};
	$agent->complete($c->{commandId});
}
is_deeply [grep { !/^fill/ } @got], [qw(urgent-1 urgent-2 high-1 normal-1 normal-2 low-1)],
    'B33: commands that wait overtake less urgent ones, and no others';
is_deeply [grep { /^fill/ } @got], [map { "fill-$_" } 1 .. $n], 'B33: commands of one priority stay in their order';
is queue_of($_, 0)->{queued}[0], undef, 'QUEUE_UPDATE says that no command waits any more' for $ann, $bob;

# An agent that has a queue itself.
order($ann, "own-$_", 'normal') for 1, 2;
my @own = map { $agent->command->{commandId} } 1, 2;
$agent->ask(COMMAND_ACK => { commandId => $own[0], status => 'EXECUTING' });
$agent->ask(COMMAND_ACK => { commandId => $own[1], status => 'QUEUED', queuePosition => 1 });
$q = queue_of($ann, 1);
is $q->{queued}[0]{commandId}, $own[1], 'a command that its agent holds back is in the queue';
$agent->ask(COMMAND_ACK => { commandId => $own[1], status => 'EXECUTING' });
ok queue_of($ann, 0), 'a command that its agent begins leaves the queue';
$agent->complete($_) for @own;
$host->stop;
done_testing;
