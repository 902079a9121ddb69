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
like $anna->connected->{continuation}, qr/^[0-9a-f]{32}$/, 'who begins a session is told its word';
ask_leave($anna);
my $guest = join_as($office, 'talk');
is $guest->connected->{continuation}, undef, 'who joins it from elsewhere is not';
ok $guest->next(type => 'approval_needed'), 'but may watch, and sees what is asked';
like answer($guest), $barred, 'an approval of a joiner is refused, and the text says what is missing';
like answer($guest, { type => 'INTERRUPT' }), $barred, 'nor may it stop the turn';
is $host->http(GET => '/sessions/talk')->{json}{status}, 'waiting_approval', 'the question waits on';
like answer(join_signed($stranger, $home, 'talk')), $barred,
    'a fresh key is refused as well, wherever it comes from';
like answer(join_as($office, 'talk', session => { continuation => 'f' x 32 })), $barred,
    'and so is a word that is made up';
is answer($anna), $ran, 'the socket that began the session answers';
my $seen = $guest->next(type => 'OUTPUT');
is $seen->{result}, $ran, 'and those who watch see the end';
is $seen->{session}{continuation}, undef, 'without the word';

ask_leave($anna);
is answer(join_signed($friend, $office, 'talk')), $ran, 'a contact may answer where it joined';
$_->next(type => 'OUTPUT') for $anna, $guest;
like answer($guest, { type => 'mode_change', mode => 'read-only' }), $barred,
    'a joiner may not change the mode';

$anna->send_json({ type => 'INPUT', prompt => 'ask Which?|red|green' });
$anna->next(type => 'ask_user');
$guest->send_json({ type => 'INPUT', prompt => 'red' });
ok $guest->next(type => 'RUNTIME_INPUT_ACK'), 'a prompt of a joiner is taken';
like answer($guest, { type => 'ASK_USER_RESPONSE', answer => 'red' }), $barred,
    'but neither it nor an answer answers the question';
like answer($anna, { type => 'ASK_USER_RESPONSE', answer => 'green' }), qr/^You answered: green/,
    'which is its holder\'s';

# ---- who comes back ----

my $end = ($anna->turn('echo more'))[-1];
is $end->{session}{continuation}, $anna->connected->{continuation},
    'the conversation that its holder is given has the word';
ask_leave($anna);
$anna->close(how => 'cut');
like answer(join_as($elsewhere, 'talk')), $barred,
    'who comes from another address with nothing is a joiner';
is answer(join_as($elsewhere, 'talk', session => $end->{session})), $ran,
    'who brings the conversation holds the session, from any address';
my $back = join_as($home, 'talk');
ask_leave($back);
$back->close(how => 'cut');
is answer(join_as($home, 'talk')), $ran, 'and so does who comes back unsigned to the same address';

my $look = join_as($office, 'talk', session => { messages => [] });
is $look->connected->{server_newer}, JSON::PP::true, 'a joiner is given the conversation';
is $look->connected->{session}{continuation}, undef,
    'but not the word that its holder has brought with it';
unlike $host->http(GET => '/sessions/talk', signed_get_headers($friend, '/sessions/talk'))->{body},
    qr/continuation/, 'it is in no record';

# ---- a joiner's own turn ----

ask_leave($look);
is answer($look), $ran, 'a joiner answers the questions of a turn that it began';
$back = join_as($home, 'talk');
ask_leave($back);
like answer($look), $barred, 'and no others';
is answer($back), $ran, 'the session has the holder that it had';

# ---- over HTTP ----

my $post = sub {
	my ($place, $prompt, %session) = @_;
	return $host->input($prompt, header => { 'x-forwarded-for' => $place },
		session => {%session})->{json};
};
my $first = $post->($home, 'echo one');
my $id = $first->{session_id};
like $first->{session}{continuation}, qr/^[0-9a-f]{32}$/, 'POST /input gives the word to who begins';
is $post->($office, 'echo two', session_id => $id)->{session}{continuation}, undef,
    'and not to who joins';
$back = join_as($elsewhere, $id, session => $first->{session});
ask_leave($back);
is answer($back), $ran, 'with it one goes on over the WebSocket';

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
    'an event stream ends with the word for who begins';
is $stream->($office, 'streamed')->{session}{continuation}, undef, 'and without it for who joins';

my $owned = join_signed($stranger, $home, 'owned');
is $owned->connected->{continuation}, undef, 'a session with an owner has no word';
is +($owned->turn('echo x'))[-1]{session}{continuation}, undef, 'nor has its conversation';

$host->stop;
$host = CoHost->start(@how);
$back = join_as($elsewhere, $id, session => $first->{session});
ask_leave($back);
$back->close(how => 'cut');
is answer(join_as($office, $id, session => $first->{session})), $ran,
    'the word outlives the server';
$host->stop;
done_testing;
