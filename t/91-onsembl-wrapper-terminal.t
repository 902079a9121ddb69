#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# onsembl-agent start --interactive: the program of the agent at the user's terminal.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Backend;
use CoHost qw(lacks_here program read_file run wait_for write_file);
use File::Temp;
use IO::Select;
use Terminal;
use Test::More;
use Wrapper;

if (!eval { require IO::Pty; 1 }) {
	lacks_here 'there is no IO::Pty', 1;
	done_testing;
	exit;
}

my $backend = Backend->new(token => 'T');

# A shell around it, which says afterwards how the terminal is.
sub begin {
	my ($w, @args) = @_;
	my $command = join ' ', map { quotemeta } $w->words('start', '-i', '-s', $backend->url,
		$w->{clock} ? ('--test-clock', "$w->{dir}/clock") : (), @args);
	return Terminal->start(['sh', '-c', "stty -a >$w->{dir}/before; $command; echo status=\$?;"
		. "stty -a >$w->{dir}/after; echo the shell goes on"],
		env => { $w->env, PS1 => '$ ', ENV => undef, %{ $w->{env} } });
}

# Let both sides do their work until the terminal shows this.
sub shows {
	my ($t, $what) = @_;
	my $found = $backend->until(10, sub { $t->take(0.01); $t->all =~ $what });
	diag $t->all if !$found;
	return $found;
}

