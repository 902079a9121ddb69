#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# agent_memory counts what the processes of a turn have, and not what they reserve; a turn
# that has more fails with the reason "memory".
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file read_file);
use PyAgent;
use Test::More;

my $MARK = '86418.97';
my $dir = CoHost::directory();

sub marked {
	return grep { read_file($_) =~ /^sleep\x00\Q$MARK\E/ } glob '/proc/[0-9]*/cmdline';
}

write_file("$dir/agent.sh", <<"END");
read -r line
case \$line in
*one*) exec perl -e '\$x = "x" x 3e8; sleep 60' ;;
*many*) for i in 1 2 3 4; do perl -e '\$x = "x" x 6e7; sleep 60' & done; wait ;;
*child*) sleep $MARK & perl -e '\$x = "x" x 3e8; sleep 60'; wait ;;
*says*) echo '{"type":"ERROR","message":"no room","reason":"memory"}' ;;
*within*) perl -e '\$x = "x" x 6e7; sleep 1' ;;
esac
echo '{"type":"OUTPUT","result":"done"}'
END
my $host = CoHost->start(dir => $dir, workers => 1, agent => "exec:sh $dir/agent.sh",
	yaml => "agent_memory: 200\n");
my $ws = $host->ws(session => {});
my %case = (
	one => 'a process that has more than agent_memory',
	many => 'processes that together have more than agent_memory',
	child => 'a child of the agent that has more',
	says => 'an agent that says so',
);
for (sort keys %case) {
	my $end = ($ws->turn($_))[-1];
	is "$end->{type} " . ($end->{reason} // ''), 'ERROR memory', "$case{$_}: the reason is memory";
}
ok wait_for(10, sub { !marked() }), 'no process of a turn above agent_memory is left';
is +($ws->turn('within'))[-1]{result}, 'done', 'less than agent_memory is no reason';
$host->stop;

# An agent that reserves many times what it uses, and asks a server.
SKIP: {
	my $version = `node --version 2>/dev/null` // '';
	skip 'no Node.js with fetch()', 4 if $version !~ /^v(\d+)/ || $1 < 18;
	write_file("$dir/agent.mjs", <<'END');
import { createInterface } from 'node:readline';
for await (const line of createInterface({ input: process.stdin })) {
	const answer = await (await fetch(JSON.parse(line).prompt)).json();
	console.log(JSON.stringify({ type: 'OUTPUT', result: answer.status }));
	process.exit(0);
}
END
	my $node = CoHost->start(workers => 1, agent => "exec:node $dir/agent.mjs");
	is $node->input($node->url . '/health')->{json}{result}, 'healthy',
	    'a Node.js agent calls fetch() under the presets';
	is $node->input($node->url . '/health')->{json}{result}, 'healthy',
	    'a Node.js agent calls fetch() again under the presets';
	$node->stop;
}

# Isolated turns of a python: agent share most of their memory with the process they are
# forks of.
SKIP: {
	skip 'no Python client', 10 if !PyAgent::python();
	my $py = PyAgent->start('factory.py', workers => 1,
		yaml => "agent_state: isolated\nagent_memory: 150\n");
	my $ws = $py->ws(session => {});
	my $end = ($ws->turn('grow 400'))[-1];
	is "$end->{type} " . ($end->{reason} // ''), 'ERROR memory',
	    'an isolated turn above agent_memory fails for memory';
	is +($ws->turn('grow 10'))[-1]{result}, 10 << 20,
	    'the next isolated turn has room';
	my ($tool) = grep { $_->{type} eq 'tool_result' } $ws->turn('calculate [0] * 10 ** 15');
	is $tool->{status}, 'error',
	    'a tool that asks for more memory than exists gives an error';
	my @turns = map { $py->ws(session => {}) } 1 .. 4;
	$_->send_json({ type => 'INPUT', prompt => 'grow 60' }) for @turns;
	is_deeply [map { $_->next(type => 'OUTPUT')->{result} } @turns], [(60 << 20) x 4],
	    'isolated turns at once have agent_memory each';
	$py->stop;

	my $shared = PyAgent->start('instance.py', workers => 1, yaml => "agent_memory: 200\n");
	is +($shared->ws(session => {})->turn('grow 400'))[-1]{reason}, 'memory',
	    'a shared python: agent above agent_memory fails for memory';
	ok wait_for(20, sub { $shared->input('hello')->{status} == 200 }),
	    'a shared python: agent takes turns again after it ran out of memory';
	$shared->stop;
}
done_testing;
