#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What becomes of a user's images, of the commands of his terminal, and of news that are no events.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file source write_file);
use SIO;
use Sign qw(:all);
use Test::More;

my $host = CoHost->start(workers => 4);

sub say_to {
	my ($c, $text, @images) = @_;
	$c->emit(oh_user_action => { action => 'message', args => { content => $text, image_urls => \@images } });
}

sub idle { return ($_[0]{extras}{agent_state} // '') eq 'awaiting_user_input' }

sub saying {
	my ($c, $text) = @_;
	return $c->event(sub { ($_[0]{message} // '') eq $text });
}

# ---- images ----

my $gif = 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=';
for my $kind (qw(websocket polling)) {
	my $c = SIO->$kind($host, conversation_id => "images-$kind");
	$c->connect;
	say_to($c, 'echo two', $gif, $gif);
	is_deeply saying($c, 'echo two')->{args}{image_urls}, [$gif, $gif],
	    "A76: a message is echoed with its images ($kind)";
	$c->event(sub { $_[0]{id} > 0 && idle($_[0]) });
	my $late = SIO->$kind($host, conversation_id => "images-$kind");
	$late->connect;
	is_deeply saying($late, 'echo two')->{args}{image_urls}, [$gif, $gif],
	    "a message is replayed with its images ($kind)";
	my $large = 'data:image/png;base64,' . 'iVBORw0KGgo' . 'A' x 300_001;
	say_to($c, 'echo large', $large);
	is_deeply saying($c, 'echo large')->{args}{image_urls}, [],
	    "images over 256 KB are not echoed ($kind)";
	$c->event(sub { idle($_[0]) });
	say_to($c, 'echo far', 'https://example.com/a.png');
	like $c->event(sub { $_[0]{error} })->{message}, qr/image/i,
	    "an image that is no data URL is refused by an error ($kind)";
	$c->emit(oh_user_action => { action => 'message',
		args => { content => 'echo file', file_urls => ['/workspace/a.pdf'] } });
	is_deeply saying($c, 'echo file')->{args}{file_urls}, [], "file URLs are ignored ($kind)";
}
my $oip = $host->ws(session => { session_id => 'images-oip' });
$oip->send_json({ type => 'INPUT', prompt => 'echo from there', images => [$gif] });
$oip->next(type => 'OUTPUT');
my $c = SIO->websocket($host, conversation_id => 'images-oip');
$c->connect;
is_deeply saying($c, 'echo from there')->{args}{image_urls}, [$gif],
    'an image of the ConnectOnion protocol is shown over Socket.IO';

# ---- news that are no events ----

$c = SIO->websocket($host, conversation_id => 'news');
$c->connect;
$c->event(sub { idle($_[0]) });
say_to($c, 'events');
is_deeply $c->event(sub { $_[0]{status_update} }), { status_update => JSON::PP::true, type => 'info',
	message => 'The context is being condensed' }, 'a compact of the context is told as a status';
is $c->event(sub { $_[0]{status_update} })->{message}, 'The context was condensed',
    'the end of a compact is told as a status';
$c->event(sub { idle($_[0]) });
my $late = SIO->websocket($host, conversation_id => 'news');
$late->connect;
$late->event(sub { idle($_[0]) });
is scalar(grep { $_->{status_update} } $late->events), 0, 'a replay has no status';

# ---- the user's terminal ----

sub run_in {
	my ($client, $command, $ack) = @_;
	$client->send('42' . ($ack // '') . qq(["oh_user_action",{"action":"run","args":{"command":"$command"}}]));
}

run_in($c, 'ls');
like $c->event(sub { $_[0]{error} })->{message}, qr/^Action run is not supported in the current runtime/,
    'a command is refused if the agent has no shell tool';
$host->stop;

# An agent with a tool named bash, which answers with its arguments.
my $dir = CoHost::directory();
write_file("$dir/agent.py", read_file(source('t/agents/frames.py')) =~ s/'read_file'/'bash'/gr);
$host = CoHost->start(workers => 1, dir => $dir, agent => "exec:exec python3 $dir/agent.py --mark $dir/marks",
	yaml => qq(agent_persistent: true\npermissions:\n  "Bash(ls *)": {allowed: true}\n));
my ($anna, $bert) = (key_new(), key_new());
write_file("$dir/.co/contacts.txt", "$anna->{address}\n");
ok CoHost::wait_for(20, sub { @{ $host->http(GET => '/info')->{json}{tools} || [] } }),
    'the agent has told its tools';

sub client_of {
	my ($kind, $key, $id) = @_;
	my $new = SIO->$kind($host, conversation_id => $id);
	$new->connect($key ? sign_payload($key, { to => host_address($host), nonce => $id }) : {}) =~ /^40/
	    or die "not connected\n";
	return $new;
}

$c = client_of(websocket => $anna, 'terminal');
run_in($c, 'ls -l', 7);
my $seen = $c->event(sub { ($_[0]{observation} // '') eq 'run' });
is $seen->{content}, '["bash", {"command": "ls -l"}]', "a contact runs a command by the agent's shell tool";
is $seen->{extras}{command}, 'ls -l', 'the output of a command names it';
ok $seen->{success} && $seen->{extras}{metadata}{exit_code} == 0, 'a command that was run is a success';
ok !exists $seen->{id}, 'the output of a command is no event of the conversation';
run_in($c, 'rm -rf x', 8);
ok $c->event(sub { $_[0]{error} })->{message}, 'a command that needs approval is refused';
my $stranger = client_of(websocket => $bert, 'strange');
run_in($stranger, 'ls -l');
is $stranger->event(sub { $_[0]{error} })->{message},
    'forbidden: run requires a contact or admin, you are stranger', 'a stranger may not run a command';
my $nobody = client_of(websocket => undef, 'nobody');
run_in($nobody, 'ls -l');
is $nobody->event(sub { $_[0]{error} })->{message}, 'forbidden: run requires a client that signs',
    'an anonymous client may not run a command';
my $poller = client_of(polling => $anna, 'polls');
run_in($poller, 'ls -l');
is $poller->event(sub { $_[0]{error} })->{message}, 'run requires a client with a WebSocket',
    'a client that polls may not run a command';
$host->stop;
done_testing;
