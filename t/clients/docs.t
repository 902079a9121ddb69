#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# GET /docs in a real browser, before an agent of the Python package, unmodified: its tools are
# called, it asks, it is interrupted, and it is killed with its worker. t/60-docs-browser.t does
# the same and more with the demo agent. "make test-clients" runs this.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin";

use Browser;
use Clients;
use CoHost qw(lacks source);
use Test::More;

my $python = Clients::python()
    or lacks 'no Python package: scripts/setup --tests could not install it';
lacks 'chromium and chromium-driver are not there' unless Browser::is_there();

my $host = Clients::host(agent => 'python:' . source('t/clients/agent.py'),
	args => ['-o', "python=$python"]);
my $page = Browser->open($host->url . '/docs');

sub say {
	my ($prompt) = @_;
	$page->type('#prompt', $prompt);
	$page->click('#send');
}

sub answer_is {
	my ($text, $name) = @_;
	$page->wait(sub { $page->text('#answer') eq $text });
	is $page->text('#answer'), $text, $name;
}

# How often a frame of this type is listed.
sub count {
	my ($type) = @_;
	return scalar grep { /^$type\b/ } @{ $page->run(
		'return [...document.querySelectorAll("#events summary")].map(e => e.textContent)') };
}

ok $page->wait(sub { $page->text('#name') eq 'script' }), 'the page shows the name of the agent';
like $page->text('#about'), qr/calculate.*step/, 'the page shows the tools of the agent';
say('stream 3');
answer_is('Streamed 3 steps.', 'the agent answers');
is count('tool_result'), 3, 'each call of a tool has its result';
say('ask Which colour?|red|blue');
ok $page->wait(sub { $page->is_seen('#choices button') }), 'the page shows the options of a question';
$page->click('#choices button');
answer_is('You answered: red', 'a click answers the agent');
say('approve bash');
answer_is('What would you like me to do?', 'the agent stops when a caller without a key would approve its tool');
say('stream 2000 10');
ok $page->wait(sub { count('tool_result') >= 6 }), 'the page shows a streaming turn';
$page->type('#prompt', "\x{E00C}");
answer_is('What would you like me to do?', 'Escape interrupts the agent');
say('sleep 60000');
ok $page->wait(sub { $page->text('#state') eq 'connected: running' }), 'the page shows a running turn';
kill KILL => $host->workers;
ok $page->wait(sub { $page->is_seen('#answer.failed') }), 'a turn that died with its worker is told as failed';
say('echo again');
answer_is('again', 'the agent answers after that');
$page->close if $page->can('close');
$host->stop;
done_testing;
