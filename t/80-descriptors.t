#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Where descriptors are few, connections stop being accepted before agents go without: a
# server that is full of sockets does its turns.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file);
use IO::Socket::INET;
use Test::More;

my $LIMIT = 512;
my $N_TURNS = 20;
system('prlimit', '--pid', $$, "--nofile=$LIMIT:$LIMIT") == 0
    or plan skip_all => 'prlimit cannot set a limit here';

my $dir = CoHost::directory();
write_file("$dir/agent.sh", <<'END');
read -r line
sleep 1
echo '{"type":"OUTPUT","result":"fine"}'
END
my $host = CoHost->start(dir => $dir, workers => 1, agent => "exec:sh $dir/agent.sh");
like $host->words, qr/each worker can hold (\d+) connections, not max_connections=20000: the limit on open files \(ulimit -n\) is $LIMIT, of which \d+ are kept for agents; raise it, or lower max_connections/,
    'the log says how many connections are possible and why';
my ($most) = $host->words =~ /can hold (\d+) connections/;

my @ws = map { $host->ws(session => {}) } 1 .. $N_TURNS;
my @idle = grep { $_ } map {
	IO::Socket::INET->new(PeerAddr => $host->address, Timeout => 5)
} 1 .. $most + 20;
cmp_ok @idle, '>=', $most, 'more sockets are opened than the server accepts';
ok wait_for(10, sub { $host->words =~ /accept paused, connections=$most of $most\b/ }),
    'connections stop being accepted, as the log says';
$_->send_json({ type => 'INPUT', prompt => 'hi' }) for @ws;
is_deeply [map { $_->next(type => 'OUTPUT')->{result} } @ws], [('fine') x $N_TURNS],
    'turns that begin at the limit have their descriptors';
close $_ for @idle;
cmp_ok $host->metric('cohostd_accepts_paused_total'), '>=', 1,
    'the pause of accepting is counted';
is $host->http(GET => '/health')->{status}, 200, 'connections are accepted again when others have left';
$host->stop;

$host = CoHost->start(workers => 1, agent => 'exec:true', yaml => "agent_persistent: true\n");
my ($more) = $host->words =~ /can hold (\d+) connections/;
cmp_ok $more, '>', $most, 'an agent whose turns share processes leaves more for connections';
$host->stop;

$host = CoHost->start(workers => 3);
my $n_told = () = $host->words =~ /can hold \d+ connections/g;
is $n_told, 1, 'only the first of several workers says how many connections are possible';
$host->stop;

$LIMIT = 20_000;
SKIP: {
	skip 'the limit on open files cannot be raised', 2
	    if system("prlimit --pid $$ --nofile=$LIMIT:$LIMIT 2>/dev/null") != 0;
	$host = CoHost->start;
	unlike $host->words, qr/max_connections/,
	    'a default that is nearly reached is no reason for a warning';
	$host->stop;
	$host = CoHost->start(args => ['-o', 'max_connections=19999']);
	like $host->words, qr/can hold \d+ connections, not max_connections=19999/,
	    'a number of connections that was asked for and is not reached is a reason for one';
	$host->stop;
}
done_testing;
