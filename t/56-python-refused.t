#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# agent_state: isolated refuses a Python file that holds what a fork must not copy, and names it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(source wait_for write_file);
use Hazards;
use PyAgent;
use Test::More;

PyAgent->need('numpy', 'grpc');
my $hazards = Hazards->new;

# What the refusal says of each; of a line of the file, its class.
my $file = qr/\S*hazards\.py:\d+/;
my %refused = (
	client => qr/a TCP socket connected to 127\.0\.0\.1:\d+ .*made at $file by httpx/,
	database => qr/the file \S+\.db, open for writing .*opened at $file/,
	channel => qr/the thread "channel" in read\(\) of $file, started at $file.*a TCP socket/s,
	grpc => qr{a thread "\w+" of grpc/\S*cygrpc\S*.*a TCP socket connected to}s,
	worker => qr/the thread "worker" in work\(\) of $file, started at $file/,
	process => qr/the child process \d+ \(cat\), started at $file/,
	file => qr/the file \S+\.txt, open for writing .*opened at $file/,
	guarded => qr/the thread "holder" in hold\(\) of $file/,
	loop => qr/the thread "loop", started at $file.*a running asyncio loop, made at $file/s,
	held => qr/the lock hazards\.THINGS\['held'\]\.locks\[0\], which is held/,
);

sub is_refused {
	my ($workers, @things) = @_;
	my $host = $hazards->start('isolated', $workers, \@things, fails => 1);
	is $host->wait_exit, 78, "isolated, -w $workers: a file with @things is refused";
	like $host->words, $refused{$_}, "-w $workers: the refusal of @things names the $_"
	    for @things;
	like $host->words, qr/inside create_agent\(\).*agent_state: shared/,
	    "-w $workers: the refusal of @things says what to do";
}

is_refused(1, $_) for sort keys %refused;
is_refused(4, sort keys %refused);

# An edit of a file that is served.
my $dir = File::Temp->newdir(TMPDIR => 1);

sub edit_agent {
	my ($line) = @_;
	write_file("$dir/agent.py", <<"END");
import sys, threading
sys.path.append("${\ source('t/agents')}")
from connectonion import Agent, host
from scripted import Scripted
$line
host(lambda: Agent("edited", llm=Scripted()))
END
}

edit_agent('pass');
my $host = PyAgent->start("$dir/agent.py", dir => $dir, workers => 1,
	yaml => "agent_state: isolated\nreload: true\n");
is $host->input('hello')->{json}{result}, 'hello (1 so far, 0 images)',
    'a lambda that makes agents can be served with isolated state';
edit_agent('threading.Thread(target=threading.Event().wait, name="new", daemon=True).start()');
ok wait_for(15, sub {
	PyAgent::logged($host) =~ m{the thread "new", started at agent\.py:5.*edit is broken}s
    }), 'an edit with isolated state that starts a thread is refused';
like PyAgent::logged($host), qr/inside the function given to host\(\)/,
    'the refusal of an edit says where to make its thread';
is $host->input('hello')->{json}{result}, 'hello (1 so far, 0 images)',
    'the code before a refused edit goes on serving';
$host->stop;
done_testing;
