#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# agent_persistent: what costs a turn, what costs its process and the turns beside it, and
# how processes are replaced.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for write_file);
use FramesAgent qw(ask ending is_gone told);
use Sign qw(connect_frame key_new);
use Test::More;

# ---- turns beside each other ----

my $host = FramesAgent->start(1);
for my $case (['exit', 'interrupted'], ['lost', 'exited'], [['raw', "0 x\n"], 'interrupted']) {
	my ($step, $reason) = @$case;
	my $words = told($step);
	my $other = $host->begun;
	is ending($host->ask_forever($step)), $reason,
	    "beside another turn, one that does $words ends as $reason";
	is ending($other), 'interrupted', "a turn beside one that does $words is interrupted";
}
my @both = ($host->begun, $host->begun);
kill KILL => my $killed = $host->runner_pid;
is_deeply [map { ending($_) } @both], [('interrupted') x 2],
    'all turns of a process that is killed are interrupted';
my $pid = $host->runner_pid;
ok $pid && $pid != $killed, 'a process that was killed is replaced';

my $other = $host->begun;
my $deaf = $host->begun('deaf');
$deaf->send_json({ type => 'INTERRUPT' });
is ending($deaf), 'What would you like me to do?',
    'the client of a turn that does not stop has its end';
ok $host->log_has(qr/did not stop within interrupt_grace; it is replaced/),
    'the log says that a turn did not stop';
ok wait_for(10, sub { $host->runner_pid != $pid }),
    'the process of a turn that does not stop gets no more';
is scalar(@{ [$other->settle] }), 0, 'the other turns of such a process go on';
$other->send_json({ type => 'INTERRUPT' });
is ending($other), 'stopped', 'the other turns of such a process end as they like';
ok is_gone($pid), 'a process is killed when only the turn is left that does not stop';

is $host->metric('cohostd_agent_turns_lost_total'), 7, '/metrics counts the interrupted turns';
cmp_ok $host->metric('cohostd_agent_replaced_total'), '>=', 5,
    '/metrics counts the replaced processes';
$host->stop;

# ---- restart: safe ----

$host = FramesAgent->start(1, yaml => "restart: safe\n");
my @twice = ($host->begun, $host->begun);
kill KILL => $host->runner_pid;
is_deeply [map { $_->next(type => 'begun')->{type} } @twice], [('begun') x 2],
    'with restart: safe, turns of a process that is killed begin once more';
$twice[0]->send_json({ type => 'INTERRUPT' });
is ending($twice[0]), 'stopped', 'a turn that began once more ends as it likes';
my $third = $host->begun;
is ending($host->ask_forever('exit')), 'interrupted',
    'a turn that ends its process twice is interrupted';
is ending($twice[1]), 'interrupted', 'a turn begins once more, and not again';
is ending($third), 'interrupted', 'a turn that was repeated beside such a turn is interrupted';
$host->stop;

# ---- replacing ----

$host = FramesAgent->start(1);
$pid = $host->runner_pid;
$other = $host->begun(['frame', { type => 'RETIRE', reason => 'it is old' }]);
ok $host->has_mark('drain', $pid),
    'a process that asks to be replaced gets DRAIN';
my $new = $host->runner_pid;
ok $new && $new != $pid, 'further turns run in its successor';
$other->send_json({ type => 'INTERRUPT' });
is ending($other), 'stopped', 'turns of the old process go on until they end';
ok is_gone($pid) && $host->has_mark('end', $pid),
    'a process that was replaced exits by itself';
ok $host->log_has(qr/asks to be replaced: it is old/), 'the log has the reason for a replacement';
$host->stop;

$host = FramesAgent->start(1, options => ['fail']);
$pid = $host->runner_pid;
write_file($host->place . '/fail', '');
$other = $host->begun(['frame', { type => 'RETIRE', reason => 'edited' }]);
ok $host->log_has(qr/process 1: cannot be replaced, and goes on serving/),
    'the log says that a process cannot be replaced';
