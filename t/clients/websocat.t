#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The command lines with websocat that the documentation of OpenHands prints ("Using Websocat for
# Testing"), as they are but for the address. "make test-clients" runs this.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin";

use Clients;
use CoHost qw(lacks run read_file wait_for);
use IPC::Open3 ();
use SIO;
use Symbol qw(gensym);
use Test::More;

my ($place, $why) = Clients::driver('websocat');
plan skip_all => "websocat: $why" if $why;
lacks 'websocat could not be built' unless $place;

my $CONNECT = <<'END';
# Connect to the WebSocket and print all received messages
echo "40{}" | \
websocat "ws://localhost:3000/socket.io/?EIO=4&transport=websocket&conversation_id=your-conversation-id&latest_event_id=-1"
END
my $SEND = <<'END';
# Send a message to the agent
echo '42["oh_user_action",{"type":"message","source":"user","message":"Hello, agent!"}]' | \
websocat "ws://localhost:3000/socket.io/?EIO=4&transport=websocket&conversation_id=your-conversation-id&latest_event_id=-1"
END
my $LISTEN = <<'END';
# Start a persistent connection
websocat -v "ws://localhost:3000/socket.io/?EIO=4&transport=websocket&conversation_id=your-conversation-id&latest_event_id=-1"
END
my $ASK = <<'END';
# In another terminal, send a message
echo '42["oh_user_action",{"type":"message","source":"user","message":"Can you help me with my project?"}]' | \
websocat "ws://localhost:3000/socket.io/?EIO=4&transport=websocket&conversation_id=your-conversation-id&latest_event_id=-1"
END

$ENV{PATH} = "$place/bin:$ENV{PATH}";

sub at {
	my ($host, $command) = @_;
	return $command =~ s/localhost:3000/'localhost:' . $host->port/er;
}

sub shell { my ($host, $command) = @_; return run(['sh', '-c', at($host, $command)], timeout => 20) }

# What the conversation has, as another client sees it.
sub conversation {
	my ($host) = @_;
	my $c = SIO->websocket($host, conversation_id => 'your-conversation-id', latest_event_id => -1);
	$c->connect;
	$c->event(sub { ($_[0]{extras} // {})->{agent_state} && $_[0]{id} > 0
		&& $_[0]{extras}{agent_state} eq 'awaiting_user_input' });
	return map { $_->{message} } $c->events;
}

for my $workers (1, 4) {
	my $w = "-w $workers";
	my $host = Clients::host(workers => $workers);

	my $r = shell($host, $CONNECT);
	is $r->{status}, 0, "the line that connects ends well ($w)";
	like $r->{out}, qr/^0\{"sid":/, "the line that connects prints the open packet ($w)";
	like $r->{out}, qr/^40\{"sid":/m, "the line that connects prints the answer to 40{} ($w)";

	$r = shell($host, $SEND);
	is $r->{status}, 0, "the line that sends a message ends well ($w)";
	ok scalar(grep { $_ eq 'Hello, agent!' } conversation($host)),
	    "a message by one line is in the conversation ($w)";

	# The first terminal, and the second.
	my $errors = gensym;
	my $pid = IPC::Open3::open3(my $in, my $out, $errors, 'sh', '-c', 'exec ' . at($host, $LISTEN) =~ s/^#.*\n//r);
	my $seen = '';
	my $see = sub {
		my ($what) = @_;
		return wait_for(20, sub {
			my $ready = '';
			vec($ready, fileno $out, 1) = 1;
			sysread $out, $seen, 65536, length $seen if select $ready, undef, undef, 0;
			return $seen =~ $what;
		});
	};
	ok $see->(qr/^0\{"sid":/), "a persistent connection prints the open packet ($w)";
	ok $see->(qr/Hello, agent!/), "a persistent connection that says nothing gets the conversation ($w)";
	$r = shell($host, $ASK);
	is $r->{status}, 0, "the line of another terminal ends well ($w)";
	ok $see->(qr/^42\["oh_event",.*"source":"user".*Can you help me with my project\?/m),
	    "a persistent connection gets the message of another terminal ($w)";
	ok $see->(qr/Can you help me with my project\?.*"source":"agent","type":"message"/s),
	    "a persistent connection gets the answer of the agent ($w)";
	kill TERM => $pid;
	waitpid $pid, 0;
	$host->stop;
}
done_testing;
