#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What is known of agents of Onsembl that are away: announced, changed and deleted by HTTP, kept
# over a restart, and for how long.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use CoHost qw(wait_for);
use File::Temp ();
use OnsAgent;
use Onsembl;
use Test::More;

$ENV{ONSEMBL_JWT_SECRET} = $OnsAgent::SECRET;
my $dir = File::Temp->newdir;
my @options = (dir => $dir, workers => 4, clock => 1, args => ['-o', 'agents_away_ttl=3600']);
my $host = CoHost->start(@options);

sub ask {
	my ($user, $method, $path, $body, %headers) = @_;
	return $host->http($method => "/api/agents$path", { authorization => 'Bearer '
		. Onsembl::token(user => $user, exp => time + 100000), %headers }, defined $body ? $body : ());
}

# ---- an agent that has not connected ----

my $r = ask('ann', POST => '', { name => 'builder', type => 'Claude', version => '2.1',
	capabilities => ['basic', 'trace'], description => 'builds', metadata => { room => 5, tags => ['a'] } });
is $r->{status}, 201, 'B73: an agent is registered';
my $id = $r->{json}{agent_id};
is_deeply [@{ $r->{json} }{qw(name type version status description last_heartbeat)}],
    ['builder', 'claude', '2.1', 'offline', 'builds', undef], 'B73: a registered agent is told as it was sent';
is_deeply [@{ $r->{json} }{qw(capabilities metadata)}],
    [['basic', 'trace'], { room => 5, tags => ['a'], hostMachine => '' }],
    'a registered agent has its capabilities and metadata';
is ask('ann', GET => '/name/builder')->{json}{agent_id}, $id, 'B73: an agent is found by its name';
is ask('ann', GET => "/$id")->{json}{name}, 'builder', 'B73: an agent is found by its id';
for my $case (['no name', { type => 'mock' }], ['an empty name', { name => '', type => 'mock' }],
	['a long name', { name => 'x' x 104, type => 'mock' }], ['a name that is no text', { name => 1, type => 'mock' }],
	['no type', { name => 'x' }], ['an unknown type', { name => 'x', type => 'robot' }],
	['a long version', { name => 'x', type => 'mock', version => '1' x 48 }],
	['capabilities that are a word', { name => 'x', type => 'mock', capabilities => 'all' }],
	['many capabilities', { name => 'x', type => 'mock', capabilities => [('word') x 200] }],
	['metadata that are a list', { name => 'x', type => 'mock', metadata => [] }],
	['a long description', { name => 'x', type => 'mock', description => 'x' x 512 }], ['no body', ''], ['a list as body', []])
{
	my ($name, $body) = @$case;
	$r = ask('ann', POST => '', $body);
	is "$r->{status} $r->{json}{error}", '400 Invalid agent', "an agent with $name is refused";
	ok length $r->{json}{message}, "an agent with $name is refused with a reason";
}

# ---- changes, and whose they are ----

$r = ask('ann', PUT => "/$id", { name => 'renamed', metadata => { room => 6 } });
is_deeply [$r->{status}, @{ $r->{json} }{qw(name type version metadata)}],
    [200, 'renamed', 'claude', '2.1', { room => 6, hostMachine => '' }], 'B73: a part of a record is changed';
is ask('ann', PUT => "/$id", { type => 'robot' })->{status}, 400, 'a bad change is refused';
is ask('ann', GET => "/$id")->{json}{type}, 'claude', 'a change that is refused changes nothing';
is_deeply [map { my $x = ask('bob', @$_); "$x->{status} $x->{json}{error}" } [PUT => "/$id", { name => 'x' }], [DELETE => "/$id"]],
    ['403 Unauthorized: Cannot update agent owned by another user',
	'403 Unauthorized: Cannot delete agent owned by another user'],
    'B73: another user who sees an agent neither changes nor deletes it';
