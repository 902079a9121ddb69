#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# onsembl-agent: its start and end, its files, and connections that are lost.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Backend;
use CoHost qw(program read_file run wait_for write_file);
use File::Temp;
use IO::Socket::IP;
use JSON::PP;
use POSIX ();
use Test::More;
use Wrapper;

my $TOKEN = 'the-token';
my $backend = Backend->new(token => $TOKEN);

sub start { return Wrapper->start(server => $backend->url, token => $TOKEN, @_) }

# ---- files and commands ----

{
	my $w = start(args => ['--agent-id', 'my-agent.1', '-n', 'Bob']);
	my $agent = $backend->agent or BAIL_OUT($w->said . $w->log);
	is $agent->connected->{agentId}, 'my-agent.1', 'an id can be chosen';
	is read_file($w->path('pid')), $w->pid . "\n", 'the pid file has the pid';
	my $status = decode_json(wait_for(5, sub { ($w->command('status')->{out} =~ /^(.*"connected".*)/s)[0] }));
	is_deeply [@$status{qw(status agentId agentName agentType pid mode connection)}],
	    ['running', 'my-agent.1', 'Bob', 'mock', $w->pid, 'headless', 'connected'],
	    'status prints what the wrapper does';
	my $second = $w->command('start', '-s', $backend->url);
	is $second->{status}, 1, 'a second wrapper in the same directory is refused';
	like $second->{out}, qr/already running.*pid ${\$w->pid}\b/, 'the refusal has the pid of the first';
	is read_file($w->path('pid')), $w->pid . "\n", 'the pid file is still that of the first';
	like $w->command('logs')->{out}, qr/connected as my-agent\.1/, 'logs shows the log';
	is $w->command('logs', '-n', 1)->{out} =~ tr/\n//, 1, 'logs shows so many lines';
	my $reader = open my $log, '-|', $w->words('logs', '--follow', '-n', 1) or die;
	like scalar(<$log>), qr/info onsembl-agent/, 'logs --follow shows the last lines first';
	$agent->run('noted', 'true');
	like scalar(<$log>), qr/command=noted/, 'logs --follow waits for new lines';
	kill TERM => $reader;
	unlike $w->log, qr/\Q$TOKEN\E/, 'the token is not in the log';
	my $stop = $w->command('stop');
	is_deeply [@$stop{qw(status out)}], [0, "Stop signal sent to agent wrapper\n"], 'stop ends the wrapper';
	is $w->wait_exit, 0, 'a wrapper that is stopped has status 0';
	is $w->command($_)->{out}, "Agent wrapper is not running\n", "$_ says so when no wrapper runs"
	    for 'stop', 'status';
	$backend->until(5, sub { !$agent->is_open });
}

# In the background.
{
	my $w = Wrapper->new(token => $TOKEN);
	my @start = ('start', '--background', '--server', $backend->url);
	my $pid = fork // die;
	if (!$pid) {
		%ENV = (%ENV, $w->env);
		open STDOUT, '>', $w->path('out');
		exec $w->words(@start) or POSIX::_exit(127);
	}
	my $agent = $backend->agent or BAIL_OUT($w->said . $w->log);
	waitpid $pid, 0;
	is $?, 0, 'a start in the background returns when the agent is connected';
	like $w->said, qr/connected as mock-/, 'a start in the background says that the agent is connected';
	$agent->run('bg', 'echo here');
	$agent->next('COMMAND_COMPLETE', 'bg');
	is $agent->output('bg'), "here\n", 'the wrapper in the background works';
	$backend->deaf;
	is $w->command('restart', '-b', '-s', $backend->url, '--max-retries', 0)->{status}, 1,
	    'a restart that cannot connect fails';
	ok wait_for(10, sub { $w->command('status')->{out} eq "Agent wrapper is not running\n" }), 'a restart that cannot connect leaves no wrapper';
	$backend->listen;
}

