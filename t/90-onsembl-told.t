#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What agents and dashboards of Onsembl are told of each other's messages.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use CoHost;
use OnsAgent;
use Onsembl;
use Test::More;

$ENV{ONSEMBL_JWT_SECRET} = $OnsAgent::SECRET;
$Onsembl::SECRET = $OnsAgent::SECRET;
my $host = CoHost->start(workers => 4);
my $agent = OnsAgent->new($host, id => 'mock-1', user => 'ann');
my ($mine, $other) = map { my $d = Onsembl->dashboard($host, user => 'ann'); $d->next('AGENT_STATUS'); $d } 1, 2;
my %of = (commandId => 'c1', agentId => 'mock-1');

# The words of all statuses that the other dashboard is told, up to this one.
my %words;
sub status_until {
	my ($word) = @_;
	while (my $f = $other->next('AGENT_STATUS')) {
		next if $f->{payload}{agentId} ne 'mock-1';
		$words{ $f->{payload}{status} } = 1;
		return 1 if $f->{payload}{status} eq $word;
	}
	return 0;
}

$mine->say(COMMAND_REQUEST => { %of, command => 'x' });
$agent->command;
ok status_until('BUSY'), 'B60: an agent with a command is BUSY';
for my $case (
	[COMMAND_ACK => { status => 'EXECUTING' }, { commandId => 'c1', acknowledged => \1 }],
	[TERMINAL_OUTPUT => { content => "one\n", streamType => 'STDOUT', sequence => 1 }, { sequence => 1, received => \1 }],
	[TRACE_EVENT => { traceId => 't1', parentId => undef, type => 'TOOL_CALL', name => 'ls', content => {},
		startedAt => 1 }, { traceId => 't1', received => \1 }],
	[INVESTIGATION_REPORT => { reportId => 'r1', status => 'DRAFT', title => 'T', summary => 'S', content => 'C' },
		{ reportId => 'r1', received => \1 }],
	[AGENT_ERROR => { errorType => 'UNKNOWN', message => 'm', recoverable => \1 }, { errorReceived => \1 }],
	[COMMAND_COMPLETE => { status => 'COMPLETED', exitCode => 0, duration => 1 }, { commandId => 'c1', completed => \1 }])
{
	my ($type, $payload, $more) = @$case;
	my $ack = $agent->ask($type => { %of, %$payload })->{payload};
	my %want = (success => JSON::PP::true, map { $_ => ref $more->{$_} ? JSON::PP::true : $more->{$_} } keys %$more);
	is_deeply { map { $_ => $ack->{$_} } keys %want }, \%want, "B37: $type is acknowledged with what it was";
}
my @all = $mine->until('COMMAND_COMPLETE');
is_deeply [grep { $_ eq 'EXECUTING' } Onsembl::states('c1', @all)], ['EXECUTING'],
    'B34: the dashboard of a command is told once that it runs';
my ($trace) = map { $_->{payload} } grep { $_->{type} eq 'TRACE_STREAM' } @all;
is_deeply [@{ $trace->{trace} }{qw(traceId type name parentId)}], ['t1', 'TOOL_CALL', 'ls', undef],
    'a step of the model is shown to the dashboard of its command as it came';
is scalar(grep { ($_->{payload}{commandId} // '') eq 'c1' } $other->settle), 0,
    'B34: another dashboard is told nothing of the command';

# Some programs send their JSON in binary frames.
$agent->ws->send_frame(2, '{"type":"PING","payload":{"timestamp":5}}');
is $agent->next('PONG')->{payload}{timestamp}, 5, 'JSON in a binary frame of an agent is taken';
$mine->ws->send_frame(2, '{"type":"PING","payload":{"timestamp":6}}');
is $mine->next('PONG')->{payload}{timestamp}, 6, 'JSON in a binary frame of a dashboard is taken';
$_->[1]->ws->send_frame(2, "\xff\x00") for ['', $agent], ['', $mine];
is $_->[1]->next('ERROR')->{payload}{code}, 'INTERNAL_ERROR', "a binary frame of $_->[0] that is no text is refused"
    for ['an agent', $agent], ['a dashboard', $mine];

ok status_until('ONLINE'), 'B60: an agent without a command is ONLINE';

# A dashboard that has not subscribed to traces.
$mine->ask(DASHBOARD_UNSUBSCRIBE => { type => 'trace', all => \1 });
$mine->say(COMMAND_REQUEST => { %of, commandId => 'c3', command => 'z' });
$agent->command;
$agent->ask(TRACE_EVENT => { %of, commandId => 'c3', traceId => 't2', type => 'RESPONSE', name => 'r', content => {} });
$agent->complete('c3');
is scalar(grep { $_->{type} eq 'TRACE_STREAM' } $mine->until('COMMAND_COMPLETE')), 0,
    'a dashboard that has not subscribed to traces is shown none';

# Programs number neither their messages nor those of one millisecond.
$mine->say(COMMAND_REQUEST => { %of, commandId => 'c2', command => 'y' });
$agent->command;
$agent->say(TERMINAL_OUTPUT => { %of, commandId => 'c2', content => "piece $_\n", streamType => 'STDOUT',
	sequence => $_ }, id => 'c2-1') for 1, 2;
$agent->complete('c2');
is Onsembl::output('c2', $mine->until('COMMAND_COMPLETE')), "piece 1\npiece 2\n",
    'B47: two messages with the same id are both delivered';
$agent->ask(AGENT_ERROR => { agentId => 'mock-1', errorType => 'RESOURCE', message => 'm', recoverable => \0 });
ok status_until('ERROR'), 'B60: an agent that cannot go on is in ERROR';
$agent->vanish;
ok status_until('DISCONNECTED'), 'B60: an agent that is gone is DISCONNECTED';
is_deeply [grep { !/^(?:ONLINE|BUSY|OFFLINE|DISCONNECTED|CONNECTING|ERROR)$/ } sort keys %words], [],
    'B60: an agent has no status that pages do not know';
$host->stop;
done_testing;