my $hosted = (grep { $_->{agent_id} =~ /^custom-/ } @{ ask('ann', GET => '')->{json}{agents} })[0]{agent_id};
is ask('ann', $_ => "/$hosted", { name => 'x' })->{status}, 403, "$_ of the agent of this server is refused" for qw(PUT DELETE);
is_deeply [map { ask('ann', @$_)->{status} } [PUT => '/nobody', { name => 'x' }], [DELETE => '/nobody'],
	[POST => '/nobody/restart', '']], [404, 404, 404], 'B73: changes of an unknown agent are refused';
is $host->http($_->[0] => "/api/agents$_->[1]")->{status}, 401, "$_->[0] of an agent without a token is refused"
    for ['POST', ''], ['PUT', "/$id"], ['DELETE', "/$id"];

# ---- dashboards ----

my $d = Onsembl->dashboard($host, token => Onsembl::token(user => 'ann', exp => time + 100000));
my %of = map { $_->{agentId} => $_ } @{ $d->next('DASHBOARD_CONNECTED')->{payload}{agents} };
is "$of{$id}{name} $of{$id}{status}", 'renamed DISCONNECTED', 'a dashboard is shown an agent that is away';
my $second = ask('ann', POST => '', { name => 'second', type => 'mock' })->{json}{agent_id};
my $list = $d->next('DASHBOARD_CONNECTED')->{payload}{agents};
ok +(grep { $_->{agentId} eq $second } @$list), 'a dashboard is told of an agent that is registered';
ask('ann', PUT => "/$second", { name => 'other' });
$list = $d->next('DASHBOARD_CONNECTED')->{payload}{agents};
is +(grep { $_->{agentId} eq $second } @$list)[0]{name}, 'other', 'a dashboard is told of another name';

# ---- it connects ----

my $agent = OnsAgent->new($host, id => $id, token => Onsembl::token(user => 'ann', exp => time + 100000));
is $agent->{welcome}{type}, 'ACK', 'a registered agent connects';
$r = ask('ann', GET => "/$id")->{json};
is "$r->{status} $r->{name} $r->{metadata}{room} $r->{metadata}{hostMachine}", 'online renamed 6 test',
    'an agent that connects without a name keeps the one that is known';
my $bob = OnsAgent->new($host, id => $id, token => Onsembl::token(user => 'bob'));
is $bob->{welcome}{payload}{code}, 'UNAUTHORIZED', 'an agent that another user has registered cannot be taken over';
$r = ask('ann', DELETE => "/$id");
is "$r->{status} $r->{json}{error}", '409 Agent is connected', 'an agent that is connected cannot be deleted';
is ask('ann', POST => "/$id/restart", '', 'content-type' => 'application/json')->{status}, 200, 'B73: an agent that is connected is restarted';
is $agent->next('AGENT_CONTROL')->{payload}{action}, 'RESTART', 'B73: the agent is told of its restart';
$agent->vanish;
ok wait_for(20, sub { ask('ann', GET => "/$id")->{json}{status} eq 'offline' }), 'an agent that has gone is offline';
my $known = ask('ann', GET => "/$id")->{json};

# ---- deleting ----

$r = ask('ann', DELETE => "/$second", undef, 'content-type' => 'application/json');
is "$r->{status}|$r->{body}", '204|', 'B73: an agent is deleted, without a body and with its type';
is ask('ann', GET => "/$second")->{status}, 404, 'B73: an agent that is deleted is not found';

# ---- a server that starts again ----

$host->stop;
$host = CoHost->start(@options);
my $after = ask('ann', GET => "/$id")->{json};
is_deeply $after, $known, 'an agent that is away is known after a restart';
is ask('ann', GET => "/$second")->{status}, 404, 'an agent that was deleted is not known after a restart';
is(OnsAgent->new($host, id => $id, token => Onsembl::token(user => 'bob'))->{welcome}{payload}{code}, 'UNAUTHORIZED',
    'an agent belongs to its user after a restart');

# ---- and when it is too old ----

$host->pass(3700);
ok wait_for(20, sub { ask('ann', GET => "/$id")->{status} == 404 }), 'an agent that was away for agents_away_ttl is forgotten';
is $host->metric('cohostd_agents_forgotten_total'), 1, 'agents that are forgotten are counted';
$host->stop;
done_testing;
