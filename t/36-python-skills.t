#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# An agent of the Python package by the conformance checklist: which of its skills are
# published, and how it is told of files.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(source write_file);
use JSON::PP;
use MIME::Base64 qw(encode_base64);
use PyAgent;
use Sign qw(:all);
use Test::More;

PyAgent->need;

my $dir = CoHost::directory();
write_file("$dir/agent.py", <<"END");
import sys
from types import SimpleNamespace as Skill
sys.path.append("${\ source('t/agents')}")
from connectonion import Agent, host
from scripted import Scripted


def make():
    agent = Agent("skilled", llm=Scripted())
    agent.skills = [Skill(name="s-" + w, description="about " + w, location=w) for w in
                    ("project", "user", "claude-project", "claude-user", "builtin", "other")]
    return agent


host(make, trust="open")
END
my $host = PyAgent->start("$dir/agent.py", dir => $dir, workers => 2);
my $info = $host->http(GET => '/info');
is_deeply $info->{json}{skills}, [map +{ name => "s-$_", description => "about $_",
	location => $_ }, 'project', 'claude-project'], 'info publishes skills of the project';
unlike $info->{body}, qr/s-user|s-claude-user|s-builtin|s-other/,
    'info publishes no other skills';

my $anna = key_new();
write_file("$dir/.co/contacts.txt", "$anna->{address}\n");
my @profiles = map {
	my $ws = $host->ws;
	$ws->send_json($_);
	$ws->next(type => 'AGENT_PROFILE');
} { type => 'CONNECT' }, connect_frame(key_new(), $host), connect_frame($anna, $host);
is_deeply [map { scalar @{ $_->{skills} } } @profiles], [2, 2, 6],
    "strangers are told of the project's skills, a contact of all";

# ---- files ----

my $ws = $host->ws(session => {});
my @all = $ws->turn('hello', files => [map +{ name => "../$_.txt",
	data => encode_base64($_, '') }, 'one', 'two']);
my ($told) = grep { $_->{type} eq 'files_received' } @all;
my @paths = map { $_->{path} } @{ $told->{files} };
my $uploads = $host->dir . '/.co/uploads';
is_deeply [sort @paths], [sort glob "$uploads/*"],
    'the event of received files has their absolute paths';
is_deeply [map { $_->{name} } @{ $told->{files} }], ['one.txt', 'two.txt'],
    'the event of received files has their names';
my $end = $all[-1];
my @reminders = grep { ($_->{content} // '') =~ /uploaded the following/ }
    @{ $end->{session}{messages} };
is scalar(@reminders), 1, 'the model is told of the files once';
is $reminders[0]{internal}, JSON::PP::true,
    'the model is told of the files by an internal message';
is $reminders[0]{content}, "<system-reminder>\nThe user uploaded the following files:\n"
    . "- $paths[0]\n- $paths[1]\nUse your read_file tool or other available tools to read the"
    . " file contents before responding. Do not assume or guess the contents.\n</system-reminder>",
    'the message to the model lists the files in the words of the document';
my $shown = JSON::PP->new->canonical->encode($end->{chat_items});
unlike $shown, qr/system-reminder|uploaded the following/,
    'the transcript does not show the message to the model';
like $shown, qr/files_received/, 'the transcript shows that there are files';
$host->stop;
done_testing;
