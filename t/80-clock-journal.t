#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Somebody sets the clock back between the beginning of a journal and an input, or between
# an input and the loss of its journal: whether the journal knows the input does not
# depend on the clock.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file read_file);
use Test::More;

use constant DAY => 86400;

my $dir = CoHost::directory();
write_file("$dir/agent.sh", <<"END");
read -r line
echo run >>$dir/runs
case \$line in *slow*) sleep 40 ;; esac
echo '{"type":"OUTPUT","result":"fine"}'
END
sub runs { return -e "$dir/runs" ? scalar(() = read_file("$dir/runs") =~ /run/g) : 0 }

# The journal is younger than the input, although its clock says the contrary.
my %how = (agent => "exec:sh $dir/agent.sh", workers => 1, clock => 1);
my $host = CoHost->start(%how, ahead => 3 * DAY);
my $ws = $host->ws(session => { session_id => 's' });
$ws->send_json({ type => 'INPUT', prompt => 'slow' });
ok wait_for(10, sub { runs() == 1 }), 'an agent runs';
my @all = ($host->pid, $host->workers, $host->keepers);
kill STOP => @all;
kill KILL => @all;
$host->wait_exit;
unlink $host->dir . '/.co/store/journal.mdb' or die "journal.mdb: $!";
my $next = CoHost->start(%how, dir => $host->dir);
my $r;
ok wait_for(10, sub {
	$r = $next->http(GET => '/sessions/s');
	return $r->{json} && $r->{json}{status} ne 'running';
}), 'a turn ends after a kill, a lost journal and a clock set back';
is $r->{json}{status}, 'interrupted', 'a turn with a lost journal is interrupted';
is runs(), 1, 'the agent of an interrupted turn is not run twice';
$next->stop;

# The journal is older than the input, although its clock says the contrary.
$host = CoHost->start(%how, ahead => 3 * DAY);
$host->set_clock(0);
$ws = $host->ws(session => { session_id => 's' });
$ws->send_json({ type => 'INPUT', prompt => 'slow' });
ok wait_for(10, sub { runs() == 2 }), 'an agent runs after the clock was set back';
$ws->send_json({ type => 'INPUT', prompt => 'and more', input_id => 'more' });
ok $ws->next(type => 'RUNTIME_INPUT_ACK'), 'a prompt during the turn is acknowledged';
$host->kill_worker;
ok wait_for(20, sub { runs() == 3 }),
    'a prompt that waited has a turn of its own when the worker is killed';
$r = wait_for(10, sub {
	my $r = $host->input('and more', input_id => 'more', session => { session_id => 's' });
	return $r->{status} == 200 && $r;
});
is $r && $r->{json}{result}, 'fine', 'a prompt that waited has the result of its turn';
is runs(), 3, 'a prompt that waited runs once';
$host->stop;
done_testing;
