#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# In a session that is nobody's, questions are answered by who holds it, not by who joins.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file);
use Sign qw(:all);
use Test::More;

my $dir = CoHost::directory();
my ($friend, $stranger) = (key_new(), key_new());
write_file("$dir/.co/contacts.txt", "$friend->{address}\n");
my @how = (dir => "$dir", args => ['-o', 'trust=open', '-o', 'trusted_proxies=127.0.0.1']);
my $host = CoHost->start(@how);

my ($home, $office, $elsewhere) = qw(203.0.113.1 203.0.113.9 198.51.100.7);
my $yes = { type => 'APPROVAL_RESPONSE', approved => JSON::PP::true, scope => 'once' };

# A client at a place, in a session.
sub at { my ($place) = @_; return (headers => { 'x-forwarded-for' => $place }) }

sub join_as {
	my ($place, $id, %more) = @_;
	return $host->ws(at($place), session => { session_id => $id, %more });
}

sub join_signed {
	my ($who, $place, $id) = @_;
	my $ws = $host->ws(at($place));
	$ws->send_json(connect_frame($who, $host, session_id => $id,
		payload => { nonce => rand }));
	$ws->{connected} = $ws->next(type => 'CONNECTED');
	return $ws;
}

# A turn that waits for leave.
sub ask_leave {
	my ($ws) = @_;
	$ws->send_json({ type => 'INPUT', prompt => 'approve bash' });
	return $ws->next(type => 'approval_needed');
}

# What comes of an answer: the ERROR, or the result.
sub answer {
	my ($ws, $frame) = @_;
	$ws->send_json($frame // $yes);
	my $f = $ws->next(type => ['ERROR', 'OUTPUT']);
	return $f->{type} eq 'ERROR' ? $f->{message} : $f->{result};
}
my $barred = qr/^forbidden: nobody owns this session.*continuation/;
my $ran = 'bash was approved and ran.';

# ---- the socket that began it, and who joins ----

my $anna = join_as($home, 'talk');
like $anna->connected->{continuation}, qr/^[0-9a-f]{32}$/,
    'a client that begins a session is told its word';
ask_leave($anna);
my $guest = join_as($office, 'talk');
is $guest->connected->{continuation}, undef,
    'a client that joins from elsewhere is not told the word';
ok $guest->next(type => 'approval_needed'), 'a client that joins sees an approval asked for';
like answer($guest), $barred, 'an approval by a joiner is refused with the reason';
like answer($guest, { type => 'INTERRUPT' }), $barred, 'a joiner may not interrupt the turn';
is $host->http(GET => '/sessions/talk')->{json}{status}, 'waiting_approval',
    "a question stays open after a joiner's answer";
like answer(join_signed($stranger, $home, 'talk')), $barred,
    'an approval by a fresh key is refused from any address';
like answer(join_as($office, 'talk', session => { continuation => 'f' x 32 })), $barred,
    'an approval with a made-up word is refused';
is answer($anna), $ran, 'the socket that began the session approves';
my $seen = $guest->next(type => 'OUTPUT');
is $seen->{result}, $ran, 'joiners see the end of the turn';
is $seen->{session}{continuation}, undef, 'joiners are not told the word';

ask_leave($anna);
is answer(join_signed($friend, $office, 'talk')), $ran,
    'a contact may answer in a session that it joined';
$_->next(type => 'OUTPUT') for $anna, $guest;
like answer($guest, { type => 'mode_change', mode => 'read-only' }), $barred,
    'a joiner may not change the mode';

$anna->send_json({ type => 'INPUT', prompt => 'ask Which?|red|green' });
$anna->next(type => 'ask_user');
$guest->send_json({ type => 'INPUT', prompt => 'red' });
ok $guest->next(type => 'RUNTIME_INPUT_ACK'), 'a prompt by a joiner is taken';
like answer($guest, { type => 'ASK_USER_RESPONSE', answer => 'red' }), $barred,
    "a joiner's answer does not answer the question";
like answer($anna, { type => 'ASK_USER_RESPONSE', answer => 'green' }), qr/^You answered: green/,
    'the holder of a session answers the question';

# ---- who comes back ----

my $end = ($anna->turn('echo more'))[-1];
is $end->{session}{continuation}, $anna->connected->{continuation},
    'the conversation given to the holder has the word';
ask_leave($anna);
$anna->close(how => 'cut');
like answer(join_as($elsewhere, 'talk')), $barred,
    'a client from another address without the word is a joiner';
is answer(join_as($elsewhere, 'talk', session => $end->{session})), $ran,
    'a client with the conversation holds the session from any address';
my $back = join_as($home, 'talk');
ask_leave($back);
$back->close(how => 'cut');
is answer(join_as($home, 'talk')), $ran,
    'an unsigned client back at the same address holds the session';

my $look = join_as($office, 'talk', session => { messages => [] });
is $look->connected->{server_newer}, JSON::PP::true, 'a joiner is given the conversation';
is $look->connected->{session}{continuation}, undef,
    'the conversation given to a joiner has no word';
unlike $host->http(GET => '/sessions/talk', signed_get_headers($friend, '/sessions/talk'))->{body},
    qr/continuation/, 'no record has the word';

# ---- a joiner's own turn ----

ask_leave($look);
is answer($look), $ran, 'a joiner answers the questions of a turn that it began';
$back = join_as($home, 'talk');
ask_leave($back);
like answer($look), $barred, "a joiner does not answer the questions of another's turn";
is answer($back), $ran, "a session keeps its holder after a joiner's turn";

# ---- over HTTP ----

my $post = sub {
	my ($place, $prompt, %session) = @_;
	return $host->input($prompt, header => { 'x-forwarded-for' => $place },
		session => {%session})->{json};
};
my $first = $post->($home, 'echo one');
my $id = $first->{session_id};
like $first->{session}{continuation}, qr/^[0-9a-f]{32}$/,
    'POST /input gives the word to a client that begins';
is $post->($office, 'echo two', session_id => $id)->{session}{continuation}, undef,
    'POST /input does not give the word to a joiner';
$back = join_as($elsewhere, $id, session => $first->{session});
ask_leave($back);
is answer($back), $ran, 'the word from POST /input holds the session over WebSocket';

# The OUTPUT at the end of a stream of events.
my $stream = sub {
	my ($place, $id) = @_;
	my $c = $host->client;
	$c->send(POST => '/input', { 'x-forwarded-for' => $place, accept => 'text/event-stream' },
		{ prompt => 'echo streamed', session => { session_id => $id } });
	$c->head;
	my $last;
	while (my $e = $c->event) { $last = $e->{json} if $e->{json} }
	return $last;
};
like $stream->($home, 'streamed')->{session}{continuation}, qr/^[0-9a-f]{32}$/,
    'an event stream gives the word to a client that begins';
is $stream->($office, 'streamed')->{session}{continuation}, undef,
    'an event stream does not give the word to a joiner';

my $owned = join_signed($stranger, $home, 'owned');
is $owned->connected->{continuation}, undef, 'a session with an owner has no word';
is +($owned->turn('echo x'))[-1]{session}{continuation}, undef,
    'the conversation of a session with an owner has no word';

$host->stop;
$host = CoHost->start(@how);
$back = join_as($elsewhere, $id, session => $first->{session});
ask_leave($back);
$back->close(how => 'cut');
is answer(join_as($office, $id, session => $first->{session})), $ran,
    'the word outlives the server';
$host->stop;
done_testing;