# Its files are in the directory in which commands work.
{
	my $w = start();
	my $agent = $backend->agent or BAIL_OUT($w->said . $w->log);
	$agent->run('clean', 'rm .onsembl-agent.*');
	$agent->next('COMMAND_COMPLETE', 'clean');
	is read_file($w->path('pid')), $w->pid . "\n", 'a pid file that a command has removed comes back';
	my $status = eval { decode_json($w->command('status')->{out}) };
	is_deeply [@{ $status || {} }{qw(pid connection)}], [$w->pid, 'connected'], 'a status that a command has removed comes back';
	is $w->command('start', '-s', $backend->url)->{status}, 1,
	    'a second wrapper is refused after a command has removed the files of the first';
	unlink $w->path('pid');
	my $second = Wrapper->start(dir => $w->dir, server => $backend->url, token => $TOKEN);
	$backend->agent or BAIL_OUT($second->said);
	$agent->run('again', 'true');
	$agent->next('COMMAND_COMPLETE', 'again');
	is $w->stop, 0, 'a wrapper whose files have been removed ends well';
	is read_file($second->path('pid')), $second->pid . "\n", 'a wrapper leaves the pid file of the next alone';
	like $second->command('status')->{out}, qr/"connected"/, 'a wrapper leaves the status of the next alone';
	like $second->log, qr/pid was removed: another wrapper runs/, 'a wrapper whose directory another has taken logs it';
	is $second->command('stop')->{out}, "Stop signal sent to agent wrapper\n", 'the next wrapper can be stopped';
	is $second->wait_exit, 0, 'the next wrapper ends well';
}

# ---- what is refused ----

my $dir = File::Temp->newdir;
symlink '/', "$dir/root";
my @refused = (
	['a directory that leads to /', ['-w', "$dir/root"], qr/root of the file system/],
	['the directory /', ['-w', '/'], qr/root of the file system/],
	['a directory that does not exist', ['-w', "$dir/none"], qr/No such file/],
	['a file as directory', ['-w', $0], qr/no directory/],
	['an unknown agent', ['-a', 'hal'], qr/--agent is .*mock, not "hal"/],
	['a server that is no URL', ['-s', 'localhost'], qr/--server: "localhost"/],
	['a number out of range', ['--retry-delay', '0'], qr/retry-delay is a number from 1/],
	['output that waits for too long', ['--flush-interval', 151], qr/flush-interval is a number from 0 to 150/],
	['a token with a space', ['-k', 'a b'], qr/--api-key: a token has no spaces/],
	['an unknown level of its log', ['--log-level', 'loud'], qr/--log-level is .*error, not "loud"/],
	['an id with a slash', ['--agent-id', 'a/b'], qr/--agent-id/],
	['an unknown option', ['--nothing'], qr/--nothing/],
	['a config that does not exist', ['-c', "$dir/none.json"], qr/none\.json/],
);
for (@refused) {
	my ($name, $args, $why) = @$_;
	my $r = run([program('co-agentd'), 'start', '-w', "$dir", @$args]);
	is $r->{status}, 2, "start refuses $name";
	like $r->{out}, $why, "start says what is wrong with $name";
}
is run([program('co-agentd'), 'frobnicate'])->{status}, 2, 'an unknown command is refused';
write_file("$dir/config.json", '{"serverUrl": "ws://127.0.0.1:9"}');
my $r = run([program('co-agentd'), 'start'], dir => "$dir", env => { ONSEMBL_API_KEY => 'mine' });
is $r->{status}, 2, 'a config.json that was not named cannot choose who gets the token';
like $r->{out}, qr/--config config\.json/, 'the refusal names the way out';

# ---- a file of settings ----

{
	write_file("$dir/config.json", encode_json({ serverUrl => $backend->url, authToken => $TOKEN,
		agentId => 'auto-generate', name => 'From the file', agentType => 'mock', maxRetries => 3,
		streamBuffer => { flushInterval => 20 }, commands => {} }));
	my $w = Wrapper->new(dir => "$dir", env => { ONSEMBL_AGENT_NAME => undef });
	my $pid = fork // die;
	if (!$pid) {
		chdir $dir;
		open STDOUT, '>', '/dev/null';
		exec program('co-agentd'), 'start' or POSIX::_exit(127);
	}
	my $agent = $backend->agent or BAIL_OUT($w->log);
	is $agent->connected->{name}, 'From the file', 'settings are read from config.json';
	kill TERM => $pid;
	waitpid $pid, 0;
	is $?, 0, 'a wrapper with a file of settings ends well';
}

