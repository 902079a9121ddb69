#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# GET /docs in a real browser: talk, answer questions, and lose the worker meanwhile.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Browser;
use CoHost;
use JSON::PP ();
use Test::More;

plan skip_all => 'chromium and chromium-driver are not there' unless Browser::is_there();

my $host = CoHost->start;
my $page = Browser->open($host->url . '/docs');

sub answer_is {
	my ($text, $name) = @_;
	$page->wait(sub { $page->text('#answer') eq $text });
	is $page->text('#answer'), $text, $name;
}

sub say {
	my ($prompt, $button) = @_;
	$page->type('#prompt', $prompt);
	$page->click($button // '#send');
}

# Types of the frames that are listed.
sub frames {
	return map { /^(\w+)/ } @{ $page->run(
		'return [...document.querySelectorAll("#events summary")].map(e => e.textContent)') };
}

ok $page->wait(sub { $page->text('#name') eq 'demo' }), 'it tells the name of the agent';
like $page->text('#about'), qr/calculate.*0x[0-9a-f]{64}/, 'its tools and address';

say('What is 42 * 17?');
answer_is('The result of 42 * 17 is 714.', 'the first prompt connects, and is answered');
my @frames = frames();
is_deeply [grep { /^(?:CONNECT|CONNECTED|INPUT|tool_call|tool_result|OUTPUT)$/ } @frames],
    [qw(CONNECT CONNECTED INPUT tool_call tool_result OUTPUT)], 'every event is shown, in order';

say('ask Which colour?|red|blue');
ok $page->wait(sub { $page->is_seen('#choices button') }), 'a question is asked';
$page->click('#choices button');
$page->wait(sub { $page->text('#answer') =~ /red/ });
like $page->text('#answer'), qr/red/, 'a click answers it';
ok !$page->is_seen('#question'), 'and the question goes';

say('approve bash');
ok $page->wait(sub { $page->is_seen('#choices button') }), 'leave is asked for';
$page->click('#choices button');
ok $page->wait(sub { $page->text('#answer') ne '' }), 'and given';

say('fail on purpose');
ok $page->wait(sub { $page->is_seen('#answer.failed') }), 'an error shows as one';

say('echo by post', '#post');
answer_is('by post', 'POST /input');

# Kill every worker under a turn: the page comes back and has each step once.
$page->click('#clear');
say('stream 40 50');
ok $page->wait(sub { scalar(grep { $_ eq 'tool_result' } frames()) >= 5 }), 'a turn streams';
kill KILL => $host->workers;
answer_is('Streamed 40 steps.', 'it goes on though all workers were killed');
my $steps = $page->run('return [...document.querySelectorAll("#events summary")]'
    . '.map(e => e.textContent.match(/^tool_result.*"i":(\d+)/)).filter(Boolean)'
    . '.map(m => +m[1])');
is_deeply $steps, [0 .. 39], 'each step was shown once, in order';

$page->click('#disconnect');
is $page->text('#state'), 'not connected', 'one can leave';
my @bad = grep { !/WebSocket connection to/ } $page->complaints;
is "@bad", '', 'nothing else was on the console';
$page->close;
$host->stop;
done_testing;
