#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Which frames a relay forwards, byte by byte, and which it refuses: no frame of a client or
# of another agent may end an agent's link.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use CoRelay;
use Sign qw(key_new);
use Test::More;

my $MB = 1 << 20;

for my $workers (1, 4) {
	my $relay = CoRelay->start(workers => $workers);
	my $agent = $relay->agent;
	my $to = $agent->address;

	# The first frame may be of any type, the later ones need no "to".
	for my $type (qw(CONNECT SEAL SESSION_STATUS INPUT ONBOARD_SUBMIT)) {
		my $client = $relay->input_ws;
		$client->send_json({ type => $type, to => $to });
		my $frame = $agent->next_frame;
		is $frame->{type}, $type, "-w $workers: the first frame may be of type $type";
		like $frame->{session_id}, qr/^[0-9a-f-]{36}$/,
		    "-w $workers: each frame to an agent has a session_id ($type)";
		$client->send_json({ type => 'SEALED', n => 1, c => 'AAAA' });
		$frame = $agent->next_frame;
		is $frame->{type}, 'SEALED', "-w $workers: later frames need no address ($type)";
		like $frame->{conn_id} . $frame->{session_id}, qr/^[0-9a-f]{32}[0-9a-f-]{36}$/,
		    "-w $workers: later frames have conn_id and session_id too ($type)";
		$client->send_json({ type => 'PONG', session_id => 7 });
		like $agent->next_frame->{session_id}, qr/^[0-9a-f-]{36}$/,
		    "-w $workers: a session_id that is no string is replaced ($type)";
		$client->close;
		is $agent->next_frame->{type}, 'close', "-w $workers: the agent is told of its end ($type)";
	}

	# Bytes are forwarded as they are.
	my $client = $relay->client($agent);
	my $id = $agent->next_frame->{conn_id};
	my $odd = qq(  "z" : 1.50,"a":[1e0, -0.0 ,"\\u00e9\xc3\xa9\\/"],"type":"INPUT","n":12345678901234567890123 );
	$client->send_text("{$odd}");
	my $text = $agent->next_text;
	is substr($text, -length("$odd}")), "$odd}", "-w $workers: a frame is forwarded byte by byte";
	like $text, qr/^\{"session_id":"[0-9a-f-]{36}","conn_id":"$id",/,
	    "-w $workers: what the relay adds stands before it";
	$client->send_text(qq({"conn_id":"a","_relay_peer":"x","type":"INPUT","_relay_sid":1,"b":2}));
	$text = $agent->next_text;
	like $text, qr/,"conn_id":"$id","type":"INPUT","b":2\}$/,
	    "-w $workers: members that are the relay's own are taken away";
	$agent->send_text(qq({"session_id":"s", "_relay_x":0,$odd,"conn_id":"$id"}));
	is $client->next_text, qq({"session_id":"s",$odd}),
	    "-w $workers: a frame of an agent is forwarded byte by byte, without conn_id";
	$client->send_json({ type => 'PING' });
	$client->send_json({ type => 'INPUT', n => 1 });
	is $agent->next_frame->{n}, 1, "-w $workers: a PING of a client does not reach the agent";

	for my $size (16 * $MB, 2 * $MB) {
		my $long = '"' . 'x' x $size . '"';
		$client->send_text(qq({"type":"INPUT","prompt":$long}));
		my $got = $agent->next_text // '';
		is length($got) - index($got, '"prompt"'), length($long) + 10,
		    "-w $workers: a frame of $size bytes passes to the agent";
		$agent->send_text(qq({"type":"OUTPUT","session_id":"s","result":$long,"conn_id":"$id"}));
		ok $client->next_text eq qq({"type":"OUTPUT","session_id":"s","result":$long}),
		    "-w $workers: a frame of $size bytes passes to the client";
	}
	my $whole = qq({"type":"INPUT","in":"pieces"});
	$client->send_frame($_ ? 0 : WS::TEXT, substr($whole, $_, 1), fin => $_ == length($whole) - 1)
	    for 0 .. length($whole) - 1;
	is $agent->next_frame->{in}, 'pieces', "-w $workers: a message in many fragments is one frame";

	# What may not reach an agent.
	my $before = $relay->counter('bad_client_frames_total');
	my @bad = (
		['a list', '[]', 1007], ['no JSON', '{', 1007], ['an empty text', '', 1007],
		['something behind the object', '{"type":"INPUT"} x', 1007],
		['too many levels', '{"type":"INPUT","a":' . '[' x 200 . ']' x 200 . '}', 1007],
		['a number of 5,000 digits', '{"type":"INPUT","a":' . '1' x 5000 . '}', 1007],
		['no type', '{"a":1}', 1008], ['an empty type', '{"type":""}', 1008],
		['a type that is no text', '{"type":1}', 1008],
		map { ["type $_", qq({"type":"$_"}), 1008] } qw(close ANNOUNCE ANNOUNCE_OK ERROR),
	);
	for my $case (@bad) {
		my ($what, $frame, $code) = @$case;
		my $bound = $relay->client($agent);
		my $its = $agent->next_frame;
		$bound->send_text($frame);
		my $error = $bound->next(type => 'ERROR') // {};
		ok length($error->{error} // '') && $error->{error} eq $error->{message},
		    "-w $workers: a client is told what is wrong with $what";
		is $bound->wait_close, $code, "-w $workers: a client that sends $what is closed with $code";
		is_deeply [@{ $agent->next_frame }{qw(type conn_id)}], ['close', $its->{conn_id}],
		    "-w $workers: the agent hears of its end and not of the frame ($what)";
	}
	my $binary = $relay->client($agent);
	$agent->next_frame;
	$binary->send_frame(WS::BINARY, '{"type":"INPUT"}');
	is $binary->wait_close, 1008, "-w $workers: a client that sends a binary message is closed";
	is $agent->next_frame->{type}, 'close', "-w $workers: the agent hears of its end only";
	for my $case (['without an address', '{"type":"CONNECT"}'],
		['with an address that is none', '{"type":"CONNECT","to":"0x1"}'],
		['with a session id of 300 bytes', qq({"type":"CONNECT","to":"$to","session_id":")
			. 's' x 300 . '"}']) {
		my ($what, $frame) = @$case;
		my $ws = $relay->input_ws;
		$ws->send_text($frame);
		like(($ws->next(type => 'ERROR') // {})->{error}, qr/^(Missing|Invalid) field: /,
			"-w $workers: a first frame $what is refused with the reason");
		is $ws->wait_close, 1008, "-w $workers: a first frame $what ends the client";
	}
	is $relay->counter('bad_client_frames_total') - $before, @bad + 4,
	    "-w $workers: clients with bad frames are counted";

	# What an agent may not say.
	my ($mine, $theirs) = ($relay->agent, $relay->agent);
	my $victim = $relay->client($theirs);
	my $never = $theirs->next_frame;
	$before = $relay->counter('stray_frames_total');
	$mine->send_json({ type => 'OUTPUT', result => 'forged', session_id => $never->{session_id},
		conn_id => $never->{conn_id} });
	$mine->send_json({ type => 'OUTPUT', result => 'forged', session_id => $never->{session_id} });
	$mine->send_json({ type => 'OUTPUT', result => 'forged', session_id => 'x', conn_id => 'x' });
	my $bad_before = $relay->counter('bad_agent_frames_total');
	$mine->send_text($_) for '[]', '{', 'x', '';
	$mine->send_frame(WS::BINARY, 'x');
	my $own = $relay->client($mine);
	my $its = $mine->next_frame;
	$mine->answer($its, type => 'OUTPUT', result => 'right');
	is $own->next_frame->{result}, 'right',
	    "-w $workers: an agent that sent bad frames stays connected";
	$theirs->answer($never, type => 'OUTPUT', result => 'right');
	is $victim->next_frame->{result}, 'right',
	    "-w $workers: an agent cannot answer for sessions it was never given";
	is $relay->counter('stray_frames_total') - $before, 3,
	    "-w $workers: frames of an agent to clients that are not its own are counted";
	is $relay->counter('bad_agent_frames_total') - $bad_before, 5,
	    "-w $workers: frames of an agent that are no JSON object are counted";

	my $deflate = $relay->ws(path => '/ws/input',
		headers => { 'sec-websocket-extensions' => 'permessage-deflate' });
	ok !$deflate->{head}{header}{'sec-websocket-extensions'},
	    "-w $workers: permessage-deflate is declined";
	$relay->stop;

	# Over the limit.
	$relay = CoRelay->start(workers => $workers, args => ['-o', 'max_frame=1']);
	$agent = $relay->agent;
	$client = $relay->client($agent);
	$its = $agent->next_frame;
	my $other = $relay->client($agent);
	my $its_other = $agent->next_frame;
	$client->send_text('{"type":"INPUT","prompt":"' . 'x' x $MB . '"}');
	is $client->wait_close, 1009, "-w $workers: a client with a frame over max_frame is closed";
	is_deeply [@{ $agent->next_frame }{qw(type conn_id)}], ['close', $its->{conn_id}],
	    "-w $workers: nothing of the long frame reaches the agent";
	$agent->answer($its_other, type => 'OUTPUT', n => 1);
	is $other->next_frame->{n}, 1, "-w $workers: other clients notice nothing of the long frame";
	$agent->send_text('{"type":"OUTPUT","result":"' . 'x' x $MB . '"}');
	is $agent->wait_close, 1009, "-w $workers: an agent with a frame over max_frame is closed";
	is $other->wait_close, 1012, "-w $workers: and so are its clients";
	$relay->stop;
}
done_testing;
