#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# INTERRUPT, the death of the worker and the end of the server end the whole tree of a
# turn; a turn whose worker died is told as interrupted, or run again if that is safe.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file read_file);
use Test::More;

my $MARK = '86414.97';

sub marked {
	return grep { read_file($_) =~ /^sleep\x00\Q$MARK\E/ } glob '/proc/[0-9]*/cmdline';
}

my $dir = File::Temp->newdir(TMPDIR => 1);
write_file("$dir/agent.sh", <<"END");
trap '' TERM INT HUP
read -r line
echo run >>$dir/runs
case \$line in *'"prompt":"again"'*)
	test \$(wc -l <$dir/runs) -gt 1 && echo '{"type":"OUTPUT","result":"second"}' && exit
esac
(setsid sh -c 'sleep $MARK & sleep $MARK' &)
sleep $MARK &
echo '{"type":"thinking","content":"I have children."}'
sleep $MARK
END

sub start {
	write_file("$dir/runs", '');
	return CoHost->start(workers => 2, agent => "exec:sh $dir/agent.sh", @_);
}

sub run_turn {
	my ($host, $prompt) = @_;
	my $ws = $host->ws(session => { session_id => 'tree' });
	$ws->send_json({ type => 'INPUT', prompt => $prompt });
	$ws->next(type => 'thinking');
	ok wait_for(10, sub { marked() >= 4 }), 'a tree of processes runs';
	return $ws;
}

my $host = start();
my $ws = run_turn($host, 'stop');
$ws->send_json({ type => 'INTERRUPT' });
is $ws->next(type => 'OUTPUT')->{result}, 'What would you like me to do?',
    'INTERRUPT ends the turn of a tree of processes';
ok wait_for(10, sub { !marked() }), 'INTERRUPT ends the whole tree of processes';

run_turn($host, 'die');
$host->kill_worker($_) for $host->workers;
ok wait_for(10, sub { !marked() }), 'a killed worker takes its tree of processes with it';
my $back = $host->ws(session => { session_id => 'tree' });
my $end = wait_for(10, sub {
	my $r = $host->http(GET => '/sessions/tree')->{json};
	return ($r->{status} // '') ne 'running' && $r;
});
is $end->{status}, 'interrupted', 'the record of a turn is interrupted when its worker is killed';
is read_file("$dir/runs"), "run\nrun\n",
    'an agent with effects is not run again when its worker is killed';

run_turn($host, 'leave');
$host->stop('QUIT');
ok wait_for(10, sub { !marked() }), 'a server that leaves takes its trees of processes with it';

$host = start(yaml => "restart: safe\n");
$ws = run_turn($host, 'again');
# The owner alone: one that dies while it takes over has used up the second run.
for my $worker ($host->workers) {
	$host->kill_worker($worker);
	last if wait_for(1, sub { !marked() });
}
my $r = wait_for(10, sub {
	my $r = $host->http(GET => '/sessions/tree')->{json};
	return ($r->{status} // '') ne 'running' && $r;
});
is $r->{status}, 'done', 'an agent that may be restarted runs again when its worker is killed';
is $r->{result}, 'second', 'the second run of an agent gives the result';
is read_file("$dir/runs"), "run\nrun\n", 'an agent that may be restarted ran twice';
ok wait_for(10, sub { !marked() }), 'no process of the first run is left';
$host->stop;
done_testing;
