#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# libcoconnect with a host that it reaches directly.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(run source wait_for);
use Sign qw(key_of);
use Talker;
use Test::More;

my $ADDRESS = qr/^0x[0-9a-f]{64}$/;

sub types { return join ' ', map { $_->{type} } $_[0]->so_far(what => 'event') }

# Runs, questions and answers; $how says who is asking and in which way.
sub stories {
	my ($host, $address, $how, %options) = @_;
	my $c = Talker->start($address, direct => $host->url, %options);
	my $r = $c->result('input echo hello');
	is $r->{code}, 'ok', "$how: an input has a result" or diag explain $r;
	is $r->{text}, 'hello', "$how: the result is what the agent says";
	is $r->{agent}, $address, "$how: the agent's address is known";
	is types($c), 'AGENT_PROFILE user_input turn_result', "$how: events come in order";
	my $session = $r->{session_id};

	$r = $c->result('input ask Which?|red|blue');
	is $r->{code}, 'question', "$how: a question ends the blocking call";
	is_deeply [@$r{qw(kind question multiple)}, $r->{options}],
	    [1, 'Which?', 0, ['red', 'blue']], "$how: the question has its options";
	is $c->code('approve once'), 'state', "$how: an approval does not answer a question";
	is $c->code('answer blue'), 'ok', "$how: the question is answered";
	is $c->result('wait')->{text}, 'You answered: blue', "$how: the turn goes on";
	is $c->code('answer red'), 'state', "$how: a question is answered once";
	$c->say('on answer green');
	is $c->result('input ask Which?|red')->{text}, 'You answered: green',
	    "$how: a callback answers";
	$c->say('on nothing nothing');
	$c->result('input ask Which?|red|blue|green');
	is $c->code('answers red|green'), 'ok', "$how: several answers are sent";
	is $c->result('wait')->{text}, 'You answered: red, green',
	    "$how: several answers arrive as one";

	my %verdicts = (once => qr/bash was approved/, session => qr/bash was approved/,
		reject => qr/bash was not approved/, explain => qr/bash was not approved/,
		stop => qr/bash was not approved/);
	for my $verdict (sort keys %verdicts) {
		$r = $c->result('input approve bash');
		is_deeply [@$r{qw(kind question)}], [2, 'bash'], "$how: $verdict: the tool is named";
		$c->code("approve $verdict too dangerous");
		like $c->result('wait')->{text}, $verdicts{$verdict},
		    "$how: $verdict: the agent hears of it";
	}

	$r = $c->result('input plan Dig|Fill');
	is_deeply [@$r{qw(kind question)}], [3, "1. Dig\n2. Fill"], "$how: a plan is shown";
	$c->code('review Looks good, proceed');
	like $c->result('wait')->{text}, qr/Looks good, proceed/, "$how: the review arrives";

	$c->say('on interrupt tool_call');
	$r = $c->result('input stream 2000 20');
	is $r->{code}, 'ok', "$how: an interrupted turn has a result" or diag explain $r;
	unlike $r->{text}, qr/Streamed 2000/, "$how: it was stopped";
	is $c->code('answer late'), 'state', "$how: no question is open after the end";

	$r = $c->result('big 2000000');
	like $r->{text}, qr/big\.bin \(2000000 bytes\)/, "$how: a file of 2 MB arrives";
	$r = $c->result('image 2000000');
	like $r->{text}, qr/image/i, "$how: an image of 2 MB arrives" or diag explain $r;

	$r = $c->result('input fail once');
	is $r->{code}, 'agent', "$how: a turn that fails is an error";
	ok length $r->{error}, "$how: the error has a text";
	is $c->result('input echo still there')->{session_id}, $session,
	    "$how: all this was one session";
	is $c->code('reset'), 'ok', "$how: the conversation is forgotten";
	isnt $c->result('input echo new')->{session_id}, $session,
	    "$how: after that there is another session";
	$c->end;
}

for my $workers (1, 4) {
	my $host = CoHost->start(workers => $workers, args => ['-o', 'trust=open']);
	my $address = key_of($host)->{address};
	stories($host, $address, "-w $workers sealed");
	stories($host, $address, "-w $workers keyless", keyless => 1);
	stories($host, $address, "-w $workers in clear, step by step", seal => 'never', loop => 1);
	$host->stop;
}
done_testing;
