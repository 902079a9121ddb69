#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# libcoconnect with an agent of the published Python package behind its own host, directly
# and through co-relayd.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/clients";

use Clients;
use CoHost qw(lacks read_file source wait_for write_file);
use CoRelay;
use File::Temp ();
use Front;
use Sign qw(key_of key_new);
use Talker;
use Test::More;

my $python = Clients::python()
    or lacks 'no Python client: scripts/setup --tests could not install it';

my $relay = CoRelay->start(workers => 2, args => ['-o', 'hold_timeout=1']);
my $me = key_new();
my $dir = File::Temp->newdir('published-XXXXXX', TMPDIR => 1);
mkdir "$dir/.co", 0700;
write_file("$dir/.co/contacts.txt", "$me->{address}\n");
write_file("$dir/.co/host.yaml", <<'END');
permissions:
  step: {allowed: true, source: config, reason: pure}
  calculate: {allowed: true, source: config, reason: pure}
END

# A port that is free now.
sub free_port {
	my $socket = IO::Socket::IP->new(LocalHost => '127.0.0.1', Listen => 1) or die $!;
	return $socket->sockport;
}

my $port = free_port();
my $host = fork // die "fork: $!";
if (!$host) {
	%ENV = (%ENV, HOME => "$dir", PORT => $port, RELAY => $relay->ws_url, TRUST => 'open',
		PYTHONDONTWRITEBYTECODE => 1, AGENT_CONFIG_PATH => "$dir/.co");
	open STDOUT, '>', "$dir/out";
	open STDERR, '>&', *STDOUT;
	chdir $dir and exec $python, source('t/clients/relayed.py');
	POSIX::_exit(127);
}
ok $relay->wait_agents(1), 'the published host announces its agent'
    or diag read_file("$dir/out");
my $address = key_of("$dir")->{address};
my $front = Front->start($relay->address);

my %ways = (
	'direct' => ['lookup connecting open*'],
	'by relay' => ['connecting open+*', no_direct => 1],
	'by relay, in clear' => ['connecting open+', no_direct => 1, seal => 'never'],
);
for my $how (sort keys %ways) {
	my ($ways, %o) = @{ $ways{$how} };
	my $c = Talker->start($address, relay => $front->url, key => $me->{seed}, %o);
	my $r = $c->result('input echo hello');
	is $r->{text}, 'hello', "$how: the published agent answers" or diag explain $c->{all};
	is $c->ways, $ways, "$how: the way is found, and sealed where it may be";
	my $session = $r->{session_id};

	is $c->result('input ask Which?|red|blue')->{code}, 'question', "$how: it asks";
	$c->code('answer blue');
	like $c->result('wait')->{text}, qr/blue/, "$how: it hears the answer";
	$r = $c->result('input approve bash');
	is_deeply [@$r{qw(code kind question)}], ['question', 2, 'bash'], "$how: it wants approval";
	$c->code('approve once');
	is $c->result('wait')->{text}, 'bash was approved and ran.', "$how: it gets approval";
	# The host may miss an interrupt while a tool begins.
	$c->say('on interrupt tool_result');
	$r = $c->result('input stream 200 50');
	is $r->{code}, 'ok', "$how: an interrupted turn has a result";
	unlike $r->{text}, qr/Streamed 200/, "$how: the turn was stopped";
	is $c->result('call calculate {"expression":"6*7"}')->{text}, '42', "$how: a tool is called";
	is $c->result('input echo on')->{session_id}, $session, "$how: all of it is one session";
	like $c->result('big 2000000')->{text}, qr/big\.bin/, "$how: a file of 2 MB goes up";
	is $c->result('mode auto')->{text}, 'auto', "$how: the mode is set";
	$c->end;
}

# The way breaks in the middle of a turn.
for my $how ('sealed', 'clear') {
	my $c = Talker->start($address, relay => $front->url, key => $me->{seed}, no_direct => 1,
		$how eq 'clear' ? (seal => 'never') : ());
	$c->result('input echo first');
	$c->so_far;
	$c->say('input stream 12 150');
	$c->next(type => 'tool_result');
	$front->cut;
	is $c->next(what => 'result')->{text}, 'Streamed 12 steps.',
	    "$how: a turn of the published host outlives its connection";
	my %steps = map { $_->{event}{tool_id} => 1 } $c->so_far(type => 'tool_result');
	is scalar(keys %steps), 12, "$how: no step of it is missing";
	$c->end;
}

kill TERM => $host;
waitpid $host, 0;
$relay->stop;
done_testing;
