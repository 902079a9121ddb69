#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Socket.IO 5 on four workers: how clients connect, are refused, get acks and leave, and what
# happens to packets that no client should send.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use SIO;
use Test::More;

my $host = CoHost->start(workers => 4);
my $n = 0;

sub query { return (conversation_id => 'sio-' . ++$n, @_) }

# A client of each kind; a title of both begins with its name.
sub both {
	my ($test) = @_;
	for my $kind (qw(websocket polling)) {
		$test->($kind, sub { return SIO->$kind($host, query(@_)) });
	}
}

# The next packet that fits; '' at the deadline.
sub packet {
	my ($c, $fits, $timeout) = @_;
	while (defined(my $p = $c->next($timeout // 20))) {
		return $p if $p =~ $fits;
	}
	return '';
}

both(sub {
	my ($kind, $new) = @_;
	my $c = $new->();
	$c->connect =~ /^40\{"sid":"([^"]+)"\}$/;
	my $sid = $1;
	ok $sid, "A29: a client is connected ($kind)";
	isnt $sid, $c->sid, "A29: its sid is not that of Engine.IO ($kind)";
	$c->event(sub { $_[0]{extras}{agent_state} eq 'awaiting_user_input' });
	pass "A52: a new conversation awaits its user ($kind)";
	$c->send('40', '40{}', '421["x"]');
	is $c->next, '431[]', "A32, R3: a second CONNECT is ignored ($kind)";
	$c->send('42["oh_user_action",{"action":"initialize"}]', '429["oh_user_action",{"action":"initialize"}]');
	is $c->next, '439[]', "A33, A34: an action is acknowledged if it has an ack id ($kind)";
	$c->send('42["whatever",1]', '423["whatever",1]');
	is $c->next, '433[]', "A35: an unknown event is ignored, its ack is answered ($kind)";
	$c->send('4218446744073709551616["x"]');
	is $c->next, '4318446744073709551616[]', "R17: an ack id is echoed as it came ($kind)";
	$c->send('40/admin,{"x":1}');
	is $c->next, '44/admin,{"message":"Invalid namespace","data":{}}',
	    "A31: another namespace is refused ($kind)";
	$c->send("424[\"x\"]\n");
	is $c->next, '434[]', "A37: a client goes on after that, with new lines ($kind)";
	$c->send('431["to nothing"]', '425["x"]');
	is $c->next, '435[]', "an ack that nobody wanted is ignored ($kind)";
	$c->emit(oh_user_action => { type => 'message', message => 'hi' });
	$c->event(sub { $_[0]{id} > 0 && ($_[0]{extras}{agent_state} // '') eq 'awaiting_user_input' });
	return if $kind eq 'polling';
	my $other = SIO->websocket($host, conversation_id => "sio-$n");
	$other->connect;
	$c->send('41');
	$other->emit(oh_user_action => { type => 'message', message => 'hi' });
	is packet($c, qr/^42/), '', 'A36: a client that left gets no more events';
	ok $c->ws->closed, 'R21: a client that left is closed';
});

both(sub {
	my ($kind, $new) = @_;
	like $new->()->connect({}), qr/^40\{"sid"/, "A30: CONNECT with an empty object ($kind)";
	like $new->()->connect({ token => 'x' }), qr/^40\{"sid"/,
	    "A30: CONNECT with credentials ($kind)";
	like $new->()->connect({ pid => 'p', offset => 'o' }), qr/^40\{"sid":"[^"]+"\}$/,
	    "R30: CONNECT with a pid, of which the answer has none ($kind)";
	my $c = $new->(conversation_id => '');
	is $c->connect, '44{"message":"No conversation_id in query params","data":{}}',
	    "A44, R2: a client without a conversation is refused ($kind)";
	like $new->(conversation_id => 'a/../b')->connect,
	    qr/^44\{"message":"No conversation_id in query params","data":\{"detail":"conversation_id is not valid: /,
	    "an id of a conversation that looks like a path is refused ($kind)";
	if ($kind eq 'websocket') {
		ok $c->wait_close(5), 'R21: a client that was refused is closed';
	} else {
		ok CoHost::wait_for(10, sub {
			$host->http(GET => $c->path('polling'))->{status} == 400 }),
		    'R21: the session of a client that was refused ends';
	}
	like $new->(latest_event_id => $_)->connect, qr/^40\{"sid"/, "A45: latest_event_id=$_ ($kind)"
	    for qw(undefined null abc 99999999999999999999 -5);
	like $new->(providers_set => $_)->connect, qr/^40\{"sid"/, "A49: providers_set=$_ ($kind)"
	    for '', 'github%2Cgitlab', 'none,,github&providers_set=x';
});

# ---- attachments ----

my $c = SIO->websocket($host, query());
$c->connect;
$c->send('451-7["x",{"_placeholder":true,"num":0}]');
$c->ws->send_frame(2, "\0\1\2");
is packet($c, qr/^43/), '437[]', 'A38: an event with an attachment is answered after it';
$c->send('428["x"]');
is packet($c, qr/^43/), '438[]', 'A38: packets after an attachment are in step';
$c->send('451-["x",{"_placeholder":true,"num":0}]', '42["y"]');
ok $c->wait_close, 'a packet instead of an attachment ends the session';

my $p = SIO->polling($host, query());
$p->connect;
$p->send('452-9["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
$p->send("bAQID\n");
$p->send("bAQ\nID\n", '4210["x"]');
is packet($p, qr/^43/), '439[]', 'R11, R12: attachments may come in other requests';
is packet($p, qr/^43/), '4310[]', 'R12: the packet after them is in step';
is $p->post('bAQID')->{status}, 400, 'an attachment of no packet ends the session';

# ---- clients that only send, or only listen ----

$c = SIO->websocket($host, query());
$c->emit(oh_user_action => { type => 'message', source => 'user', message => 'Hello, agent!' });
like packet($c, qr/^4/), qr/^40\{"sid"/, 'A56: an event before CONNECT connects';
$c->event(sub { ($_[0]{message} // '') eq 'Hello, agent!' });
pass 'A56: that event is done';
$c->send('40', '421["x"]');
is packet($c, qr/^4[03]/), '431[]', 'A59: a later CONNECT is ignored';

my $both = 'sio-' . ++$n;
$c = SIO->websocket($host, conversation_id => $both);
like packet($c, qr/^4/), qr/^40\{"sid"/, 'A57: a client that says nothing is connected';
my $one = SIO->websocket($host, conversation_id => $both);
$one->emit(oh_user_action => { type => 'message', message => 'and gone' });
$one->ws->close;
$c->event(sub { ($_[0]{message} // '') eq 'and gone' });
pass 'A58: an event is done although its client closes at once';

# ---- packets that break the rules ----

for my $bad ('42{', '42["x"', '42["disconnect"]', '49', '4', '451["x"]', '431{}', '41{}', "42[1e999\"") {
	$c = SIO->websocket($host, query());
	$c->connect;
	$c->send($bad);
	ok $c->wait_close, "A39: $bad ends its session";
}
is $host->http(GET => '/health')->{status}, 200, 'A39: the server goes on after bad packets';

ok CoHost::wait_for(10, sub { $host->workers == 4 }), 'no worker was lost';
$host->stop;

# ---- who may come in ----

# The message is the word that clients know; "detail" says what is missing.
my $no = qr/^44\{"message":"invalid_session_api_key","data":\{"detail":"[^"]+"\}\}$/;
$host = CoHost->start(workers => 2, yaml => "trust: strict\n");
both(sub {
	my ($kind, $new) = @_;
	like $new->()->connect, $no, "A50: a stranger is refused by trust: strict ($kind)";
	my $c = $new->();
	$c->emit(oh_user_action => { type => 'message', message => 'hi' });
	like $c->next, $no, "A56: a stranger that only sends is refused ($kind)";
});
$host->stop;

$host = CoHost->start(workers => 2, env => { SESSION_API_KEY => 'open sesame' },
	yaml => "trust: strict\n");
both(sub {
	my ($kind, $new) = @_;
	like $new->()->connect, $no, "A50: a client without the key is refused ($kind)";
	like $new->(session_api_key => 'wrong')->connect({ token => 'open sesam' }), $no,
	    "A50: a client with another key is refused ($kind)";
	like $new->(session_api_key => 'open%20sesame')->connect, qr/^40\{/,
	    "A51: the key may be in the query ($kind)";
	like $new->()->connect({ $_ => 'open sesame' }), qr/^40\{/,
	    "A51: the key may be in the credentials as $_ ($kind)" for qw(token session_api_key);
});
for my $header ([authorization => 'Bearer open sesame'], [cookie => 'a=b; session_api_key=open sesame']) {
	my $ws = $host->ws(path => '/socket.io/?EIO=4&transport=websocket&conversation_id=x',
		headers => { @$header });
	$ws->send_text('40');
	$ws->next_text;
	like $ws->next_text, qr/^40\{/, "A51: the key may be in the header $header->[0]";
}
$host->stop;
done_testing;
