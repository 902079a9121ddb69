#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Dashboards of Onsembl and agents that dial in, each in some of four workers.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use CoHost qw(wait_for);
use OnsAgent;
use Onsembl;
use Test::More;

$ENV{ONSEMBL_JWT_SECRET} = $OnsAgent::SECRET;
$Onsembl::SECRET = $OnsAgent::SECRET;
my $host = CoHost->start(workers => 4, args => ['-o', 'onsembl_shared=false']);

my @dashes = map { Onsembl->dashboard($host, user => 'ann') } 1 .. 4;
my $foreign = Onsembl->dashboard($host, user => 'bob');
$_->next('AGENT_STATUS') for @dashes, $foreign;
my $agent = OnsAgent->new($host, id => 'mock-1', user => 'ann', says => { name => 'My Agent' });

for my $i (0 .. $#dashes) {
	my $f = $dashes[$i]->next('DASHBOARD_CONNECTED');
	is_deeply [map { $_->{agentId} =~ /^custom-/ ? 'hosted' : $_->{agentId} } @{ $f->{payload}{agents} }],
	    ['hosted', 'mock-1'], "B58: dashboard $i is given the list with the new agent";
	$f = $dashes[$i]->next('AGENT_CONNECTED')->{payload};
	is "$f->{agentId} $f->{agentName} $f->{agentType} $f->{hostMachine}", 'mock-1 My Agent MOCK test',
	    "B15, B58: dashboard $i is told of the new agent";
}
is_deeply [grep { ($_->{payload}{agentId} // '') eq 'mock-1' } $foreign->settle], [],
    'B84: a dashboard of another user is not told of an agent that is not shared';
is $foreign->ask(COMMAND_REQUEST => { commandId => 'x', agentId => 'mock-1', command => 'x' })->{payload}{code},
    'ROUTING_FAILED', 'B84: another user cannot command an agent that is not shared';

# An agent that has reported an end may have several commands.
$dashes[0]->say(COMMAND_REQUEST => { commandId => 'first', agentId => 'mock-1', command => 'first' });
$agent->complete($agent->command->{commandId});
is $dashes[0]->next('COMMAND_COMPLETE')->{payload}{commandId}, 'first', 'a first command ends';

# One command of each dashboard, all at once.
for my $i (0 .. $#dashes) {
	$dashes[$i]->say(COMMAND_REQUEST => { commandId => "c$i", agentId => 'mock-1', content => "run $i",
		arguments => ['a'], priority => 'HIGH', env => { X => '1' } });
}
my %got = map { $_->{commandId} => $_ } map { $agent->command } @dashes;
is_deeply [map { "$got{$_}{command} $got{$_}{content} $got{$_}{priority}" } sort keys %got],
    [map { "run $_ run $_ high" } 0 .. $#dashes], 'B28: commands of all dashboards reach the agent';
is_deeply [@{ $got{c0} }{qw(args arguments env)}], [['a'], ['a'], { X => '1' }],
    'B28: the arguments and the environment of a command reach the agent';
for my $n (1 .. 3) {
	$agent->output("c$_", "\e[31mline $n of $_\e[0m\n", streamType => $n == 2 ? 'STDERR' : 'STDOUT')
	    for 0 .. $#dashes;
}
$agent->complete("c$_", exitCode => $_, status => $_ == 3 ? 'FAILED' : 'COMPLETED') for 0 .. $#dashes;
for my $i (0 .. $#dashes) {
	my @all = $dashes[$i]->until('COMMAND_COMPLETE');
	is Onsembl::output("c$i", @all), join('', map { "\e[31mline $_ of $i\e[0m\n" } 1 .. 3),
	    "B43, B45, B83: dashboard $i gets its output once, in order, with its colours";
	is_deeply [map { $_->{payload}{streamType} } grep { $_->{type} eq 'TERMINAL_STREAM' } @all],
	    [qw(STDOUT STDERR STDOUT)], "B49: dashboard $i can tell the streams apart";
	is scalar(grep { ($_->{payload}{commandId} // "c$i") ne "c$i" } @all), 0,
	    "B44: dashboard $i sees no command of another";
	is_deeply [(Onsembl::states("c$i", @all))[-1], $all[-1]{payload}{exitCode}],
	    [$i == 3 ? 'FAILED' : 'COMPLETED', $i], "B35: dashboard $i is told how its command ended";
}

# Stopping.
my $d = $dashes[0];
$d->say(COMMAND_REQUEST => { commandId => 'long', agentId => 'mock-1', command => 'sleep' });
$agent->command;
$agent->say(COMMAND_ACK => { commandId => 'long', agentId => 'mock-1', status => 'EXECUTING' });
my $busy = Onsembl::token(user => 'ann');
ok wait_for(10, sub { $host->http(GET => '/api/agents/mock-1', { authorization => "Bearer $busy" })
	->{json}{status} eq 'busy' }), 'an agent with a command is busy';
is $d->ask(COMMAND_CANCEL => { commandId => 'long' })->{type}, 'ACK', 'a command can be cancelled';
is $agent->next('COMMAND_CANCEL')->{payload}{commandId}, 'long', 'B38: the agent is told of the cancellation';
$agent->complete('long', status => 'CANCELLED', exitCode => 130);
is $d->next('COMMAND_COMPLETE')->{payload}{status}, 'CANCELLED', 'a command that its agent cancelled ends as CANCELLED';
is $d->ask(AGENT_CONTROL => { agentId => 'mock-1', action => 'RESTART' })->{type}, 'ACK',
    'an agent can be restarted';
my $c = $agent->next('AGENT_CONTROL')->{payload};
is $c->{action}, 'RESTART', 'B40: the agent is told of the action';
is $c->{gracefulShutdown}, JSON::PP::false, 'B40: only STOP is graceful';
$d->say(COMMAND_REQUEST => { commandId => 'mine', agentId => 'mock-1', command => 'x' });
$dashes[1]->say(COMMAND_REQUEST => { commandId => 'other', agentId => 'mock-1', command => 'y' });
$agent->command for 1, 2;
$_->settle for @dashes, $foreign;
is $d->ask(EMERGENCY_STOP => { reason => 'fire' })->{type}, 'ACK', 'an emergency stop is acknowledged';
ok $agent->next('EMERGENCY_STOP'), 'B41: the agent is told of the emergency stop';
is join(' ', sort map { $agent->next('COMMAND_CANCEL')->{payload}{commandId} } 1, 2), 'mine other',
    'B41: an emergency stop cancels all commands of the agent';
for my $i (1 .. 3) {
	is_deeply [@{ $dashes[$i]->next('EMERGENCY_STOP')->{payload} }{qw(triggeredBy reason agentsStopped commandsCancelled)}],
	    ['ann', 'fire', 1, 2], "B41: dashboard $i of the user is told of the emergency stop";
}
$agent->complete($_, status => 'CANCELLED', exitCode => 130) for qw(mine other);
is $dashes[1]->next('COMMAND_COMPLETE')->{payload}{status}, 'CANCELLED',
    'B41: a command of another dashboard ends as CANCELLED by the emergency stop';
$d->next('COMMAND_COMPLETE');

# The same by HTTP.
my %auth = (authorization => 'Bearer ' . Onsembl::token(user => 'ann'));
my %foreign = (authorization => 'Bearer ' . Onsembl::token(user => 'bob'));
my $path = '/api/agents/mock-1';
$agent->say(AGENT_HEARTBEAT => { agentId => 'mock-1', healthMetrics => { cpuUsage => 45.5, memoryUsage => 512,
	uptime => 3600, commandsProcessed => 10, averageResponseTime => 250 } });
ok wait_for(10, sub { my $j = $host->http(GET => $path, { %auth })->{json};
	($j->{last_metrics}{cpuUsage} // 0) == 45.5 && $j->{last_metrics}{commandsExecuted} == 10 }),
    'B27: the metrics of a heartbeat are in the list of agents';
is $host->http(GET => $path, { %foreign })->{status}, 404, 'an agent of another user is not found';
is $host->http(POST => "$path/restart", { %foreign, 'content-type' => 'application/json' }, '')->{status}, 404,
    'an agent of another user cannot be restarted';
my $r = $host->http(POST => "$path/restart", { %auth, 'content-type' => 'application/json' }, '');
is_deeply $r->{json}, { success => JSON::PP::true, message => 'Agent restart initiated' },
    'an agent is restarted by HTTP, without a body';
is $agent->next('AGENT_CONTROL')->{payload}{action}, 'RESTART', 'the agent is told of a restart by HTTP';
$r = $host->http(POST => '/api/system/emergency-stop', { %auth }, { reason => 'fire' });
is $r->{json}{agentsStopped}, 1, 'an emergency stop by HTTP counts the agents';
ok $agent->next('EMERGENCY_STOP'), 'the agent is told of an emergency stop by HTTP';
is $d->next('EMERGENCY_STOP')->{payload}{reason}, 'fire', 'a dashboard is told of an emergency stop by HTTP';
is scalar(grep { $_->{type} eq 'EMERGENCY_STOP' } $foreign->settle), 0,
    'a dashboard of a user who sees other agents is told of no emergency stop';
$r = $host->http(POST => '/api/auth/cli/validate', {}, { access_token => Onsembl::token(user => 'ann') });
is_deeply [@{ $r->{json} }{qw(valid scopes)}], [JSON::PP::true, ['agent:manage']],
    'a good token is validated by HTTP';
my $user = $r->{json}{user_id};
like $user, qr/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'R15: a user has an id that is a UUID';
like $r->{json}{expires_at}, qr/^\d+$/, 'R17: a good token is validated with its end';
my $known = $host->http(GET => $path, { %auth })->{json};
is $known->{user_id}, $user, 'R15: an agent has the UUID of its user';
is $d->ask(DASHBOARD_INIT => { userId => $user, subscriptions => { agents => [$known->{id}] } })->{type}, 'ACK',
    'R15: INIT may name user and agents by their UUIDs';
is $d->ask(AGENT_CONTROL => { agentId => $known->{id}, action => 'PAUSE' })->{payload}{agentId}, $known->{id},
    'R15: an agent is controlled by its UUID';
is $agent->next('AGENT_CONTROL')->{payload}{action}, 'PAUSE', 'R15: an agent that is addressed by its UUID is told';
is $d->ask(COMMAND_REQUEST => { commandId => 'uuid', agentId => $known->{id}, command => 'x' })->{type}, 'ACK',
    'R15: a command may name its agent by the UUID';
is $agent->command->{agentId}, 'mock-1', 'R15: an agent is told its own id';
$agent->complete('uuid');
$d->next('COMMAND_COMPLETE');
my $by = $host->http(POST => '/api/commands', { %auth }, { content => 'y', targetAgents => [$known->{id}] });
is $by->{status}, 201, 'R15: a command by HTTP may name its agent by the UUID';
$agent->complete($agent->command->{commandId});
is $host->http(GET => "/api/agents/$known->{id}/terminal-output", { %auth })->{status}, 200,
    'R15: the history of an agent is found by its UUID';
$d->ask(DASHBOARD_INIT => { userId => 'ann', subscriptions => { agents => ['*'] } });
is $host->http(POST => '/api/auth/cli/validate', {}, { access_token => 'x' })->{status}, 401,
    'a bad token is not validated by HTTP';

# Leaving and coming back.
$agent->vanish;
is $d->next('AGENT_DISCONNECT')->{payload}{agentId}, 'mock-1', 'B59: a dashboard is told that an agent is gone';
is $d->ask(COMMAND_REQUEST => { commandId => 'late', agentId => 'mock-1', command => 'x' })->{payload}{code},
    'ROUTING_FAILED', 'a command to an agent that is gone fails';
$agent = OnsAgent->new($host, id => 'mock-1', user => 'ann');
ok $d->next('AGENT_CONNECTED'), 'a dashboard is told that an agent is back';

# A command that goes on while its agent has no connection; the output was kept by the agent.
$d->say(COMMAND_REQUEST => { commandId => 'kept', agentId => 'mock-1', command => 'x' });
$agent->command;
$agent->ask(TERMINAL_OUTPUT => { commandId => 'kept', content => "before\n", streamType => 'STDOUT', sequence => 1 });
$agent->vanish;
$d->next('AGENT_DISCONNECT');
my $back = Onsembl->dashboard($host, user => 'ann');
is $back->ask(COMMAND_REQUEST => { commandId => 'kept', agentId => 'mock-1', command => 'x' })->{type}, 'ACK',
    'a command that is sent again while its agent is away is acknowledged';
is Onsembl::output('kept', $back->until('TERMINAL_STREAM')), "before\n",
    'a dashboard that sends its command again while the agent is away is told of it from its start';
is $foreign->ask(COMMAND_REQUEST => { commandId => 'kept', agentId => 'mock-1', command => 'x' })->{payload}{code},
    'ROUTING_FAILED', 'another user cannot send a command again';
$agent = OnsAgent->new($host, id => 'mock-1', user => 'ann', says => { activeCommands => ['kept'] });
$agent->output('kept', "meanwhile $_\n", sequence => $_) for 2, 3;
$agent->complete('kept');
my @kept = $d->until('COMMAND_COMPLETE');
is Onsembl::output('kept', @kept), "meanwhile 2\nmeanwhile 3\n",
    'B52: output that an agent kept while it was away reaches the dashboard of its command';
is $kept[-1]{payload}{status}, 'COMPLETED', 'B52: a command ends well though its agent was away';
is Onsembl::output('kept', $back->until('COMMAND_COMPLETE')), "meanwhile 2\nmeanwhile 3\n",
    'a dashboard that has sent its command again is told of its end';
$agent->say(PING => { timestamp => 1 });
is $agent->next('PONG', 'COMMAND_REQUEST')->{type}, 'PONG', 'a command that was sent again is not run again';

# An agent of an organisation, which says who it is twice.
my %colleague = (authorization => 'Bearer ' . Onsembl::token(user => 'cy', org => 'acme'));
my $shared = OnsAgent->new($host, id => 'mock-2', token => Onsembl::token(user => 'ann', org => 'acme'));
is $host->http(GET => '/api/agents/mock-2', { %colleague })->{status}, 200,
    'an agent is seen by another user of its organisation';
is $shared->connect(name => 'renamed')->{type}, 'ACK', 'an agent may change its name';
is $host->http(GET => '/api/agents/name/renamed', { %colleague })->{status}, 200,
    'an agent that has said who it is again is still seen by its organisation';

# The id of a command, for another agent.
my $by_ann = Onsembl->dashboard($host, token => Onsembl::token(user => 'ann', org => 'acme'));
my ($hosted) = grep { /^custom-/ } map { $_->{agentId} } @{ $by_ann->next('DASHBOARD_CONNECTED')->{payload}{agents} };
sub reused {
	my ($id, $at) = @_;
	my $p = $by_ann->ask(COMMAND_REQUEST => { commandId => $id, agentId => $at, command => 'x' })->{payload};
	return $p->{code} ? "$p->{code} $p->{details}{reason}" : "begun $p->{commandId}";
}
my $refusal = 'ROUTING_FAILED a command to another agent has this commandId: choose a new one';
for my $other ('mock-2', $hosted) {
	is reused('kept', $other), $refusal, "a command that has ended is refused for the other agent $other";
}
is reused('kept', 'mock-1'), 'begun kept', 'a command that has ended is acknowledged when it is sent again to its agent';
is reused('runs', 'mock-1'), 'begun runs', 'a command begins at the first of two agents';
is reused('runs', 'mock-2'), $refusal, 'a command that runs is refused for another agent';
is reused('runs', $known->{id}), 'begun runs', 'a command that runs is the same by the UUID of its agent';
$agent->complete('runs');
is reused('here', $hosted), 'begun here', 'a command begins at the hosted agent';
while (my $end = $by_ann->next('COMMAND_COMPLETE')) {
	last if $end->{payload}{commandId} eq 'here';
}
is reused('here', 'mock-1'), $refusal, 'a command of the hosted agent is refused for another agent';

# Many agents at once: the list is long then.
my @many = map { OnsAgent->new($host, id => "many-$_", user => 'ann', silent => 1) } 1 .. 40;
my $watcher = Onsembl->dashboard($host, user => 'ann');
$watcher->settle;
$_->say(AGENT_CONNECT => { agentId => $_->{id}, agentType => 'mock', version => '1' }) for @many;
my ($n_lists, %listed, %unlisted, %came) = (0);
while (keys %came < @many) {
	my $f = $watcher->next('DASHBOARD_CONNECTED', 'AGENT_CONNECTED') // last;
	if ($f->{type} eq 'DASHBOARD_CONNECTED') {
		$n_lists++;
		%listed = map { $_->{agentId} => 1 } @{ $f->{payload}{agents} };
	} elsif ((my $id = $f->{payload}{agentId}) =~ /^many-/) {
		$came{$id}++;
		$unlisted{$id} = 1 if !$listed{$id};
	}
}
is_deeply [sort grep { $came{$_} == 1 } keys %came], [sort map { $_->{id} } @many],
    'B58: a dashboard is told of each of many new agents once';
is_deeply \%unlisted, {}, 'B58: a dashboard has a new agent in its list before it is told of it';
cmp_ok $n_lists, '<', @many / 2, 'agents that come together are in one list';
$host->stop;
done_testing;
