#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# host(trust=TrustAgent(...)): should_allow() decides who may come in.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(source write_file);
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
from connectonion.network.trust import TrustAgent
from connectonion.network.trust.trust_agent import Decision
from scripted import Scripted

def create_agent():
    return Agent("guarded", llm=Scripted())

END

sub begin {
	my ($code, %o) = @_;
	write_file("$dir/agent.py", $before . $code);
	return PyAgent->start("$dir/agent.py", workers => 1, %o);
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

my $mine = <<"END";
class MyTrust(TrustAgent):
    def should_allow(self, client_id, request=None):
        if client_id == "$ben->{address}" or request["level"] == "admin":
            return Decision(allow=False, reason="not you, " + request["level"])
        return Decision(allow=True, reason="as you like")
    def is_admin(self, client_id):
        return True

END

my $host = begin("$mine\nhost(create_agent, trust=MyTrust('open'))\n");
write_file($host->dir . '/.co/admins.txt', "$carl->{address}\n");
write_file($host->dir . '/.co/blocklist.txt', "$dora->{address}\n");
is post($host, $anna), 'in', 'should_allow() of a TrustAgent lets a stranger in';
is post($host, $ben), '403 forbidden: not you, stranger', 'should_allow() refuses with a reason';
is post($host, $carl), '403 forbidden: not you, admin', 'should_allow() is asked about an admin';
is post($host, $dora), '403 forbidden: Denied by fast rules',
    'should_allow() is not asked about a blocked client';
is post($host, undef), '401 unauthorized: signed request required',
    'an unsigned caller cannot pass a should_allow() of the file';
my $ws = $host->ws;
$ws->send_json(connect_frame($ben, $host));
is $ws->next(type => ['CONNECTED', 'ERROR'])->{message}, 'forbidden: not you, stranger',
    'should_allow() is asked at CONNECT';
like $host->words, qr/does not call is_admin of the MyTrust/,
    'methods of a TrustAgent that the server does not call are named';
$host->stop;

$host = begin("host(create_agent, trust=TrustAgent('open'))\n");
is post($host, $anna), 'in', 'TrustAgent("open") lets in a stranger';
is post($host, undef), 'in', 'TrustAgent("open") lets in who signed nothing';
$host->stop;

$host = begin("host(create_agent, trust=TrustAgent('strict'))\n");
write_file($host->dir . '/.co/whitelist.txt', "$carl->{address}\n");
is post($host, $carl), 'in', 'TrustAgent("strict") lets in the whitelist';
is post($host, $anna), '403 forbidden: Denied by fast rules',
    'TrustAgent("strict") refuses a stranger';
is post($host, undef), '401 unauthorized: signed request required',
    'TrustAgent("strict") refuses who signed nothing';
$host->stop;

$host = begin("host(create_agent, trust=TrustAgent('careful', invite_code='sesame'))\n");
$ws = $host->ws;
$ws->send_json(connect_frame($anna, $host));
is $ws->next(type => ['ONBOARD_REQUIRED', 'CONNECTED', 'ERROR'])->{type}, 'ONBOARD_REQUIRED',
    'a TrustAgent with an invite code asks strangers to onboard';
is post($host, $ben, invite_code => 'sesame'), 'in', 'the invite code of a TrustAgent is accepted';
is post($host, $ben), 'in', 'the invite code of a TrustAgent makes a contact';
is post($host, $emma), '403 forbidden: Onboard required',
    'the invite code of a TrustAgent makes no other contact';
$host->stop;

# ---- what is no trust, and what comes first ----

$host = begin("host(create_agent, trust=TrustAgent('strict'))\n", yaml => "trust: open\n");
like post($host, undef), qr/^40[13] /, 'a TrustAgent overrides trust of host.yaml';
like $host->words, qr/host\(\): it sets trust, so that host\.yaml does not/,
    'the log says that trust of host.yaml is not used';
$host->stop;
$host = begin("host(create_agent, trust=TrustAgent('strict'))\n", args => ['--trust', 'open']);
is post($host, $anna), 'in', '--trust overrides a TrustAgent';
like $host->words, qr/the TrustAgent passed to host\(\) as trust is not used: /,
    'the log says that a TrustAgent is not used';
$host->stop;

write_file("$dir/agent.py", "${before}host(create_agent, trust=42)\n");
my $r = PyAgent::describe("$dir/agent.py");
is $r->{status}, 1, 'trust that decides nothing stops the start';
like $r->{out} . ($r->{err} // ''), qr/given a int as trust: it takes a level .* an Agent or a TrustAgent/,
    'the refusal of a wrong trust says what it may be';
done_testing;
