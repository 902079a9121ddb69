#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Where RLIMIT_NPROC holds the processes of agents, it counts all that the user has: what
# comes after a turn has begun, other turns say, does not take the room of that turn.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for write_file);
use POSIX ();
use Test::More;

plan skip_all => 'only root can drop to another user' if $> != 0;
my $uid = getpwnam('nobody') // plan skip_all => 'there is no user nobody';
if (!@ARGV) {
	plan skip_all => 'no mounts of our own here' if system 'unshare --mount true 2>/dev/null';
	exec 'unshare', '--mount', 'sh', '-c',
	    'mount -t tmpfs -o ro none /sys/fs/cgroup 2>/dev/null; exec "$@"', 'sh', $^X, $0, 'inside'
	    or plan skip_all => 'there is no unshare(1)';
}

my $dir = CoHost::directory();
chmod 0755, "$dir";
chown $uid, -1, "$dir", "$dir/.co", "$dir/home";
write_file("$dir/agent.pl", <<"END");
\$| = 1;
<STDIN>;
print qq({"type":"thinking","content":"so"}\\n);
select undef, undef, undef, 0.1 until -e "$dir/go";
select undef, undef, undef, 2;
my \$pid = fork;
exit if defined \$pid && !\$pid;
print '{"type":"OUTPUT","result":"', defined \$pid ? 'forked' : "\$!", qq("}\\n);
END
my $host = CoHost->start(dir => $dir, workers => 1, agent => "exec:perl $dir/agent.pl",
	yaml => "agent_processes: 30\n", args => ['--user', 'nobody']);
like $host->words, qr/agent_processes is enforced by RLIMIT_NPROC/,
    'the log says that RLIMIT_NPROC holds agent_processes';
my $ws = $host->ws(session => {});
$ws->send_json({ type => 'INPUT', prompt => 'wait' });
$ws->next(type => 'thinking');

# As many processes of this user as the system has now, and more than there may be.
my ($total) = read_file('/proc/loadavg') =~ m{/(\d+)};
my @others = map {
	my $pid = fork // BAIL_OUT("fork: $!");
	if (!$pid) { POSIX::setuid($uid); exec 'sleep', 60; POSIX::_exit(1) }
	$pid
} 1 .. $total + 60;
sleep 1;
write_file("$dir/go", '');
my $end = ($ws->all_until('OUTPUT', 'ERROR'))[-1];
is $end->{result}, 'forked', 'a turn forks, however many processes others have begun';
kill KILL => @others;
waitpid $_, 0 for @others;
$host->stop;
done_testing;
