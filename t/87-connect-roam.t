#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Turns of libcoconnect go on when the way to the agent breaks: the relay restarts, the
# direct way is gone, the agent's link is cut.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use CoRelay;
use Front;
use Sign qw(key_of);
use Talker;
use Test::More;
use Time::HiRes qw(sleep);

my $relay = CoRelay->start(workers => 2);
my $host = CoHost->start(workers => 2, relay => $relay->ws_url, args => ['-o', 'trust=open']);
my $address = key_of($host)->{address};
$relay->wait_agents(1);

# What came of a turn of $n steps, which had a break.
sub whole {
	my ($c, $r, $n, $name) = @_;
	is $r->{text}, "Streamed $n steps.", "$name: the turn comes to its end"
	    or diag explain [grep { ($_->{what} // '') ne 'event' } @{ $c->{all} }];
	my @steps = map { $_->{id} } grep { ($_->{type} // '') eq 'tool_call' } @{ $c->{all} };
	my %seen = map { $_ => 1 } @steps;
	is scalar(@steps), $n, "$name: no step is missing or comes twice";
	is scalar(keys %seen), $n, "$name: each step is another one";
	is scalar(grep { ($_->{type} // '') eq 'user_input' } @{ $c->{all} }), 1,
	    "$name: the prompt is said once";
}

# ---- the relay restarts ----

my @clients = map { Talker->start($address, relay => $relay->url, no_direct => 1, %$_) }
    {}, { loop => 1 }, { keyless => 1 };
for my $c (@clients) {
	$c->result('input echo first');
	$c->so_far;
	$c->say('input stream 150 20');
}
$_->next(type => 'tool_call') for @clients;
$relay->stop;
sleep 1;
$relay = $relay->start_again(workers => 2);
my @names = ('a restart of the relay', 'a restart of the relay, step by step',
	'a restart of the relay, without a key');
for my $c (@clients) {
	whole($c, $c->next(what => 'result'), 150, shift @names);
	like $c->ways, qr/^broken (?:retry .*)?connecting open\+/, 'the way back is told';
	$c->end;
}

# ---- direct, then by the relay, and back ----

my $front = Front->start($host->address);
my $lookup = Front->start($relay->address);
my $record = { address => $address, online => JSON::PP::true, endpoints => [$front->url] };
$lookup->answer("/api/agents/$address", $record);
my $c = Talker->start($address, relay => $lookup->url);
$c->result('input echo first');
is $c->ways, 'lookup connecting open*', 'the first turn goes direct';
$c->say('input stream 120 20');
$c->next(type => 'tool_call');
$front->to('');
$front->cut;
$c->next(way => 'open');
is $c->{all}[-1]{relayed}, 1, 'a turn that began direct goes on by the relay';
$front->to($host->address);
$lookup->cut;
$c->next(way => 'open');
is $c->{all}[-1]{relayed}, 0, 'a turn by the relay goes on direct';
whole($c, $c->next(what => 'result'), 120, 'a change of ways');
$c->end;

# ---- cuts that nobody is told of until something is said ----

$c = Talker->start($address, relay => $lookup->url, no_direct => 1);
$c->result('input echo first');
$lookup->cut;
is $c->result('input echo second')->{text}, 'second',
    'a connection that ended between two turns is made again';
$c->end;

# ---- a relay that does not come back ----

$c = Talker->start($address, relay => $relay->url, no_direct => 1, timeout => 1000);
$c->say('input sleep 500');
$c->next(type => 'user_input');
$relay->stop;
is $c->next(what => 'result')->{code}, 'timeout', 'a turn is looked for until its time is up';
is $c->result('input echo hi')->{code}, 'unreachable', 'a new turn does not wait for the relay';
$c->end;
$host->stop;
done_testing;
