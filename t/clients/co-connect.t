#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# co-connect talks to the hosts of the published packages (PyPI 1.9.2 and 1.8.0) and to ours,
# directly and through co-relayd. "make test-clients" runs this.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin";

use Clients;
use CoConnect;
use CoHost qw(lacks source wait_for write_file);
use CoRelay;
use Sign qw(key_new key_of);
use Test::More;
use Time::HiRes qw(time);

my $python = Clients::python() or lacks 'no Python client: scripts/setup --tests could not install it';
my $older = Clients::older() or lacks 'no older Python client: scripts/setup --tests could not install it';

# Endpoints at which nobody listens, so that only the option says how to connect.
my %by_relay = (AGENT_PUBLIC_DOMAIN => '127.0.0.1:1');

# What co-connect does with an agent that follows the script of t/clients/agent.py.
sub talk {
	my ($what, $co, $bytes, @way) = @_;
	my $r = $co->run({ bare => 1 }, @way, 'echo hello');
	is_deeply [@$r{qw(status out)}], [0, "hello\n"], "$what: a prompt is answered" or diag $r->{err};
	$r = $co->run({ bare => 1, in => "My name is Ada\nWhat is my name?\n" }, @way, '--lines');
	like $r->{out}, qr/^Nice to meet you, Ada!\nYour name is Ada\.?\n\z/, "$what: a conversation has several turns";
	$r = $co->run({ bare => 1 }, '-v', @way, 'stream 3 20');
	is scalar(() = $r->{err} =~ /step\(/g), 3, "$what: tool calls are shown";
	write_file($co->dir . '/large.bin', 'x' x $bytes);
	$r = $co->run({ bare => 1 }, @way, '-f', 'large.bin', 'look at it');
	is $r->{status}, 0, "$what: a file of $bytes bytes goes with a prompt" or diag $r->{err};
}

# Questions, and a session that another run goes on with.
sub ask {
	my ($what, $co, @way) = @_;
	is $co->run({ bare => 1 }, @way, '--answer', 'blue', 'ask Which?|red|blue')->{out}, "You answered: blue\n",
	    "$what: a question is answered";
	is $co->run({ bare => 1 }, @way, 'ask Which?|red|blue')->{status}, 6, "$what: a question without an answer is told";
	for (['once', 'was approved and ran.'], ['reject', 'was not approved.']) {
		my ($how, $said) = @$_;
		is $co->run({ bare => 1 }, @way, '--approve', $how, 'approve bash')->{out}, "bash $said\n",
		    "$what: --approve $how answers for a tool";
	}
	unlink $co->dir . '/s';
	is $co->run({ bare => 1 }, @way, '-s', 's', 'My name is Ada')->{status}, 0, "$what: a conversation is kept";
	like $co->run({ bare => 1 }, @way, '-s', 's', 'What is my name?')->{out}, qr/^Your name is Ada/,
	    "$what: another run goes on with a conversation";
}

# Ctrl-C in a turn that would take a minute.
sub interrupt {
	my ($what, $co, @way) = @_;
	my $begun = time;
	my $pid = open my $run, '-|', 'sh', '-c', 'cd "$1" && shift && HOME=$PWD/home exec "$@" 2>&1', 'sh',
		$co->dir, @{ $co->argv({ bare => 1 }, '-v', @way, 'stream 60 1000') } or die $!;
	my $out = '';
	while ($out !~ /step\(/) { $out .= <$run> // last }
	kill INT => $pid;
	$out .= join '', <$run>;
	close $run;
	is $? >> 8, 130, "$what: an interrupt has its status" or diag $out;
	cmp_ok time - $begun, '<', 30, "$what: an interrupt ends the turn";
}

my $anna = key_new();
for my $of (['our host', undef], ['host of PyPI 1.9.2', $python], ['host of PyPI 1.8.0', $older]) {
	my ($name, $interpreter) = @$of;
	my $relay = CoRelay->start(workers => 4);
	my ($ours, $theirs, $url, $address);
	if ($interpreter) {
		$theirs = Clients::package_host($interpreter, %by_relay, RELAY => $relay->ws_url);
		($url, $address) = @$theirs{qw(url address)};
	} else {
		$ours = Clients::host(relay => $relay->ws_url, env => \%by_relay);
		($url, $address) = ($ours->url, key_of($ours)->{address});
	}
	ok $relay->wait_agents(1), "$name is announced";
	my $co = CoConnect->new($url, address => $address);
	write_file($co->dir . '/key', $anna->{seed});
	# Who is no contact is asked for no approval.
	write_file(($ours ? $ours->dir : $theirs->{dir}) . '/.co/contacts.txt', "$anna->{address}\n");
	for my $way (['direct', '-d', $url, $address], ['by relay', '-r', $relay->url, '--relay-only', $address]) {
		my ($how, @way) = @$way;
		# That of 1.8.0 cannot seal what comes by a relay, nor ask by this script, and takes
		# the second CONNECT of a key within a second for a repeated one.
		push @way, $name =~ /1\.8/ ? '--clear' : ('--key', 'key');
		# Its link takes 1 MiB.
		my $bytes = $name =~ /1\.8/ && $how eq 'by relay' ? 700_000 : 2_000_000;
		talk("$name, $how", $co, $bytes, @way);
		ask("$name, $how", $co, @way) unless $name =~ /1\.8/;
		interrupt("$name, $how", $co, @way);
	}
	like $co->run({ bare => 1 }, '-d', $url, 'info')->{out}, qr/^address    \Q$address\E$/m, "info has the address of $name";
	$theirs ? Clients::package_end($theirs) : $ours->stop('QUIT');
	$relay->stop;
}
done_testing;
