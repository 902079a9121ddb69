#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# onsembl-agent with a server: its introduction, and commands.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use Backend;
use CoHost qw(read_file wait_for write_file);
use Encode qw(decode_utf8);
use Test::More;
use Wrapper;

binmode $_, ':utf8' for Test::More->builder->output, Test::More->builder->failure_output;

my $backend = Backend->new(token => 'secret-token');
my $w = Wrapper->start(server => $backend->url, token => 'secret-token',
	args => ['--name', 'Alice', '--heartbeat-interval', 100],
	env => { ANTHROPIC_API_KEY => 'model-secret', PLAIN => 'plain', CLAUDECODE => 1 });
my $agent = $backend->agent or BAIL_OUT("no agent:\n" . $w->said . $w->log);
my $dir = $w->dir;
my $n = 0;

# Run a command to its end: (its COMMAND_COMPLETE, its output).
sub run_command {
	my ($command, %more) = @_;
	my $id = 'run-' . ++$n;
	$agent->run($id, $command, %more);
	my $m = $agent->next('COMMAND_COMPLETE', $id);
	return ($m->{payload}, $agent->output($id));
}

# ---- the introduction ----

my $connect = $agent->connected;
like $connect->{agentId}, qr/^mock-\d{13}-[0-9a-z]{9}$/, 'the agent has an id with its type and the time';
is $connect->{name}, 'Alice', 'the agent tells its name';
is $connect->{agentType}, 'mock', 'the agent tells its type';
like $agent->head, qr{^GET /ws/agent\?agentId=\Q$connect->{agentId}\E HTTP}, 'the handshake names the path and the agent';
like $agent->head, qr/^Authorization: Bearer secret-token\r$/m, 'the token is in the header';
unlike $agent->head, qr/token=/, 'the token is not in the URL';
my $beat = $agent->next('AGENT_HEARTBEAT');
ok defined $beat->{payload}{healthMetrics}{uptime}, 'a heartbeat has metrics';
$agent->send('PING', { timestamp => 12345 });
is $agent->next('PONG')->{payload}{timestamp}, 12345, 'a PING is answered with its timestamp';
$agent->send('SOMETHING_NEW', {});

# ---- commands ----

my ($end, $out) = run_command('echo "in $PWD"; exit 3');
is $out, "in $dir\n", 'a command runs in the working directory';
is "$end->{status} $end->{exitCode}", 'FAILED 3', 'a command that fails is reported with its exit code';
ok defined $end->{duration} && defined $end->{executionTime}, 'the end has the duration under both names';
($end, $out) = run_command('printf "[%s]"', arguments => ['a b', '$HOME', "it's"]);
is $out, "[a b][\$HOME][it's]", 'each argument is one word, whatever is in it';
is $end->{status}, 'COMPLETED', 'a command that succeeds is COMPLETED';
($end, $out) = run_command('echo $COLOR', env => { COLOR => 'blue' });
is $out, "blue\n", 'a command gets the environment of its request';
($end, $out) = run_command('cat; env');
unlike $out, qr/secret-token|model-secret|CLAUDECODE/, 'a command gets no token, no key of a model and no mark of another agent';
like $out, qr/^PLAIN=plain$/m, 'a command gets the other variables of the wrapper';
($end, $out) = run_command('kill -9 $$');
is "$end->{status} $end->{exitCode}", 'FAILED -9', 'a signal that ended a command is reported as a negative code';
($end, $out) = run_command('no-such-program-here');
is $end->{exitCode}, 127, 'a program that does not exist is reported by the shell';

$agent->run('both', 'printf "\033[1;31mred\033[0m \303\251\n"; echo bad >&2');
$agent->next('COMMAND_COMPLETE', 'both');
is decode_utf8(Encode::encode_utf8($agent->output('both', 'STDOUT'))), "\e[1;31mred\e[0m é\n", 'colors and characters arrive unchanged';
is $agent->output('both', 'STDERR'), "bad\n", 'standard error is marked';
my @numbers = map { $_->{payload}{sequence} } grep { $_->{payload}{commandId} eq 'both' } $agent->got('TERMINAL_OUTPUT');
is "@numbers", join(' ', 1 .. @numbers), 'both streams share one sequence, from 1';

$agent->run('live', "echo first; while [ ! -e $dir/go ]; do sleep 0.02; done; echo second");
ok $agent->next('TERMINAL_OUTPUT', 'live'), 'output arrives while the command runs';
write_file("$dir/go", '');
$agent->next('COMMAND_COMPLETE', 'live');
is $agent->output('live'), "first\nsecond\n", 'the rest of the output follows';

$agent->run('cut', "printf 'a\\303'; while [ ! -e $dir/half ]; do sleep 0.02; done; printf '\\251b'");
$agent->next('TERMINAL_OUTPUT', 'cut');
write_file("$dir/half", '');
$agent->next('COMMAND_COMPLETE', 'cut');
is $agent->output('cut'), 'aéb', 'a character that comes in two parts is sent whole';

$agent->run('long', 'head -c 3000000 /dev/zero | tr "\0" x');
$agent->next('COMMAND_COMPLETE', 'long', timeout => 30);
is length $agent->output('long'), 3000000, 'long output arrives completely';

# ---- the working directory ----

