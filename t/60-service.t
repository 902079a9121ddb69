#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# conf/co-hostd.init: every action, with the exit codes that LSB asks for.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program read_file run source wait_for write_file);
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

action('status', 3, 'it does not run');
action('stop', 0, 'stopping what does not run is fine');
action('start', 0, 'it starts');
is health()->{json}{agent}, 'serviced', 'and serves by then';
my $pid = pid();
ok $pid && kill(0, $pid), 'the pid file names it';
action('status', 0, 'it runs');
action('start', 0, 'starting it twice is fine');
is pid(), $pid, 'and changes nothing';

write_file("$dir/.co/host.yaml", "name: reloaded\n");
action('reload', 0, 'it reads its configuration again');
ok wait_for(10, sub { my $r = health(); $r && $r->{json}{agent} eq 'reloaded' }),
    'the new name is there';
is pid(), $pid, 'in the same process';
action('force-reload', 0, 'this is the same');

action('restart', 0, 'it starts anew');
isnt pid(), $pid, 'in another process';
is health()->{status}, 200, 'and serves';

write_file("$dir/.co/host.yaml", "name: x\nport: nowhere\n");
my $before = pid();
my $r = run(['sh', $script, 'restart'], env => \%env, timeout => 60);
isnt $r->{status}, 0, 'restart with wrong settings is refused';
is pid(), $before, 'before it stops what runs';
is health()->{status}, 200, 'which serves on';
write_file("$dir/.co/host.yaml", "name: x\n");

action('stop', 0, 'it stops');
ok !kill(0, $before), 'the process is gone';
ok !-e $pid_file, 'and the pid file';
action('status', 3, 'it does not run');
action('dance', 2, 'an unknown action') ;
is run(['sh', $script], env => \%env)->{status}, 2, 'no action: usage';

action('start', 0, 'it starts again');
kill KILL => pid();
ok wait_for(5, sub { my $p = pid(); !$p || !kill 0, $p }), 'somebody kills it';
action('status', 1, 'dead, with a pid file');
action('start', 0, 'it starts over what is left');
action('stop', 0, 'and stops');
$env{DAEMON} = '/no/such/co-hostd';
ok +(run(['sh', $script, 'start'], env => \%env)->{status} =~ /^[05]$/), 'removed: it does nothing';
done_testing;
