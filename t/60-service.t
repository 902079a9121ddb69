#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# conf/co-hostd.init: every action, with the exit codes that LSB asks for.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(copy_programs program read_file run source wait_for write_file);
use Test::More;

plan skip_all => 'the init script is for root' if $> != 0;
plan skip_all => 'lsb-base is not installed' unless -r '/lib/lsb/init-functions';
my ($ssd) = grep { -x } '/sbin/start-stop-daemon', '/usr/sbin/start-stop-daemon';
plan skip_all => 'start-stop-daemon is not installed' unless $ssd;

my $dir = CoHost::directory(yaml => "name: serviced\n");
chmod 0755, "$dir";
my $script = source('conf/co-hostd.init');
my $sock = "$dir/sock";
my $pid_file = "$dir/co-hostd.pid";

# What /etc/default/co-hostd may set, the environment may set as well.
my %env = (
	DAEMON => program('co-hostd'), PIDFILE => $pid_file, HOME => "$dir/home",
	PROJECT_DIR => "$dir", DEFAULTS => '/dev/null', CO_HOSTD_USER => 'root',
	DAEMON_ARGS => "-w 2 -d $dir -b unix:$sock -l $dir/log",
);
sub action {
	my ($action, $want, $what) = @_;
	my $r = run(['sh', $script, $action], env => \%env, timeout => 60);
	is $r->{status}, $want, "$action: $what" or diag $r->{out};
	return $r;
}
sub health { return eval { HTTP->once("unix:$sock", GET => '/health') } }
sub pid { return (read_file($pid_file) =~ /(\d+)/)[0] }
END { my $pid = pid(); kill KILL => $pid if $pid }

action('status', 3, 'the service is not running yet');
action('stop', 0, 'a service that is not running can be stopped');
action('start', 0, 'the service is started');
is health()->{json}{agent}, 'serviced', 'the service answers once start has returned';
my $pid = pid();
ok $pid && kill(0, $pid), 'the pid file names the service';
action('status', 0, 'the service is running');
action('start', 0, 'a running service can be started');
is pid(), $pid, 'a second start leaves the service alone';

write_file("$dir/.co/host.yaml", "name: reloaded\n");
action('reload', 0, 'the service reloads its configuration');
ok wait_for(10, sub { my $r = health(); $r && $r->{json}{agent} eq 'reloaded' }),
    'the service has its new name after reload';
is pid(), $pid, 'reload keeps the process';
action('force-reload', 0, 'the service reloads as with reload');

action('restart', 0, 'the service is restarted');
isnt pid(), $pid, 'restart starts another process';
is health()->{status}, 200, 'the service answers after restart';

write_file("$dir/.co/host.yaml", "name: x\nport: nowhere\n");
my $before = pid();
my $r = run(['sh', $script, 'restart'], env => \%env, timeout => 60);
isnt $r->{status}, 0, 'restart with wrong settings fails';
is pid(), $before, 'restart with wrong settings keeps the process';
is health()->{status}, 200, 'the service answers after a refused restart';
write_file("$dir/.co/host.yaml", "name: x\n");

action('stop', 0, 'the service is stopped');
ok !kill(0, $before), 'stop ends the process';
ok !-e $pid_file, 'stop removes the pid file';
action('status', 3, 'the service is not running any more');
action('dance', 2, 'an unknown action is refused') ;
is run(['sh', $script], env => \%env)->{status}, 2, 'no action: usage';

action('start', 0, 'the service starts again after a stop');
kill KILL => pid();
ok wait_for(5, sub { my $p = pid(); !$p || !kill 0, $p }), 'a service that is killed ends';
action('status', 1, 'a killed service is dead with a pid file');
action('start', 0, 'the service starts in spite of an old pid file');
action('stop', 0, 'the service is stopped again');

# A project of another user, served by that user. It has a program as its interpreter.
my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
my $project = CoHost::directory(
	yaml => "name: x\nport: 9\nbind: 203.0.113.1\nagent: python:a.py\npython: ./python\n");
write_file("$project/a.py", '');
write_file("$project/python",
	"#!/bin/sh\nid -un >by && mkdir -p .co/logs && echo '{\"name\":\"fake\"}'\n");
chmod 0755, "$project", "$project/python";
copy_programs($project);
chown $uid, $gid, "$project", "$project/.co";
my %theirs = (%env, DAEMON => "$project/co-hostd", PROJECT_DIR => "$project",
	CO_HOSTD_USER => 'nobody', DAEMON_ARGS => '', HOME => "$project/home");
$r = run(['sh', $script, 'start'], env => \%theirs, timeout => 60);
is $r->{status}, 1, 'a service that cannot listen does not start';
like $r->{out}, qr{see \Q$project\E/co-hostd\.log}, 'a failed start names the log';
like read_file("$project/co-hostd.log"), qr/cannot listen/, 'the log says why the start failed';
ok !-e $pid_file, 'a failed start leaves no pid file';
is read_file("$project/by"), "nobody\n", 'the agent is run by the user of the service only';
is +(stat "$project/.co/logs")[4], $uid, "the check of the settings leaves root's files nowhere";
$env{DAEMON} = '/no/such/co-hostd';
ok +(run(['sh', $script, 'start'], env => \%env)->{status} =~ /^[05]$/),
    'the init script does nothing when the program is removed';
done_testing;
