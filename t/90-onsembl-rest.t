#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The HTTP API of Onsembl: who may use it, and the agents.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use CoHost;
use JSON::PP qw(decode_json);
use Onsembl;
use Test::More;

$ENV{ONSEMBL_JWT_SECRET} = $Onsembl::SECRET;
my $host = CoHost->start(workers => 4, yaml => "name: tester\n");
my %auth = (authorization => 'Bearer ' . Onsembl::token(user => 'ann'));

sub get {
	my ($path, %headers) = @_;
	return $host->http(GET => $path, { %headers });
}

for my $case (
	['no token', {}, 'No authorization header provided'],
	['a password', { authorization => 'Basic YTpi' }, 'Invalid authorization format. Use: Bearer <token>'],
	['a bad token', { authorization => 'Bearer x' }, 'Invalid or expired token'])
{
	my ($name, $headers, $message) = @$case;
	my $r = get('/api/agents', %$headers);
	is $r->{status}, 401, "B71: a request with $name is refused with 401";
	is_deeply decode_json($r->{body}), { error => 'UNAUTHORIZED', message => $message },
	    "B71: a request with $name is told why";
}

my $r = get('/api/agents', %auth);
my $list = decode_json($r->{body});
is_deeply [@$list{qw(total limit offset)}], [1, 50, 0], 'the list of agents has its bounds';
my $agent = $list->{agents}[0];
like $agent->{agent_id}, qr/^custom-/, 'B72: an agent has the id by which it is addressed';
like $agent->{id}, qr/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    'R15: an agent has an id that is a UUID';
is "$agent->{type} $agent->{agent_type}", 'custom custom', 'B72: an agent has its type twice';
is $agent->{status}, 'online', 'the hosted agent is online';
like $agent->{last_heartbeat}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'a time is one of ISO 8601';
for my $case (['type=custom', 1], ['type=claude', 0], ['status=online', 1], ['status=offline', 0],
	['limit=1&offset=1', 0])
{
	my ($query, $n) = @$case;
	is scalar @{ decode_json(get("/api/agents?$query", %auth)->{body})->{agents} }, $n,
	    "B72: the list of agents for $query has $n";
}
is get("/api/agents?limit=$_", %auth)->{status}, 400, "a limit of '$_' is refused" for 0, 101, 'x', '';
is decode_json(get("/api/agents/$agent->{id}", %auth)->{body})->{id}, $agent->{id},
    'an agent can be read by its id';
is decode_json(get("/api/agents/$agent->{agent_id}", %auth)->{body})->{id}, $agent->{id},
    'an agent can be read by the id that it announced';
is decode_json(get('/api/agents/name/tester', %auth)->{body})->{id}, $agent->{id},
    'an agent can be read by its name';
is_deeply [map { ref $_ || $_ } @{ get('/api/agents?status=online&type=custom', %auth)->{json}{agents}[0] }
    {qw(name type status version capabilities)}], ['tester', 'custom', 'online', $agent->{version}, 'ARRAY'],
    'B77: the list has what the command "agent list" of the known program prints';
is_deeply decode_json(get('/api/agents/nobody', %auth)->{body}), { error => 'Agent not found' },
    'an unknown agent is not found';
is get('/api/health/liveness')->{status}, 200, 'the probe of liveness needs no token';
$r = $host->http(OPTIONS => '/api/agents', { origin => 'http://localhost:3000',
	'access-control-request-method' => 'GET', 'access-control-request-headers' => 'authorization' });
is $r->{status}, 204, 'B76: a preflight for the agents is answered';
like lc($r->{header}{'access-control-allow-headers'} // ''), qr/authorization|\*/,
    'B76: a page may send a token';
$host->stop;
done_testing;
