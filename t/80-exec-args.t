#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The arguments of EXEC are what was permitted: no member is named twice, and a tool gets
# only those that it has.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(write_file);
use PyAgent;
use Sign qw(:all);
use Test::More;

my $anna = key_new();
my %allowed = (yaml => "permissions:\n  calculate: {allowed: true}\n"
	    . "  guard: {allowed: true, when: {text: safe}}\n");

# EXEC with arguments as they stand here; what came of it.
sub exec_with {
	my ($ws, $tool, $args) = @_;
	$ws->send_text(qq({"type":"EXEC","exec_id":"x","tool":"$tool","args":$args}));
	my $r = $ws->next(type => ['EXEC_RESULT', 'ERROR']);
	return $r->{error} // $r->{result} // $r->{message};
}

sub socket_of {
	my ($host) = @_;
	write_file($host->dir . '/.co/contacts.txt', "$anna->{address}\n");
	my $ws = $host->ws;
	$ws->send_json(connect_frame($anna, $host));
	is $ws->next(type => 'CONNECTED')->{type}, 'CONNECTED', 'a contact connects';
	return $ws;
}

my $twice = 'args must not name a member twice';
my $host = CoHost->start(%allowed);
my $ws = socket_of($host);
is exec_with($ws, calculate => '{"expression":"6*7"}'), '42', 'good arguments reach the tool';
is exec_with($ws, calculate => '{"expression":"1","expression":"6*7"}'), $twice,
    'an argument that is given twice is refused';
is exec_with($ws, calculate => '{"expression":"1","expr\\u0065ssion":"6*7"}'), $twice,
    'an argument that is given twice in two spellings is refused';
is exec_with($ws, calculate => '{"expression":{"a":[{"b":1,"b":2}]}}'), $twice,
    'a member that an inner object names twice is refused';
is exec_with($ws, calculate => '{"expression":"6*7","also":1}'),
    "tool 'calculate' has no argument 'also'", 'an argument that the demo has not is refused';
$host->stop;

SKIP: {
	skip 'there is no connectonion', 1 unless PyAgent::python();
	$host = PyAgent->start('factory.py', workers => 1, %allowed);
	$ws = socket_of($host);
	is exec_with($ws, calculate => '{"text":"6*7"}'), '42',
	    'good arguments reach the tool of a Python agent';
	is exec_with($ws, calculate => '{"text":"6*7","agent":"x"}'),
	    "tool 'calculate' has no argument 'agent'",
	    'an argument that no model is told of does not reach a Python agent';
	is exec_with($ws, calculate => '{"text":"1","text":"6*7"}'), $twice,
	    'a doubled argument does not reach a Python agent';
	is exec_with($ws, guard => '{"text":"safe","more":1,"agent":"mine"}'),
	    "safe Agent ['more']", 'a tool that takes any argument gets it, and its own agent';
	$host->stop;
}
done_testing;
