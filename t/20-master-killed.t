#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# When the master is killed nothing stays behind, and the next start works.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for write_file);
use Test::More;

my $MARK = '86415.37';

sub marked {
	return grep { read_file($_) =~ /^sleep\x00\Q$MARK\E/ } glob '/proc/[0-9]*/cmdline';
}

sub is_alive {
	my ($pid) = @_;
	return read_file("/proc/$pid/stat") =~ /\) [^ZX] /;
}

my $dir = CoHost::directory();
write_file("$dir/agent.sh", <<"END");
trap '' TERM INT HUP
read -r line
(setsid sleep $MARK &)
echo '{"type":"thinking","content":"I have a child."}'
sleep $MARK
END
my $host = CoHost->start(dir => "$dir", agent => "exec:sh $dir/agent.sh",
	args => ['-o', 'agent_pool=1']);
my @ws = map { $host->ws(session => { session_id => "s$_" }) } 1 .. 3;
$_->send_json({ type => 'INPUT', prompt => 'work' }) for @ws;
$_->next(type => 'thinking') for @ws;
ok wait_for(10, sub { marked() == 6 }), 'three turns run, each with a child';
my %children = $host->children;
is scalar(keys %children), 5, 'four workers and a keeper are running';

kill KILL => $host->pid;
$host->wait_exit;
ok wait_for(3, sub { !grep { is_alive($_) } keys %children }),
    'all children end when the master is killed';
ok wait_for(3, sub { !marked() }), 'no process of a turn stays behind';

my $port = $host->port;
write_file("$dir/agent.sh", <<'END');
read -r line
echo '{"type":"OUTPUT","result":"here"}'
END
my $next = CoHost->start(dir => "$dir", port => $port,
	agent => "exec:sh $dir/agent.sh");
is $next->port, $port, 'the port is free for the next start';
for my $id (map { "s$_" } 1 .. 3) {
	my $status = wait_for(10, sub {
		my $s = $next->http(GET => "/sessions/$id")->{json}{status} // '';
		return $s =~ /^(?:interrupted|done)$/ && $s;
	});
	is $status, 'interrupted', "$id is told as interrupted";
}
is $next->input('Are you there?')->{json}{result}, 'here', 'the next server takes inputs';
$next->stop;
done_testing;
