#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# GET /docs in a real browser: it leaves who types alone, says why it is refused, shows
# failed turns again, and fetches nothing from elsewhere.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Browser;
use CoHost qw(lacks write_file);
use JSON::PP ();
use Test::More;

lacks 'chromium and chromium-driver are not there' unless Browser::is_there();

my $page = Browser->open('about:blank');
my $host;

sub active { return $page->run('return document.activeElement.id') }
sub value { return $page->run('return document.querySelector(arguments[0]).value', $_[0]) }

sub say {
	my ($prompt) = @_;
	$page->type('#prompt', $prompt);
	$page->click('#send');
}

sub answer_is {
	my ($want, $name) = @_;
	$page->wait(sub { (eval { $page->text('#answer') } // '') =~ $want });
	like $page->text('#answer'), $want, $name;
}

# What is said and answered, in order; failed answers with a mark.
sub talk {
	return @{ $page->run('return [...document.querySelectorAll("#talk > *")]'
		. '.map(e => (e.classList.contains("failed") ? "!" : "") + e.textContent)') };
}

# ---- focus ----

# Ctrl+Enter sends, and leaves the writer in the prompt. "\x{E009}" is Control,
# "\x{E007}" Enter, "\x{E000}" lets go.
sub send_by_key { $page->type('#prompt', "$_[0]\x{E009}\x{E007}\x{E000}") }

$host = CoHost->start(workers => 2);
$page->go($host->url . '/docs');
$page->wait(sub { $page->text('#name') eq 'demo' });
send_by_key('ask Which colour?');
ok $page->wait(sub { $page->is_seen('#choices input') }),
    'a question is shown while the user types a prompt';
is active(), 'prompt', 'a question does not take the focus from the prompt';
$page->type('#prompt', 'half a sent');
is value('#prompt'), 'half a sent', 'the user goes on typing in the prompt under a question';

# Another client answers while an answer is being typed.
$page->type('#choices input', 'gre');
my $session = value('#session');
my $other = $host->ws(session => { session_id => $session });
$other->next(type => 'ask_user');
$other->send_json({ type => 'ASK_USER_RESPONSE', answer => 'red' });
answer_is(qr/red/, 'the page shows an answer of another client');
is active(), 'prompt', 'the focus returns to the prompt when another client answers';
is value('#prompt'), "half a sent\ngre",
    'text typed as an answer is kept when another client answers';
$page->run('document.querySelector("#prompt").value = ""');

# The same question again, after a reconnect.
say('ask And now?');
$page->wait(sub { $page->is_seen('#choices input') });
$page->type('#choices input', 'blu');
kill KILL => $host->workers;
$page->wait(sub { $page->text('#state') =~ /^reconnecting/ });
ok $page->wait(sub { $page->text('#state') eq 'connected: running' }),
    'the page connects again after a lost connection';
$page->type('#choices input', "e\x{E007}");
answer_is(qr/blue/, 'a half-typed answer survives a lost connection');

# ---- failed turns ----

say('fail on purpose');
answer_is(qr/Unable to run agent/, 'the page shows a failed turn');
say('echo fine');
answer_is(qr/^fine$/, 'the page shows the turn after a failed one');
say('fail again');
answer_is(qr/Unable to run agent/, 'the page shows a second failed turn');
my @before = talk();
$page->run('location.reload()');
ok $page->wait(sub { eval { $page->text('#state') eq 'connected: idle' } }),
    'a page with failed turns can be reloaded';
$page->wait(sub { talk() == @before });
my @after = talk();
is_deeply \@after, \@before, 'a reloaded page shows the whole conversation with failed turns'
    or diag explain \@after;
is scalar(grep { /^!Unable to run agent/ } @after), 2, 'a reloaded page shows both failed turns';
ok $page->run('return document.querySelectorAll("#events details").length > 10'),
    'a reloaded page lists the events';

say('stream 60 50');
ok $page->wait(sub { $page->run('return document.querySelector("#events").textContent') =~ /tool_result/ }),
    'the page shows a long running turn';
$page->run('location.reload()');
ok $page->wait(sub { eval { $page->text('#state') eq 'connected: running' } }),
    'a page reloaded during a turn shows it as running';
answer_is(qr/^Streamed 60 steps\.$/, 'a page reloaded during a long turn shows its end');
is scalar(grep { $_ eq 'stream 60 50' } talk()), 1,
    'a page reloaded during a turn shows its prompt once';
is scalar(grep { /^!Unable to run agent/ } talk()), 2,
    'a page reloaded during a turn shows the failed turns before';

my ($steps) = $page->run('return [...document.querySelectorAll("#events summary")]'
    . '.map(e => e.textContent.match(/^tool_result.*"i":(\d+)/)).filter(Boolean).map(m => +m[1])');
is_deeply $steps, [0 .. 59], 'a page reloaded during a turn lists each step once, in order';
is join(' ', grep { !/WebSocket connection to/ } $page->complaints), '',
    'the console of the browser has no complaints';
$host->stop;

# ---- images ----

my $home = CoHost::directory();
my $dot = 'data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';
write_file("$home/agent.sh", <<"END");
read task
echo '{"type":"agent_image","image":"http://127.0.0.1:9/seen.png"}'
echo '{"type":"agent_image","image":"$dot"}'
echo '{"type":"agent_image","image":"data:text/html,x"}'
echo '{"type":"OUTPUT","result":"looked"}'
END
$host = CoHost->start(dir => $home, workers => 1, agent => "exec:sh $home/agent.sh");
$page->go($host->url . '/docs');
$page->wait(sub { $page->text('#about') =~ /0x/ });
say('look');
answer_is(qr/^looked$/, 'the page shows the answer of an agent with images');
is_deeply $page->run('return [...document.images].map(e => e.src)'), [$dot],
    'the page loads no image from elsewhere';
like $page->text('#talk'), qr{\[image, not loaded: http://127\.0\.0\.1:9/seen\.png\]},
    'the page shows the address of an image that it does not load';
is join(' ', grep { /seen\.png/ } $page->complaints), '',
    'the browser does not fetch an image from elsewhere';
$host->stop;

# ---- servers that take signed requests only ----

for (['strict', { yaml => "trust: strict\n" }, qr/whitelist.*connect\("0x[0-9a-f]{64}"\).*whitelist\.txt/],
    ['invite-only', { yaml => "trust: careful\n", env => { CO_INVITE_CODE => 'x' } },
	qr/strangers for an invite code.*cannot sign.*connect/],
    ['paid', { yaml => "trust: careful\n", env => { CO_PAYMENT => '5' } }, qr/strangers for a payment of 5/]) {
	my ($kind, $how, $why) = @$_;
	$host = CoHost->start(workers => 1, %$how);
	$page->go($host->url . '/docs');
	$page->wait(sub { $page->is_seen('#gate') });
	like $page->text('#gate'), $why, "a server that is $kind is explained at once";
	say('hello');
	answer_is(qr/^unauthorized: signed request required$/,
	    'the page shows why a prompt was refused');
	is $page->text('#state'), 'refused',
	    "a prompt refused by a server that is $kind is not sent again";
	$page->type('#prompt', 'hello again');
	$page->click('#post');
	answer_is(qr/^unauthorized: signed request required$/, 'the page shows why a POST was refused');
	$host->stop;
}
$host = CoHost->start(workers => 1);
$page->go($host->url . '/docs');
$page->wait(sub { $page->text('#about') =~ /0x/ });
ok !$page->is_seen('#gate'), 'a server that takes strangers has nothing to explain';
$host->stop;

# ---- a name that is not the server's ----

$page->close;
$page = Browser->open('about:blank', '--host-resolver-rules=MAP *.test 127.0.0.1');
$host = CoHost->start(workers => 1);
$page->go('http://agent.test:' . $host->port . '/docs');
$page->wait(sub { $page->text('#about') =~ /0x/ });
$page->click('#connect');
ok $page->wait(sub { $page->text('#notice') =~ /"agent\.test:\d+".*allowed_hosts/ }),
    'a page that may not attach says which setting is missing' or diag $page->text('#notice');
$host->stop;
$page->close;
done_testing;