is $host->runner_pid, $pid, 'a process whose successor cannot be loaded goes on serving';
ok wait_for(20, sub { $host->marks('start') >= 5 }), 'loading is tried again and again';
is scalar(() = read_file($host->log) =~ /frames\.py: it fails/g), 1,
    'the log has the same failure only once';
unlink $host->place . '/fail';
ok wait_for(70, sub { $host->runner_pid != $pid }),
    'a process is replaced as soon as its successor can be loaded';
ok $host->log_has(qr/ready, after \d+ failed attempts/), 'the log tells that loading succeeded';
$other->send_json({ type => 'INTERRUPT' });
is ending($other), 'stopped', 'a process that is replaced late loses no turn';
$host->stop;

# ---- a tool, without a model ----

$host = FramesAgent->start(1, yaml => "permissions:\n  read_file: {allowed: true}\n");
my $key = key_new();
write_file($host->dir . '/.co/contacts.txt', "$key->{address}\n");
$pid = $host->runner_pid;
my $ws = $host->ws;
$ws->send_json(connect_frame($key, $host));
$ws->next(type => 'CONNECTED');
is_deeply $host->http(GET => '/info')->{json}{tools}, ['read_file'],
    '/info has the tools that READY told of';
$ws->send_json({ type => 'EXEC', exec_id => 'x', tool => 'read_file', args => { a => 1 } });
is $ws->next(type => ['EXEC_RESULT', 'ERROR'])->{result}, '["read_file", {"a": 1}]',
    'EXEC calls a tool that READY told of';
is $host->runner_pid, $pid, 'EXEC is answered by the process that runs the turns';
$host->stop;

# ---- loading ----

$host = FramesAgent->start(1, options => ['slow']);
is $host->http(GET => '/readyz?verbose')->{json}{checks}{agent}, 'loading',
    '/readyz says that no process is ready yet';
my @early = map { ask($host->ws(session => {})) } 1 .. 5;
ok wait_for(10, sub { $host->metric('cohostd_agent_turns_waiting') == 5 }),
    '/metrics counts turns that wait';
my $loading;
wait_for(10, sub { ($loading) = $host->marks('start') });
kill KILL => $loading;
ok wait_for(10, sub { $host->marks('start') == 2 }),
    'a process that is killed while it loads is replaced';
write_file($host->place . '/slow', '');
is_deeply [map { ending($_) } @early], [('done') x 5],
    'turns wait for the first process, although one was killed while it loaded';
ok wait_for(10, sub { $host->http(GET => '/readyz')->{status} == 200 }),
    '/readyz says that a process is ready';
$host->stop;

# ---- reload, and death of a worker ----

$host = FramesAgent->start(1);
$pid = $host->runner_pid;
$other = $host->begun;
$host->signal('HUP');
ok $host->has_mark('drain', $pid), 'HUP lets the processes drain';
ok wait_for(20, sub { $host->runner_pid != $pid }), 'turns after HUP run in a new process';
$other->send_json({ type => 'INTERRUPT' });
is ending($other), 'stopped', 'a turn that began before HUP goes on in its process';
ok is_gone($pid) && $host->has_mark('end', $pid), 'the old process exits after its turns';
$host->stop;

$host = FramesAgent->start(4);
$other = $host->begun;
my @before = $host->marks('start');
$host->kill_worker($_) for $host->workers;
ok !grep({ !is_gone($_) } @before), 'no process outlives its worker';
ok wait_for(20, sub { $host->http(GET => '/sessions/' . $other->session_id)
		->{json}{status} ne 'running' }), 'turns of a worker that died are ended';
is $host->http(GET => '/sessions/' . $other->session_id)->{json}{status}, 'interrupted',
    'a turn whose worker died is interrupted';
ok $host->runner_pid, 'turns run in the processes of the next workers';
$host->stop;
done_testing;