# ---- connections that are lost ----

{
	my $w = start();
	my $agent = $backend->agent;
	my $d = $w->dir;
	$agent->run('counter', "for i in \$(seq 1 400); do echo \$i; [ \$i = 200 ] && while [ ! -e $d/go ]; do sleep 0.02; done; done; true");
	$agent->next('TERMINAL_OUTPUT', 'counter');
	my $before = $agent;
	$agent->cut;
	write_file("$d/go", '');
	$agent = $backend->agent;
	is $agent->connected->{agentId}, $before->connected->{agentId}, 'the agent comes back with its id';
	is_deeply $agent->connected->{activeCommands}, ['counter'], 'an agent that comes back says which command it has';
	my $end = $agent->next('COMMAND_COMPLETE', 'counter');
	is $end->{payload}{status}, 'COMPLETED', 'the command went on meanwhile';
	my %content;
	for my $m ($before->got('TERMINAL_OUTPUT'), $agent->got('TERMINAL_OUTPUT')) {
		$content{ $m->{payload}{sequence} } = $m->{payload}{content};
	}
	is join('', map { $content{$_} } sort { $a <=> $b } keys %content), join('', map { "$_\n" } 1 .. 400),
	    'no output is lost with a connection';
	$agent->run('counter', 'echo again');
	$agent->run('after', 'true');
	$agent->next('COMMAND_COMPLETE', 'after');
	is $agent->output('counter') =~ /again/, '', 'a command that comes again is not run again';
	$agent->close(1001);
	ok $agent = $backend->agent, 'the agent comes back when the server goes away';
	$agent->close(1000);
	is $w->wait_exit, 0, 'the agent ends when the server closes normally';
}

