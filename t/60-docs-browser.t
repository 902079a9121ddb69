#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# GET /docs in a real browser: talk, answer questions, send files, and lose the worker
# and the server meanwhile.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Browser;
use CoHost qw(lacks write_file);
use JSON::PP ();
use Test::More;

lacks 'chromium and chromium-driver are not there' unless Browser::is_there();

my $home = CoHost::directory();
my $host = CoHost->start(dir => $home, args => ['-o', 'max_file_size=1']);
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

ok $page->wait(sub { $page->text('#name') eq 'demo' }), 'the page shows the name of the agent';
like $page->text('#about'), qr/calculate.*0x[0-9a-f]{64}/,
    'the page shows tools and address of the agent';

say('What is 42 * 17?');
answer_is('The result of 42 * 17 is 714.', 'the first prompt connects and is answered');
my @frames = frames();
is_deeply [grep { /^(?:CONNECT|CONNECTED|INPUT|tool_call|tool_result|OUTPUT)$/ } @frames],
    [qw(CONNECT CONNECTED INPUT tool_call tool_result OUTPUT)],
    'the page lists every event in order';

say('ask Which colour?|red|blue');
ok $page->wait(sub { $page->is_seen('#choices button') }),
    'the page shows the options of a question';
$page->click('#choices button');
$page->wait(sub { $page->text('#answer') =~ /red/ });
like $page->text('#answer'), qr/red/, 'a click answers the question';
ok !$page->is_seen('#question'), 'an answered question disappears';

say('approve bash');
ok $page->wait(sub { $page->is_seen('#choices button') }), 'the page asks for an approval';
$page->click('#choices button');
ok $page->wait(sub { $page->text('#answer') ne '' }), 'a click approves the tool';

say('plan dig|build');
ok $page->wait(sub { $page->is_seen('#choices button') }),
    'the page asks for the review of a plan';
is $page->text('#detail'), "1. dig\n2. build", 'the page shows a plan step by step';
$page->type('#choices input', 'paint it, too');
$page->click('#choices button:last-child');
$page->wait(sub { $page->text('#answer') =~ /paint/ });
like $page->text('#answer'), qr/paint it, too/, "the page sends a review in the user's own words";

# "\x{E00C}" is the Escape key of WebDriver.
say('sleep 60000');
ok $page->wait(sub { $page->text('#state') eq 'connected: running' }),
    'the page shows a running turn';
$page->type('#prompt', "\x{E00C}");
answer_is('What would you like me to do?', 'Escape interrupts the turn');
is $page->text('#state'), 'connected: idle', 'the page shows an interrupted turn as idle';

write_file("$home/note.txt", 'hello');
write_file("$home/dot.png", 'PNG, nearly');
write_file("$home/big.bin", 'x' x (2**20 + 1));
$page->type('#files', "$home/note.txt\n$home/dot.png");
say('look');
$page->wait(sub { $page->text('#answer') =~ /note/ });
like $page->text('#answer'), qr/note\.txt \(5 bytes\)/, 'the page sends a file';
like $page->text('#answer'), qr/image/i, 'the page sends an image';
$page->type('#files', "$home/big.bin");
say('too much');
ok $page->wait(sub { $page->text('#notice') =~ /big\.bin is larger than 1 MB/ }),
    'the page refuses a file that is too large before it is sent';
is $page->run('return document.querySelector("#prompt").value'), 'too much',
    'the prompt stays when a file is refused';
$page->run('document.querySelector("#files").value = ""; document.querySelector("#prompt").value = ""');

say('fail on purpose');
ok $page->wait(sub { $page->is_seen('#answer.failed') }),
    'the page shows a failed turn as an error';

say('echo by post', '#post');
answer_is('by post', 'the page sends a prompt by POST /input');

# Kill every worker under a turn: the page comes back and has each step once.
$page->click('#clear');
say('stream 40 50');
ok $page->wait(sub { scalar(grep { $_ eq 'tool_result' } frames()) >= 5 }),
    'the page shows a streaming turn';
kill KILL => $host->workers;
answer_is('Streamed 40 steps.', 'the page shows the end of a turn whose workers were killed');
my $steps = $page->run('return [...document.querySelectorAll("#events summary")]'
    . '.map(e => e.textContent.match(/^tool_result.*"i":(\d+)/)).filter(Boolean)'
    . '.map(m => +m[1])');
is_deeply $steps, [0 .. 39], 'the page shows each step once though workers were killed';

# The address names the session, so a page that is loaded again has it.
my $session = $page->run('return document.querySelector("#session").value');
$page->run('location.reload()');
ok $page->wait(sub { eval { $page->text('#state') eq 'connected: idle' } }),
    'a reloaded page connects';
is $page->run('return document.querySelector("#session").value'), $session,
    'a reloaded page connects to its session';
answer_is('Streamed 40 steps.', 'a reloaded page shows the conversation');

say('stream 30 100');
ok $page->wait(sub { scalar(grep { $_ eq 'tool_result' } frames()) >= 3 }),
    'the page shows the first steps of a turn';
$page->run('location.reload()');
ok $page->wait(sub { eval { $page->text('#talk') =~ /stream 30 100(?!.*Streamed)/s } }),
    'a page reloaded during a turn shows the prompt';
answer_is('Streamed 30 steps.', 'a page reloaded during a turn shows its end');

# Another server in its place is the same session.
say('ask Still there?');
ok $page->wait(sub { $page->is_seen('#choices input') }), 'the page shows an open question';
my $port = $host->port;
$host->stop('QUIT');
ok $page->wait(sub { $page->text('#state') =~ /^reconnecting/ }),
    'the page shows that the server has left';
ok $page->wait(sub { $page->text('#notice') =~ /no connection to/ }),
    'the page says that it tries to connect again';
$host = CoHost->start(dir => $home, port => $port);
ok $page->wait(sub { $page->text('#state') eq 'connected: running' }),
    'the page finds a new server on the same port';
$page->type('#choices input', 'yes');
$page->click('#choices button');
$page->wait(sub { $page->text('#answer') =~ /yes/ });
like $page->text('#answer'), qr/yes/, 'a new server takes the answer to the old question';

# A phone, held upright.
$page->ask(POST => "$page->{path}/window/rect", { width => 500, height => 900 });
is $page->run('return document.documentElement.scrollWidth - innerWidth <= 0'), JSON::PP::true,
    'the page fits a narrow screen';

$page->click('#disconnect');
is $page->text('#state'), 'not connected', 'the page can disconnect';
my @bad = grep { !m{WebSocket connection to} } $page->complaints;
is "@bad", '', 'nothing else was on the console';
$page->close;
$host->stop;
done_testing;