mkdir "$dir/sub";
($end, $out) = run_command('pwd', workingDirectory => 'sub');
is $out, "$dir/sub\n", 'a command may run in a folder of the working directory';
symlink '/', "$dir/root";
for ('/', '/tmp', '..', 'sub/../..', 'root', 'root/etc', "$dir-other") {
	($end, $out) = run_command('pwd', workingDirectory => $_);
	is $end->{status}, 'FAILED', "a command does not run in $_" =~ s/\Q$dir\E/DIR/r;
	like $end->{error}, qr/working directory/, 'the error names the working directory';
}
($end) = run_command('env', env => { 'BAD-NAME' => 1 });
like $end->{error}, qr/env/, 'a variable with an impossible name is refused';

# ---- one after the other ----

$agent->run('first', "while [ ! -e $dir/open ]; do sleep 0.02; done");
$agent->run('low', 'echo low >>order', priority => 'low');
$agent->run('normal', 'echo normal >>order');
$agent->run('never', 'echo never >>order');
$agent->run('urgent', 'echo urgent >>order', priority => 'urgent');
is $agent->next('COMMAND_ACK', 'low')->{payload}{status}, 'QUEUED', 'a second command is queued';
$agent->next('COMMAND_ACK', 'urgent');
$agent->send('COMMAND_CANCEL', { commandId => 'never' });
is $agent->next('COMMAND_COMPLETE', 'never')->{payload}{status}, 'CANCELLED', 'a command that waits can be cancelled';
write_file("$dir/open", '');
$agent->next('COMMAND_COMPLETE', 'low');
is read_file("$dir/order"), "urgent\nnormal\nlow\n", 'commands run by priority';
$agent->run('urgent', 'echo urgent >>order');
run_command('true');
is read_file("$dir/order"), "urgent\nnormal\nlow\n", 'a command that was run is not run again';

# ---- ends ----

my $mark = "wrapper-story-$$";
my $stubborn = qq{trap "" TERM INT; sh -c 'trap "" TERM INT; for i in \$(seq 50); do (while :; do sleep 1; done) & done;}
    . qq{ setsid sh -c "sleep 1000; : $mark" & exec >&- 2>&-; while :; do sleep 1; done; : $mark'};
my $left = sub { scalar(Wrapper::processes_with($mark)) };
$agent->run('stubborn', $stubborn);
ok wait_for(10, sub { $left->() >= 50 }), 'a command has many processes, and has closed its outputs';
$agent->send('COMMAND_CANCEL', { commandId => 'stubborn' });
is $agent->next('COMMAND_COMPLETE', 'stubborn')->{payload}{status}, 'CANCELLED', 'a command that ignores signals is cancelled';
is $left->(), 0, 'a command that was cancelled leaves no process';

$agent->run('forced', $stubborn);
wait_for(10, sub { $left->() >= 50 });
$agent->send('COMMAND_CANCEL', { commandId => 'forced', force => JSON::PP::true });
is $agent->next('COMMAND_COMPLETE', 'forced')->{payload}{status}, 'CANCELLED', 'a command can be cancelled by force';
is $left->(), 0, 'a command that was cancelled by force leaves no process';

$agent->run('silent', "exec >&- 2>&-; while [ ! -e $dir/done ]; do sleep 0.02; done; exit 5");
$agent->next('COMMAND_ACK', 'silent');
write_file("$dir/done", '');
is $agent->next('COMMAND_COMPLETE', 'silent')->{payload}{exitCode}, 5, 'a command that closes its outputs is waited for';

run_command("(sleep 1000; : $mark) & echo started");
is $left->(), 0, 'what a command leaves in the background is ended with it';

$agent->run('limit', 'sleep 1000', executionConstraints => { timeLimitMs => 50 });
$end = $agent->next('COMMAND_COMPLETE', 'limit')->{payload};
is $end->{status}, 'FAILED', 'a command that takes longer than its limit has failed';
like $end->{error}, qr/time limit/, 'the error names the limit';

$agent->run('running', "sleep 1000; : $mark");
$agent->run('queued', 'true');
$agent->next('COMMAND_ACK', 'queued');
$agent->send('EMERGENCY_STOP', { triggeredBy => 'u', reason => 'r' });
my %ended = map { $_ => $agent->next('COMMAND_COMPLETE', $_)->{payload}{status} } 'queued', 'running';
is_deeply \%ended, { queued => 'CANCELLED', running => 'CANCELLED' }, 'an emergency stop cancels all commands';
is $left->(), 0, 'an emergency stop leaves no process';

$agent->run('last', "sleep 1000; : $mark");
$agent->next('COMMAND_ACK', 'last');
is $w->stop, 0, 'SIGTERM ends the wrapper with status 0';
is $agent->next('COMMAND_COMPLETE', 'last')->{payload}{status}, 'CANCELLED', 'SIGTERM cancels what runs';
$backend->until(5, sub { !$agent->is_open });
is $agent->close_code, 1000, 'the wrapper closes the connection properly';
is $left->(), 0, 'SIGTERM leaves no process';
is_deeply [grep { -e $w->path($_) } 'pid', 'status'], [], 'the files of the wrapper are gone';

# ---- a wrapper that is killed ----

$w->begin;
delete $w->{status};
$agent = $backend->agent;
$agent->run('orphan', $stubborn);
wait_for(10, sub { $left->() >= 50 });
$w->signal('KILL');
ok wait_for(10, sub { $left->() == 0 }), 'a wrapper that is killed leaves no process';
is $w->command('status')->{out}, "Agent wrapper is not running\n", 'nobody believes that it still runs';
$w->wait_exit;
done_testing;
