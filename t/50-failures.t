#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# However a subprocess ends, there is one ERROR with a fixed reason, the details are in
# the agent log alone, no process is left, and other sessions notice nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file read_file);
use Test::More;

my $MARK = '86413.97';

# Processes "sleep MARK", which some agents leave behind.
sub marked {
	return grep { read_file($_) =~ /^sleep\x00\Q$MARK\E/ } glob '/proc/[0-9]*/cmdline';
}

my $dir = File::Temp->newdir(TMPDIR => 1);
write_file("$dir/agent.sh", <<"END");
read -r line
case \$line in
*'"prompt":"exit"'*) exit 3 ;;
*'"prompt":"garbage"'*) echo secret words; sleep $MARK ;;
*'"prompt":"kill"'*) (setsid sleep $MARK &) ; sleep $MARK & kill -9 \$\$ ;;
*'"prompt":"long"'*) tr '\\0' x </dev/zero ;;
*'"prompt":"hang"'*) sleep $MARK ;;
*'"prompt":"bomb"'*) b() { b | b & }; b; sleep $MARK ;;
*'"prompt":"memory"'*) exec perl -e '\$x = "x" x 3e8; sleep 9' ;;
*'"prompt":"event"'*) echo '{"type":"tool_call"}' ;;
*'"prompt":"daemon"'*) (setsid sleep $MARK &) ; sleep $MARK &
	echo '{"type":"OUTPUT","result":"left two"}' ;;
*) echo '{"type":"OUTPUT","result":"fine"}' ;;
esac
END
my $host = CoHost->start(workers => 2, agent => "exec:sh $dir/agent.sh",
	yaml => "run_timeout: 2\nagent_line: 100000\nagent_memory: 200\nagent_processes: 50\n");

my %reason = (
	exit => qr/^exited$/, garbage => qr/^garbage$/, kill => qr/^killed$/,
	long => qr/^line_too_long$/, hang => qr/^timeout$/, event => qr/^garbage$/,
	bomb => qr/^(?:timeout|exited|killed)$/, memory => qr/^memory$/,
);
my $ws = $host->ws(session => { session_id => 'fails' });
my $other = $host->ws(session => { session_id => 'other' });
for my $prompt (sort keys %reason) {
	$ws->send_json({ type => 'INPUT', prompt => $prompt });
	is +($other->turn('hi'))[-1]{result}, 'fine', "$prompt: another session goes on";
	my @all = $ws->all_until('OUTPUT', 'ERROR');
	my $end = $all[-1];
	is $end->{type}, 'ERROR', "$prompt: the turn ends in an ERROR";
	is $end->{code}, -32603, "$prompt: the ERROR has a code";
	is $end->{message}, 'Unable to run agent', "$prompt: the ERROR has a fixed text";
	like $end->{reason}, $reason{$prompt}, "$prompt: the ERROR has the reason";
	unlike(JSON::PP->new->encode(\@all), qr/secret/, "$prompt: clients see no details");
	is_deeply [grep { $_->{type} =~ /OUTPUT|ERROR/ } $ws->settle], [],
	    "$prompt: the turn has one end";
	ok wait_for(10, sub { !marked() }), "$prompt: no process is left";
}
is +($ws->turn('hi'))[-1]{result}, 'fine', 'the session takes inputs after failed turns';

my $r = $host->input('exit');
is $r->{status}, 500, 'a failed turn is answered with 500 over HTTP';
is $r->{json}{error}, 'Unable to run agent', 'a failed turn has the same words over HTTP';

is $host->input('daemon')->{json}{result}, 'left two',
    'an agent that leaves daemons has its result';
ok wait_for(10, sub { !marked() }), 'daemons that an agent leaves are killed';
like join('', map { read_file($_) } glob $host->dir . '/.co/logs/*'), qr/secret words/,
    'the agent log has the details';
is $host->metric('cohostd_runs'), 0, 'no turn is left running';
$host->stop;

my $gone = CoHost::directory();
write_file("$gone/agent", "#!/bin/sh\n");
chmod 0755, "$gone/agent";
$host = CoHost->start(workers => 1, agent => "exec:$gone/agent");
unlink "$gone/agent" or die "$gone/agent: $!";
is +($host->ws(session => {})->turn('hi'))[-1]{reason}, 'exited', 'a program that is missing';
$host->stop;
done_testing;