# All but the size.
sub is_restored {
	my ($w, $name) = @_;
	my ($before, $after) = map { read_file("$w->{dir}/$_") =~ s/rows \d+; columns \d+; //r } 'before', 'after';
	is $after, $before, $name;
}

# ---- a shell ----

{
	my $w = Wrapper->new(token => 'T', clock => 1);
	my $t = begin($w, '-n', 'Ann');
	my $agent = $backend->agent or BAIL_OUT($t->all);
	ok shows($t, qr/\$ $/), 'the program of the agent is at the terminal';
	like $t->all, qr/connected as mock-/, 'the start says that the agent is connected';
	like $w->command('status')->{out}, qr/"mode": "interactive"/, 'the status has the mode';
	$t->type("echo typed-\$((40 + 2)); stty size\r");
	ok shows($t, qr/typed-42\r\n24 80\r\n/), 'the user types to a program that knows the size of the terminal';
	my $id = $agent->connected->{agentId};
	$backend->until(5, sub { $agent->output($id) =~ /typed-42/ });
	like $agent->output($id), qr/typed-42\r\n/, 'what the program writes for the user is output of the agent';

	$agent->run('c1', "printf '\\033[31mred\\033[0m-%s\\033[c\\033]52;c;eA==\\a\\033P+q\\033\\134-ed\\n' \$((50 + 5))");
	ok shows($t, qr/red\e\[0m-55\e\[c\e\]52;c;eA==\a\eP\+q\e\\-ed\r\n/), 'a command of a dashboard is typed at the terminal';
	$w->pass(4); # seconds of silence
	is $agent->next('COMMAND_COMPLETE', 'c1')->{payload}{status}, 'COMPLETED', 'a command is over when the program is quiet';
	like $agent->output('c1'), qr/\n\e\[31mred\e\[0m-55-ed\r\n/, 'a dashboard gets its output with colors, but no questions to a terminal';
	$agent->run('c2', "sh -c 'echo begun-\$((3 + 4)); while [ ! -e go ]; do sleep 0.1; done; echo done-\$((1 + 1))'");
	shows($t, qr/begun-7\r\n/);
	$w->pass(60);
	$t->{pty}->slave->set_winsize(40, 100);
	kill WINCH => read_file($w->path('pid')); # the test is not in the session of the terminal
	$backend->turn(0.1) for 1 .. 5; # it is looked at each 0.1 s
	is scalar($agent->got('COMMAND_COMPLETE')), 1, 'a quiet command in the foreground of a shell is not over';
	write_file("$w->{dir}/go", '');
	shows($t, qr/done-2\r\n/);
	$w->pass(4);
	ok $agent->next('COMMAND_COMPLETE', 'c2'), 'a command is over when the shell is in the foreground again';
	like $agent->output('c2'), qr/\nbegun-7\r\ndone-2\r\n/, 'output of a command reaches to its end';
	$t->type("stty size\r");
	ok shows($t, qr/40 100\r\n/), 'the program is told of a new size';

	$agent->run('c4', 'sleep 1000');
	$agent->next('COMMAND_ACK', 'c4');
	shows($t, qr/sleep 1000\r\n/);
	$agent->send('COMMAND_CANCEL', { commandId => 'c4' });
	is $agent->next('COMMAND_COMPLETE', 'c4')->{payload}{status}, 'CANCELLED', 'a command can be interrupted';
	$agent->run('c5', "echo a\e[200~b\x03c");
	ok shows($t, qr/\na\[200~bc\r\n/), 'a command cannot press keys';
	$t->type("exit 0\r");
	ok shows($t, qr/status=0\r\n/), 'the wrapper ends with the program';
	shows($t, qr/shell goes on/);
	is $t->end, 0, 'the shell of the user has its terminal back';
	is_restored($w, 'the terminal is as before when the program has ended');
	$backend->until(5, sub { !$agent->is_open });
	is $agent->close_code, 1000, 'the server is told of the end';
}

# ---- ends ----

my $mark = "terminal-story-$$";
my $noise = qq{printf '\\033[?1049h\\033[?1000h\\033[?25lnoise-%s' $mark; (sleep 1000; : $mark) &\r};
for (['SIGTERM', 0, sub { $_[0]->command('stop') }],
	['SIGKILL to the wrapper', 137, sub { kill KILL => read_file($_[0]->path('pid')) }],
	['SIGHUP', 0, sub { kill HUP => read_file($_[0]->path('pid')) }]) {
	my ($name, $status, $end) = @$_;
	my $w = Wrapper->new(token => 'T');
	my $t = begin($w);
	my $agent = $backend->agent or BAIL_OUT($t->all);
	shows($t, qr/\$ $/);
	$t->type($noise);
	shows($t, qr/noise-$mark/);
	$end->($w);
	ok shows($t, qr/status=$status\r\n/), "$name ends the wrapper";
	like $t->all, qr/\e\[\?1000l\e\[\?25h\e\[\?1049l/, "after $name what the program has switched on is off";
	shows($t, qr/shell goes on/);
	$t->end;
	is_restored($w, "the terminal is restored after $name");
	ok wait_for(10, sub { !Wrapper::processes_with($mark) }), "$name leaves no process";
}

# The window is closed.
{
	my $w = Wrapper->new(token => 'T');
	my $t = begin($w);
	my $agent = $backend->agent or BAIL_OUT($t->all);
	shows($t, qr/\$ $/);
	$t->type($noise);
	shows($t, qr/noise-$mark/);
	close $t->{pty};
	ok $backend->until(10, sub { !$agent->is_open && !Wrapper::processes_with($mark) && !-e $w->path('pid') }),
	    'a terminal that is closed ends the wrapper, and leaves no process';
}

# The process that gives the terminal back is killed: the wrapper does it, and ends.
{
	my $w = Wrapper->new(token => 'T');
	my $t = begin($w);
	my $agent = $backend->agent or BAIL_OUT($t->all);
	shows($t, qr/\$ $/);
	$t->type($noise);
	shows($t, qr/noise-$mark/);
	my ($guard) = read_file('/proc/' . (read_file($w->path('pid')) + 0) . '/stat') =~ /\) \S (\d+)/;
	kill KILL => $guard;
	ok $backend->until(10, sub { $t->take(0.01); !$agent->is_open && !Wrapper::processes_with($mark) && !-e $w->path('pid') }),
	    'a wrapper whose parent is killed ends, and leaves no process';
	like run(['stty', '-F', $t->{pty}->ttyname, '-a'])->{out}, qr/ icanon/, 'a wrapper whose parent is killed gives the terminal back';
	$t->end;
}

# ---- a server that does not read ----

{
	my $w = Wrapper->new(token => 'T');
	my $t = begin($w, '--outage-buffer', 262144);
	my $agent = $backend->agent or BAIL_OUT($t->all);
	shows($t, qr/\$ $/);
	$agent->pause(1);
	$t->type("stty -opost; yes | tr -d '\\n' | head -c 8000000; stty opost; echo; echo END-\$((1 + 1))\r");
	my $is_shown = sub { substr($t->{all}, -80) =~ /END-2\r\n/ };
	ok wait_for(20, sub { 1 while !$is_shown->() && IO::Select->new($t->{pty})->can_read(0.1) && $t->take(0); $is_shown->() }),
	    'a server that does not read does not hold up the program';
	$t->type("exit\r");
	ok wait_for(10, sub { $t->take(0); $w->log =~ /output was dropped, bytes=\d{6,}/ }), 'what the server did not take is dropped, and counted';
	$agent->cut;
	shows($t, qr/status=0/);
	$t->end;
}

# Stopped from outside, as by a shell with job control.
{
	my $w = Wrapper->new(token => 'T');
	my $t = begin($w);
	my $agent = $backend->agent or BAIL_OUT($t->all);
	shows($t, qr/\$ $/);
	my $pid = read_file($w->path('pid')) + 0;
	my ($guard) = read_file("/proc/$pid/stat") =~ /\) \S (\d+)/;
	kill STOP => $pid;
	my $state = sub { (read_file("/proc/$guard/stat") =~ /\) (\S)/)[0] };
	ok wait_for(5, sub { $state->() eq 'T' }), 'a wrapper that is stopped is stopped with its parent';
	like run(['stty', '-F', $t->{pty}->ttyname, '-a'])->{out}, qr/ icanon/, 'a wrapper that is stopped gives the terminal back';
	kill CONT => $guard;
	$t->type("echo again-\$((6 + 1))\r");
	ok shows($t, qr/again-7\r\n/), 'a wrapper that goes on has the terminal again';
	$agent->send('EMERGENCY_STOP', { triggeredBy => 'u', reason => 'r' });
	$agent->run('c1', 'true');
	$agent->next('COMMAND_ACK', 'c1');
	$agent->send('COMMAND_CANCEL', { commandId => 'c1', force => JSON::PP::true });
	is $agent->next('COMMAND_COMPLETE', 'c1')->{payload}{status}, 'CANCELLED', 'a command can be cancelled by force';
	ok $backend->until(10, sub { $t->take(0.01); () = $t->all =~ /\$ /g; ($t->all =~ tr/$//) > 2 }), 'the program begins anew';
	$t->type("exit 3\r");
	ok shows($t, qr/status=1\r\n/), 'a program that ends with a failure is a failure';
	$t->end;
}

# ---- without a server ----

{
	my $w = Wrapper->new(token => undef);
	my $t = begin($w, '--no-websocket', '--status-bar');
	ok shows($t, qr/\$ /), 'the program runs without a server';
	ok shows($t, qr/\e\[24;1H\e\[0;7m mock \| offline \| mock-/), 'the last row has the state';
	$t->type("stty size; printf '\\033[r\\033[2J'; echo out-\$((8 + 1))\r");
	ok shows($t, qr/23 80\r\n/), 'the program has the rows above';
	ok shows($t, qr/\e\[1;23r\e\[2Jout-9/), 'the program cannot scroll the last row';
	ok $backend->until(5, sub { $t->take(0.01); (() = $t->all =~ /\| offline \|/g) > 1 }), 'the bar is drawn again when it was erased';
	$t->type("exit\r");
	ok shows($t, qr/status=0\r\n/), 'the program ends the wrapper without a server';
	like $t->all, qr/\e\[r\e\[24;1H\e\[0m\e\[2K/, 'the last row is given back';
	$t->end;
	is_restored($w, 'the terminal is as before without a server');
}

# ---- what is refused ----

for (['--status-bar', qr/--status-bar needs --interactive/], ['--no-websocket', qr/--no-websocket needs --interactive/],
	['--interactive', qr/--interactive needs a terminal/]) {
	my ($option, $why) = @$_;
	my $r = run([program('co-agentd'), 'start', '-w', '/tmp', $option]);
	is $r->{status}, 2, "$option is refused without what it needs";
	like $r->{out}, $why, "the refusal of $option says what it needs";
}
for ('--headless', '--background') {
	my $r = run([program('co-agentd'), 'start', '-w', '/tmp', '-i', $_]);
	like $r->{out}, qr/--interactive and $_ exclude/, "--interactive cannot be with $_";
}
done_testing;
