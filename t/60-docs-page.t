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
ok $page->wait(sub { $page->is_seen('#choices input') }), 'a question comes';
is active(), 'prompt', 'and leaves the focus with who types';
$page->type('#prompt', 'half a sent');
is value('#prompt'), 'half a sent', 'what is typed goes where it went before';

# Another client answers while an answer is being typed.
$page->type('#choices input', 'gre');
my $session = value('#session');
my $other = $host->ws(session => { session_id => $session });
$other->next(type => 'ask_user');
$other->send_json({ type => 'ASK_USER_RESPONSE', answer => 'red' });
answer_is(qr/red/, 'another client answers');
is active(), 'prompt', 'then the writer goes on in the prompt';
is value('#prompt'), "half a sent\ngre", 'and nothing that was typed is lost';
$page->run('document.querySelector("#prompt").value = ""');

# The same question again, after a reconnect.
say('ask And now?');
$page->wait(sub { $page->is_seen('#choices input') });
$page->type('#choices input', 'blu');
kill KILL => $host->workers;
$page->wait(sub { $page->text('#state') =~ /^reconnecting/ });
ok $page->wait(sub { $page->text('#state') eq 'connected: running' }), 'the connection is lost and made again';
$page->type('#choices input', "e\x{E007}");
answer_is(qr/blue/, 'what was typed of an answer is still there');

# ---- failed turns ----

say('fail on purpose');
answer_is(qr/Unable to run agent/, 'a turn fails');
say('echo fine');
answer_is(qr/^fine$/, 'the next one does not');
say('fail again');
answer_is(qr/Unable to run agent/, 'another one fails');
my @before = talk();
$page->run('location.reload()');
ok $page->wait(sub { eval { $page->text('#state') eq 'connected: idle' } }), 'the page is loaded again';
$page->wait(sub { talk() == @before });
my @after = talk();
is_deeply \@after, \@before, 'and shows the whole talk, failed turns as such'
    or diag explain \@after;
is scalar(grep { /^!Unable to run agent/ } @after), 2, 'which are two';
ok $page->run('return document.querySelectorAll("#events details").length > 10'),
    'the events are listed as well';

say('stream 60 50');
ok $page->wait(sub { $page->run('return document.querySelector("#events").textContent') =~ /tool_result/ }),
    'a turn runs';
$page->run('location.reload()');
ok $page->wait(sub { eval { $page->text('#state') eq 'connected: running' } }), 'the page is loaded in its middle';
answer_is(qr/^Streamed 60 steps\.$/, 'its end comes');
is scalar(grep { $_ eq 'stream 60 50' } talk()), 1, 'its prompt is there once';
is scalar(grep { /^!Unable to run agent/ } talk()), 2, 'and so are those that failed';

my ($steps) = $page->run('return [...document.querySelectorAll("#events summary")]'
    . '.map(e => e.textContent.match(/^tool_result.*"i":(\d+)/)).filter(Boolean).map(m => +m[1])');
is_deeply $steps, [0 .. 59], 'and each of its steps once, in order';
is join(' ', grep { !/WebSocket connection to/ } $page->complaints), '', 'nothing is on the console';
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
answer_is(qr/^looked$/, 'an agent shows images');
is_deeply $page->run('return [...document.images].map(e => e.src)'), [$dot], 'what lies elsewhere is no image';
like $page->text('#talk'), qr{\[image, not loaded: http://127\.0\.0\.1:9/seen\.png\]}, 'but its address is told';
is join(' ', grep { /seen\.png/ } $page->complaints), '', 'and nobody tried to fetch it';
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
	answer_is(qr/^unauthorized: signed request required$/, 'a prompt is refused with the reason');
	is $page->text('#state'), 'refused', 'and not said again and again';
	$page->type('#prompt', 'hello again');
	$page->click('#post');
	answer_is(qr/^unauthorized: signed request required$/, 'POST as well');
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
