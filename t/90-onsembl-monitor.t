#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What agents of Onsembl write by themselves, and what belongs to no command that runs: agents
# and dashboards each in some of four workers.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use CoHost qw(wait_for);
use OnsAgent;
use Onsembl;
use Test::More;

$ENV{ONSEMBL_JWT_SECRET} = $OnsAgent::SECRET;
my $host = CoHost->start(workers => 4, clock => 1);

sub dash {
	my ($user, %subscriptions) = @_;
	my $d = Onsembl->dashboard($host, user => $user);
	$d->next('AGENT_STATUS');
	$d->ask(DASHBOARD_INIT => { userId => $user, subscriptions =>
		{ agents => ['*'], commands => ['*'], terminals => \1, %subscriptions } });
	return $d;
}

# The next text that a dashboard is shown of an agent by itself.
sub next_text { my ($d) = @_; my $f = $d->next('TERMINAL_STREAM'); return $f && $f->{payload}{content} }

my @with = map { dash('ann') } 1 .. 4;
my $bob = dash('bob');
my $without = dash('ann', terminals => \0);
my $other = dash('ann', agents => ['somebody']);
my $agent = OnsAgent->new($host, id => 'mon', user => 'ann');
$agent->output('mon', "\e[1mbanner\e[0m\n");
$agent->output('mon', "warning\n", streamType => 'STDERR');
for my $i (0 .. $#with) {
	my @got = map { $with[$i]->next('TERMINAL_STREAM')->{payload} } 1, 2;
	is_deeply [map { "$_->{commandId} $_->{agentId} $_->{streamType} $_->{content} $_->{sequence}" } @got],
	    ["agent-session-mon mon STDOUT \e[1mbanner\e[0m\n 1", "agent-session-mon mon STDERR warning\n 2"],
	    "B46: dashboard $i with terminals is shown what an agent writes by itself";
}
is $bob->next('TERMINAL_STREAM')->{payload}{content}, "\e[1mbanner\e[0m\n",
    'a dashboard of another user who sees the agent is shown what it writes by itself';

# A worker looks at what agents write just after it has told of a new agent.
my $somebody = OnsAgent->new($host, id => 'somebody', user => 'ann');
for (['terminals', $without], ['this agent', $other]) {
	my ($name, $d) = @$_;
	my @all;
	do { push @all, $d->until('AGENT_CONNECTED') } until $all[-1]{payload}{agentId} eq 'somebody';
	is scalar(grep { $_->{type} eq 'TERMINAL_STREAM' } @all, $d->settle), 0,
	    "B46: a dashboard without $name is shown nothing of the agent";
}
is next_text($bob), "warning\n", 'what an agent writes by itself is shown in order';

# The process of the agent has started again: its numbers begin at 1.
$agent->output('mon', "again\n", sequence => 1);
is next_text($with[0]), "again\n",
    'numbers that begin again make no piece of an agent a duplicate';
is $agent->ask(TERMINAL_OUTPUT => { commandId => 'mon', content => 'x', sequence => 2 })->{payload}{received},
    JSON::PP::true, 'what an agent writes by itself is acknowledged';
next_text($with[0]);
next_text($with[1]) for 1, 2;

# An agent that never reports ends names everything after its latest command.
my $start = OnsAgent->new($host, id => 'start', user => 'ann');
$with[1]->next('AGENT_CONNECTED');
$with[1]->say(COMMAND_REQUEST => { commandId => 'one', agentId => 'start', command => 'one' });
$start->command;
$start->output('one', "first\n");
is $with[1]->next('TERMINAL_STREAM')->{payload}{commandId}, 'one', 'output of a command is that of the command';
$with[2]->say(COMMAND_REQUEST => { commandId => 'two', agentId => 'start', command => 'two' });
$start->command;
is $with[1]->next('COMMAND_COMPLETE')->{payload}{commandId}, 'one', 'the next command ends one of such an agent';
$start->output('one', "late\n");
$host->pass(11); # until then, the turn of a command may still follow its agent
my $late = $with[0]->next('TERMINAL_STREAM')->{payload};
is "$late->{commandId} $late->{content}", "agent-session-start late\n",
    'R10: late output of an agent that reports no ends is shown to dashboards of its user';
$agent->output('mon', "marker\n");
my @shown = map { next_text($bob) } 1 .. 3;
is "@shown", "again\n x marker\n", 'R10: late output is not shown to another user who sees the agent';
is next_text($with[0]), "marker\n", 'pieces of several agents come in order';
is $host->metric('cohostd_output_monitored_total'), 6, 'what belongs to no command is counted';

# One that does has told all of the command before its end.
$agent->ask(COMMAND_ACK => { commandId => 'x', status => 'EXECUTING' });
my $before = $host->metric('cohostd_output_unclaimed_total');
$agent->ask(TERMINAL_OUTPUT => { commandId => 'x', content => "late\n", sequence => 1 });
is $host->metric('cohostd_output_unclaimed_total'), $before + 1,
    'late output of an agent that reports ends is dropped, and counted';
$agent->output('mon', "last\n");
is next_text($with[0]), "last\n", 'late output of an agent that reports ends is not shown';
$host->stop;
done_testing;
