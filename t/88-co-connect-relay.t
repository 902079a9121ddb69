#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# co-connect with addresses alone: the relay says where agents are. Pools, find and info.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoConnect;
use CoHost qw(write_file);
use CoRelay;
use JSON::PP qw(decode_json);
use Sign qw(key_of);
use Test::More;

my $relay = CoRelay->start(args => ['-o', 'hold_timeout=1']);
my (%host, %address);
for my $name (qw(A B C)) {
	my $agent = CoHost::directory();
	write_file("$agent/agent.sh", "read -r line\nprintf '{\"type\":\"OUTPUT\",\"result\":\"$name\"}\\n'\n");
	$host{$name} = CoHost->start(dir => $agent, workers => 1, relay => $relay->ws_url,
		agent => "exec:sh $agent/agent.sh", args => ['-o', 'trust=open', '-o', "summary=agent $name translates"]);
	$address{$name} = key_of($host{$name})->{address};
}
ok $relay->wait_agents(3), 'three agents are announced';
my $co = CoConnect->new($host{A});
my %relay = (bare => 1, env => { RELAY_URL => $relay->url });

sub co { return $co->run(\%relay, @_) }
my $pool = join ',', @address{qw(A B C)};
my $other = '0x' . '12' x 32;

# ---- the way ----

my $r = co('-v', $address{A}, 'hello');
is_deeply [@$r{qw(status out)}], [0, "A\n"], 'an agent is reached by its address alone';
like $r->{err}, qr/connected to ws:.*, encrypted end to end/, 'the direct way is taken if there is one';
$r = co('-v', '--relay-only', $address{A}, 'hello');
is $r->{out}, "A\n", 'an agent is reached through the relay';
like $r->{err}, qr/connected by relay .*, encrypted end to end/, 'a turn through the relay is encrypted end to end';
is $co->run({ bare => 1 }, '-r', $relay->url, $address{B}, 'hello')->{out}, "B\n", '--relay names the relay';
$r = co($other, 'hello');
is $r->{status}, 3, 'an agent that nobody knows has the status of what is unreachable';
like $r->{err}, qr/Agent not connected.*\n.*--retry N tries N times more/, 'after an agent that is away, --retry is named';
$r = co('-v', '--retry', 1, $other, 'hello');
is_deeply [$r->{status}, scalar(() = $r->{err} =~ /trying again/g)], [3, 1],
    '--retry 1 tries one time more';
unlike $r->{err}, qr/--retry/, '--retry is not named to a caller who gave it';

# ---- pools ----

$r = $co->run({ %relay, in => "1\n2\n3\n4\n" }, '--pool', $pool, '--lines');
is $r->{out}, "A\nB\nC\nA\n", 'prompts go to the agents of a pool round robin';
is co('--pool', $pool, 'hello')->{out}, "A\n", 'a run without a session begins with the first agent of a pool';
is join('', map { co('--pool', $pool, '-s', 'pool', "hello $_")->{out} } 1 .. 4), "A\nB\nC\nA\n",
    'the next runs with the same session file go on round robin';
$r = $co->run({ %relay, in => "1\n2\n3\n" }, '--pool', "$address{A},$other,$address{C}", '--lines');
is_deeply [@$r{qw(status out)}], [0, "A\nC\nA\n"], 'an agent of a pool that is unreachable is passed over';
like $r->{err}, qr/\Q$other\E.*the next one/, 'an agent of a pool that is unreachable is named';
is co('--pool', "$other,$other", 'hello')->{status}, 3, 'a pool without a reachable agent fails';

# ---- find and info ----

$r = co('find', 'translates', 'B');
is $r->{status}, 0, 'agents are found by words';
like $r->{out}, qr/^\Q$address{B}\E  online\n    agent B translates/m, 'a found agent is shown with its summary';
$r = co('--json', 'find', 'translates');
is_deeply [sort map { $_->{address} } @{ decode_json($r->{out})->{agents} }], [sort values %address],
    'find --json prints all that were found as one line';
is co('find', 'gardening')->{status}, 1, 'a search without a match has status 1';
is co('find', 'x' x 600)->{status}, 2, 'a search with too many words is wrong usage';
is $co->run({ bare => 1 }, '-r', 'http://127.0.0.1:1', 'find', 'x')->{status}, 3,
    'a search without a relay has the status of what is unreachable';
$r = co('info', $address{C});
like $r->{out}, qr/^address    \Q$address{C}\E\nstatus     online, at ws:.*^summary    agent C/ms,
    'info shows where an agent is and what it says of itself';
is $r->{status}, 0, 'info about an agent that is online succeeds';
is decode_json(co('-j', 'info', $address{C})->{out})->{address}, $address{C}, 'info --json prints one line';
is co('info', $other)->{status}, 3, 'info about an unknown agent has the status of what is unreachable';
my $evil = $relay->agent(summary => "gardening\x{202e}txt.exe\x{9b}1m");
my $t = $co->terminal(\%relay, 'find', 'gardening');
is $t->end, 0, 'a search at a terminal ends well';
like $t->all, qr/gardening<U\+202E>txt\.exe<U\+009B>1m/, 'the summary of an agent cannot control the terminal';
$evil->close;

# ---- the relay goes ----

$_->stop for values %host;
ok $relay->wait_agents(0), 'the agents have left the relay';
is co($address{A}, 'hello')->{status}, 3, 'an agent that has left has the status of what is unreachable';
$relay->stop;
done_testing;