# A server that stays away, until the buffer is full.
{
	my $w = start(args => ['--outage-buffer', 262144]);
	my $agent = $backend->agent;
	my $d = $w->dir;
	$agent->run('much', "while [ ! -e $d/go ]; do sleep 0.02; done; head -c 3000000 /dev/zero | tr '\\0' y; touch $d/written; echo END");
	$agent->next('COMMAND_ACK', 'much');
	$backend->deaf;
	$agent->cut;
	wait_for(10, sub { $w->log =~ /next attempt/ });
	write_file("$d/go", '');
	ok wait_for(20, sub { -e "$d/written" }), 'a command is not held while the server is away';
	$backend->listen;
	$agent = $backend->agent;
	is $agent->next('COMMAND_COMPLETE', 'much')->{payload}{status}, 'COMPLETED', 'the end is reported afterwards';
	my $out = $agent->output('much');
	my ($dropped) = $out =~ /(\d+) bytes of output are missing here/;
	$out =~ s/\r\n\[onsembl-agent: .*?\]\r\n//;
	is $dropped + ($out =~ tr/y//), 3000000, 'a mark says how much output was dropped';
	like $out, qr/yEND\n\z/, 'the newest output is kept';
	like $w->log, qr/output was dropped, bytes=$dropped\b/, 'the log says how much output was dropped';
	$w->stop;
}

# ---- giving up ----

{
	my $w = start(args => ['--max-retries', 3], env => { ONSEMBL_RECONNECT_BASE_DELAY => 40 });
	my $agent = $backend->agent;
	$agent->run('sleep', 'sleep 1000');
	$agent->next('COMMAND_ACK', 'sleep');
	$backend->deaf;
	$agent->cut;
	is $w->wait_exit, 1, 'the wrapper gives up after its attempts, with status 1';
	my @delays = $w->log =~ /next attempt in (\d+) ms/g;
	is scalar(@delays), 3, 'there were as many attempts as allowed';
	my @far = grep { $delays[$_] < 40 * 2**$_ || $delays[$_] > 48 * 2**$_ } 0 .. 2;
	is "@far", '', 'each wait is twice as long as the one before, and a little more';
	like $w->log, qr/given up/, 'the log says that it gave up';
	$backend->listen;
}
{
	my $w = start(args => ['--max-retries', 3]);
	for (1 .. 4) {
		my $agent = $backend->agent or BAIL_OUT($w->said . $w->log);
		$agent->cut;
	}
	is $w->wait_exit, 1, 'connections that break soon after they were accepted count as attempts';
	my @delays = $w->log =~ /next attempt in (\d+) ms/g;
	my @far = grep { $delays[$_] < 20 * 2**$_ || $delays[$_] > 24 * 2**$_ } 0 .. 2;
	is "@far", '', 'the wait grows when connections break soon after they were accepted';
}
{
	$backend->deaf;
	my $w = start(env => { ONSEMBL_RECONNECT_BASE_DELAY => 1 });
	is $w->wait_exit, 1, 'a server that never answers ends the wrapper';
	is scalar(() = $w->log =~ /next attempt/g), 10, 'ten attempts are made by default';
	$backend->listen;
}
{
	my $w = Wrapper->start(server => $backend->url, token => 'wrong');
	$backend->until(10, sub { $w->said =~ /refuses us/ });
	is $w->wait_exit, 1, 'a wrapper whose token is refused ends with status 1';
	like $w->said, qr/Invalid authentication token/, 'a wrapper whose token is refused says why';
}

# ---- a token that is refreshed ----

{
	my $w = start(args => ['--max-retries', 3]);
	my $agent = $backend->agent;
	$agent->send('TOKEN_REFRESH', { accessToken => "bad\r\nX-Header: 1", expiresIn => 3600 });
	$agent->send('TOKEN_REFRESH', { accessToken => 'newer-token', expiresIn => 3600 });
	ok wait_for(5, sub { $backend->turn(0.05); $w->log =~ /has refreshed the token/ }), 'a refreshed token is taken';
	like $w->log, qr/TOKEN_REFRESH has no token/, 'a token with a line break is not taken';
	unlike $w->log, qr/newer-token/, 'a refreshed token is not logged';
	$backend->{token} = 'newer-token';
	$agent->cut;
	ok $agent = $backend->agent, 'the next connection has the refreshed token';
	$backend->{token} = $TOKEN;
	$w->stop;
}

# ---- a login ----

# A server of HTTP that answers each POST by a function, and notes what came.
{
	my $home = File::Temp->newdir;
	my $rest = IO::Socket::IP->new(LocalHost => '127.0.0.1', Listen => 8, ReuseAddr => 1);
	my ($port, @came) = ($rest->sockport);
	my ($polls, $head) = (0, '');
	my %reply = (
		'/api/auth/device/authorize' => sub { (200, { device_code => 'D', user_code => 'ABC234',
			verification_uri => 'http://x/auth/device', expires_in => 600, interval => 1 }) },
		'/api/auth/device/token' => sub { $polls++ ? (200, { access_token => $TOKEN, refresh_token => 'R1',
			token_type => 'Bearer', expires_in => 3600 }) : (400, { error => 'authorization_pending' }) },
		'/api/auth/cli/refresh' => sub { (200, { access_token => 'renewed', refresh_token => 'R2', expires_in => 3600 }) },
		'/api/auth/cli/revoke' => sub { (200, { success => JSON::PP::true }) },
	);
	# Serve in this process, while a command runs.
	my $with = sub {
		my ($is_over) = @_;
		wait_for(15, sub {
			my $bits = '';
			vec($bits, fileno $rest, 1) = 1;
			if (select $bits, undef, undef, 0.02) {
				my $c = $rest->accept;
				my $in = '';
				while ($in !~ /\r\n\r\n/ || length($') < (($in =~ /content-length: (\d+)/i)[0] // 0)) {
					sysread $c, $in, 4096, length $in or last;
				}
				return $head = $in if $in =~ /^GET/; # a wrapper that connects
				my ($path, $body) = $in =~ m{^POST (\S+) .*?\r\n\r\n(.*)}s;
				push @came, [$path, decode_json($body)];
				my ($status, $answer) = $reply{$path}->();
				my $text = encode_json($answer);
				syswrite $c, "HTTP/1.1 $status X\r\nContent-Type: application/json\r\nContent-Length: "
				    . length($text) . "\r\nConnection: close\r\n\r\n$text";
				close $c;
			}
			return $is_over->();
		});
	};
	my $command = sub {
		my ($word, $out) = @_;
		my $pid = fork // die;
		if (!$pid) {
			$ENV{HOME} = "$home";
			delete $ENV{ONSEMBL_API_KEY};
			open STDOUT, '>', $out;
			open STDERR, '>&', \*STDOUT;
			exec program('co-agentd'), $word, '-w', "$home", '-s', "ws://127.0.0.1:$port" or POSIX::_exit(127);
		}
		$with->(sub { waitpid $pid, POSIX::WNOHANG() });
		return $?;
	};
	is $command->('login', "$home/out"), 0, 'login ends when the code was entered';
	like read_file("$home/out"), qr{Open http://x/auth/device and enter the code ABC234\nLogged in}, 'login shows where to enter the code';
	my $saved = decode_json(read_file("$home/.onsembl/credentials.json"));
	is_deeply [@$saved{qw(server accessToken refreshToken)}], ["ws://127.0.0.1:$port", $TOKEN, 'R1'], 'a login is kept in a file';
	is sprintf('%o', (stat "$home/.onsembl/credentials.json")[2] & 0777), '600', 'only the user can read the login';

	# The wrapper begins with a token that is about to expire.
	$saved->{expiresAt} = (time + 100) * 1000;
	write_file("$home/.onsembl/credentials.json", encode_json($saved));
	my $w = Wrapper->start(server => "ws://127.0.0.1:$port", args => ['--max-retries', 0],
		env => { HOME => "$home", ONSEMBL_API_KEY => undef });
	$with->(sub { $head });
	is_deeply $came[-1], ['/api/auth/cli/refresh', { refresh_token => 'R1', grant_type => 'refresh_token' }],
	    'a token that is about to expire is renewed first';
	is decode_json(read_file("$home/.onsembl/credentials.json"))->{refreshToken}, 'R2', 'the renewed login is kept';
	like $head, qr/^Authorization: Bearer renewed\r$/m, 'the wrapper connects with the renewed token';
	$w->signal('KILL');
	$w->wait_exit;
	is $command->('logout', "$home/out"), 0, 'logout ends without an error';
	is_deeply $came[-1], ['/api/auth/cli/revoke', { token => 'R2' }], 'logout tells the server';
	ok !-e "$home/.onsembl/credentials.json", 'logout removes the login';
}

# ---- control ----

{
	my $w = start();
	my $agent = $backend->agent;
	my $d = $w->dir;
	$agent->send('AGENT_CONTROL', { action => 'PAUSE' });
	$agent->run('held', 'true');
	is $agent->next('COMMAND_ACK', 'held')->{payload}{status}, 'QUEUED', 'a paused agent begins nothing';
	$agent->send('AGENT_CONTROL', { action => 'RESUME' });
	ok $agent->next('COMMAND_COMPLETE', 'held'), 'an agent that is resumed goes on';
	$agent->run('hard', 'sleep 1000');
	$agent->next('COMMAND_ACK', 'hard');
	$agent->send('AGENT_CONTROL', { action => 'RESTART' });
	is $agent->next('COMMAND_COMPLETE', 'hard')->{payload}{status}, 'CANCELLED', 'a restart cancels what runs';
	$agent->run('soft', "while [ ! -e $d/go ]; do sleep 0.02; done");
	$agent->next('COMMAND_ACK', 'soft');
	$agent->send('AGENT_CONTROL', { action => 'STOP', gracefulShutdown => JSON::PP::true, timeout => 30000 });
	$agent->run('late', 'true');
	like $agent->next('COMMAND_COMPLETE', 'late')->{payload}{error}, qr/stopping/, 'an agent that stops takes nothing new';
	write_file("$d/go", '');
	is $agent->next('COMMAND_COMPLETE', 'soft')->{payload}{status}, 'COMPLETED', 'an agent that stops gracefully ends its command first';
	is $w->wait_exit, 0, 'an agent that is stopped ends with status 0';
}
done_testing;
