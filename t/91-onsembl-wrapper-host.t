#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Our wrapper dials in to our server: clients of all doors run commands on its machine.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use OnsAgent;
use Test::More;
use Wrapper;

local $ENV{ONSEMBL_JWT_SECRET} = $OnsAgent::SECRET;
my $host = CoHost->start(args => ['-w', 4, '-a', 'onsembl:Alice']);
my $w = Wrapper->start(server => $host->url, token => OnsAgent::token('ann'),
	args => ['--name', 'Alice']);
ok wait_for(20, sub { $host->metric('cohostd_agents_dialed_in') == 1 }), 'the wrapper dials in';

my $r = $host->input('echo out; echo err >&2; exit 0');
is $r->{status}, 200, 'a command of POST /input runs at the agent of that name';
like $r->{json}{result}, qr/out\n/, 'what it wrote is the result';
is $host->input('exit 3')->{status}, 500, 'a command that fails is a failed turn';

my $ws = $host->ws(session => {});
$ws->send_json({ type => 'INPUT', prompt => 'printf "\033[31mred\033[0m\n"' });
my @all = $ws->all_until('OUTPUT');
is_deeply [map { $_->{type} } grep { $_->{type} =~ /^tool_/ } @all], ['tool_call', 'tool_result'],
    '/ws has the command as a call of a tool, with its result';
is join('', map { $_->{content} } grep { $_->{type} eq 'terminal_output' } @all), "\e[31mred\e[0m\n",
    '/ws has what it writes, with its escape sequences';

# Workers die while a command runs.
my $c = $host->client;
$c->send(POST => '/input', undef, { prompt => 'for i in $(seq 1 40); do echo $i; sleep 0.1; done',
	session => { session_id => 'count' } });
wait_for(10, sub { $host->metric('cohostd_commands_sent_total') >= 4 });
for my $pid ($host->workers) {
	$host->kill_worker($pid);
	wait_for(10, sub { scalar($host->workers) == 4 });
}
my $done = wait_for(60, sub {
	my $s = eval { $host->http(GET => '/sessions/count')->{json} };
	$s && ($s->{status} // '') =~ /^(?:done|failed|interrupted)$/ ? $s : undef;
});
is $done->{status}, 'done', 'a command goes on while all workers die';
is $done->{result}, join('', map { "$_\n" } 1 .. 40),
    'each line is in the result once and in order';
$w->stop if $w->can('stop');
$host->stop;
done_testing;
