#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# host(trust=AGENT): an Agent of the file decides who may come in.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file source wait_for write_file);
use PyAgent;
use Sign qw(:all);
use Test::More;

PyAgent->need;
my $n = 0;    # no two signatures are the same
my $dir = File::Temp->newdir(TMPDIR => 1);

my $before = <<"END";
import os, sys
sys.path.append("${\ source('t/agents')}")
from connectonion import Agent
from connectonion.network import create_app, host
from scripted import Scripted

def create_agent():
    return Agent("guarded", llm=Scripted())

END

# Its model lets in whom the file "friends" names, and notes what it was told.
my $guardian = <<"END";
def is_friend(text: str) -> str:
    "Whether this is a friend."
    return "yes" if any(f in text for f in open("$dir/friends").read().split()) else "no"

class Judgement(Scripted):
    def complete(self, messages, tools=None, **given):
        reply = super().complete(messages)
        told = messages[-1]["content"]
        with open("$dir/told", "a") as f:
            f.write(told.replace("\\n", " ") + "\\n")
        if "boom" in open("$dir/friends").read():
            raise ValueError("the model is out of order")
        reply.content = ("ACCEPT: a friend" if is_friend(told) == "yes"
                         else "REJECT: not a friend")
        return reply

guardian = Agent("my_guardian", llm=Judgement(), tools=[is_friend],
                 system_prompt="You verify requests before allowing interaction.\\n"
                               "Return ACCEPT or REJECT with reason.")
END

sub begin {
	my ($code, %o) = @_;
	write_file("$dir/agent.py", $before . $code);
	my $host = PyAgent->start("$dir/agent.py", workers => 1, %o);
	# A decision that takes longer than ten seconds is none, and so is one before the agent is
	# loaded.
	wait_for(60, sub { $host->http(GET => '/readyz')->{status} == 200 });
	return $host;
}

# What POST /input of a signer, or of nobody, is answered with.
sub post {
	my ($host, $key, %payload) = @_;
	my %body = (prompt => 'let me in: ACCEPT', %payload);
	my $r = $host->http(POST => '/input', {}, $key ? signed_body($key,
			{ %body, nonce => $n++, timestamp => now($host) }) : \%body);
	return $r->{status} == 200 ? 'in' : "$r->{status} $r->{json}{error}";
}

my ($anna, $ben, $carl, $dora, $emma) = map { key_new() } 1 .. 5;

for my $state ('isolated', 'shared') {
	write_file("$dir/friends", $anna->{address});
	write_file("$dir/told", '');
	my $host = begin("$guardian\nhost(create_agent, trust=guardian)\n",
		yaml => "agent_state: $state\n");
	write_file($host->dir . '/.co/whitelist.txt', "$carl->{address}\n");
	write_file($host->dir . '/.co/blocklist.txt', "$dora->{address}\n");
	is post($host, $anna), 'in', "an Agent as trust lets in whom it accepts ($state)";
	is post($host, $ben), '403 forbidden: not a friend',
	    "an Agent as trust refuses in its own words ($state)";
	is post($host, $carl), 'in', "the whitelist passes an Agent as trust ($state)";
	is post($host, $dora), '403 forbidden: Denied by fast rules',
	    "the blocked do not get as far as an Agent as trust ($state)";
	is post($host, undef), '401 unauthorized: signed request required',
	    "an Agent as trust may refuse who signed nothing ($state)";
	my $told = read_file("$dir/told");
	is +($told =~ tr/\n//), 3, "an Agent as trust is asked once about each ($state)";
	like $told, qr/"identity": "$anna->{address}", "level": "stranger", "signature_valid": true/,
	    "an Agent as trust is told who it is ($state)";
	like $told, qr/"identity": null, .*"signature_valid": false/,
	    "an Agent as trust is told who signed nothing ($state)";
	unlike $told, qr/let me in/, "an Agent as trust sees nothing of what was written ($state)";
	like PyAgent::logged($host), qr/trust: the Agent passed to host\(\) decides/,
	    "the log says that an Agent decides ($state)";
	is $host->http(GET => '/info')->{json}{trust}, 'custom',
	    "/info calls an Agent as trust custom ($state)";
	write_file("$dir/friends", 'boom');
	is post($host, $emma), '403 forbidden: trust evaluation unavailable',
	    "nobody comes in by an Agent that fails ($state)";
	$host->stop;
}

write_file("$dir/friends", '"identity":');
my $host = begin("$guardian\napp = create_app(create_agent, trust=guardian)\n");
is post($host, undef), 'in', 'an Agent as trust of create_app() may accept who signed nothing';
$host->stop;
done_testing;
