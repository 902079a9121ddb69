#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Clients of Socket.IO that misbehave, on four workers: each is answered as the protocol says,
# costs a bounded amount of memory, and leaves nothing in the shared table.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use HTTP;
use SIO;
use Test::More;

my $host = CoHost->start(workers => 4, clock => 1);
my $n = 0;

sub query { return (conversation_id => 'bad-' . ++$n, @_) }

sub get { return $host->http(GET => $_[0]) }

my $unknown = '{"code":1,"message":"Session ID unknown"}';

sub is_over {
	my ($c, $title) = @_;
	return is get($c->path('polling'))->{body}, $unknown, $title;
}

# The most memory that a worker has ever had, in KB.
sub peak {
	my ($max) = sort { $b <=> $a }
	    map { CoHost::read_file("/proc/$_/status") =~ /^VmHWM:\s+(\d+)/m ? $1 : 0 } $host->workers;
	return $max;
}

sub say_to { $_[0]->emit(oh_user_action => { type => 'message', message => $_[1] }) }

sub idle { return ($_[0]{extras}{agent_state} // '') eq 'awaiting_user_input' }

# ---- sids of others ----

my $other = CoHost->start(workers => 2);
my $foreign = SIO->polling($other, query());
$foreign->{host} = $host;
is get($foreign->path('polling'))->{body}, $unknown, 'a poll with the sid of another server is refused';
is $foreign->post('40')->{body}, $unknown, 'a POST with the sid of another server is refused';
is $host->ws(path => $foreign->path('websocket'))->status, 400,
    'an upgrade with the sid of another server is refused';
$other->stop;

my $victim = SIO->polling($host, query());
$victim->connect;
my $thief = SIO->polling($host, query());
my $own = $thief->{sid};
$thief->{sid} = $victim->sid;
$thief->send('42["oh_user_action",{"type":"message","message":"echo mine"}]');
$victim->event(sub { ($_[0]{message} // '') eq 'mine' });
pass 'a sid belongs to the conversation of its handshake, whatever a later query says';
$thief->{sid} = $own;
$thief->connect;
$thief->event(sub { idle($_[0]) });
is scalar(grep { ($_->{source} // '') eq 'user' } $thief->events), 0,
    'the conversation that a later query names gets nothing';

my $ws = SIO->websocket($host, query());
is $host->ws(path => $ws->path('websocket'))->status, 400,
    'the sid of a client that began with a WebSocket takes no upgrade';
is_over($ws, 'the sid of a client that began with a WebSocket takes no poll');

# ---- too much ----

my $before = peak();
my $p = SIO->polling($host, query());
is $p->post(('3') x 1_000_000)->{status}, 400, 'a body of a million packets is refused';
is_over($p, 'the session of a million packets is over');
$p = SIO->polling($host, query());
$p->connect;
is $p->post((map { "40/n$_," } 1 .. 9000))->{status}, 400,
    'a flood of unknown namespaces by polling is refused when its answers find no room';
is_over($p, 'the session of a flood of namespaces is over');
my $c = SIO->websocket($host, query());
$c->connect;
$c->ws->send_raw(join '', map { WS::frame(1, "40/n$_,") } 1 .. 9000);
my $answers = 0;
while (defined(my $text = $c->next)) {
	$answers++ if $text eq qq(44/n@{[$answers + 1]},{"message":"Invalid namespace","data":{}});
	last if $answers == 9000;
}
is $answers, 9000, 'each of a flood of namespaces over a WebSocket is refused';
$c->send('421["x"]');
is $c->next, '431[]', 'a WebSocket goes on after a flood of namespaces';
$c->send('42/' . 'n' x 300 . ',["x"]');
ok $c->wait_close, 'a namespace of 300 characters ends its session';
ok peak() - $before < 64 * 1024, 'floods of packets cost a worker less than 64 MB'
    or diag peak() - $before, ' KB';

# ---- attachments that do not come ----

$c = SIO->websocket($host, query());
$c->connect;
$c->send('451-["x",{"_placeholder":true,"num":0}]', '3', '2');
$c->send('421["x"]');
ok $c->wait_close, 'a packet in place of an attachment ends its session';
$p = SIO->polling($host, query());
$p->connect;
$p->send('451-["x",{"_placeholder":true,"num":0}]');
is $p->post('421["x"]')->{status}, 400, 'a packet in the next POST in place of an attachment ends its session';
is_over($p, 'the session without its attachment is over');
$p = SIO->polling($host, query());
$p->connect;
is $p->post('4511-["x"]')->{status}, 400, 'an event that announces 11 attachments is refused';

# ---- text that is none ----

$p = SIO->polling($host, query());
$p->connect;
is $p->post("42[\"oh_user_action\",{\"type\":\"message\",\"message\":\"\xff\xfe\"}]")->{status}, 400,
    'an event that is not UTF-8 is refused in a POST';
is_over($p, 'the session of an event that is not UTF-8 is over');
my $nowhere = '44{"message":"No conversation_id in query params","data":{"detail":"conversation_id '
    . 'is not valid: it must have 1 to 100 bytes without control characters, \"/\", \"\\\\\" and \"..\""}}';
$p = SIO->polling($host, conversation_id => '%ff%fe');
is $p->connect, $nowhere, 'an id of a conversation that is not UTF-8 is refused';
$p = SIO->polling($host, conversation_id => 'x' x 101);
is $p->connect, $nowhere, 'an id of a conversation with 101 bytes is refused';

# ---- numbers ----

my $id = 'bad-numbers';
$c = SIO->websocket($host, conversation_id => $id);
$c->connect;
say_to($c, 'echo said');
$c->event(sub { $_[0]{id} > 0 && idle($_[0]) });
my %all = (
	'beyond 2^53' => '9007199254740993', 'beyond 2^63' => '9223372036854775808',
	'beyond 2^64' => '18446744073709551617', 'of 2000 digits' => '9' x 2000,
	'negative' => '-7', 'a fraction' => '1.5', 'with an exponent' => '1e3', 'hexadecimal' => '0x1',
	'empty' => '', 'a word' => 'abc', 'undefined' => 'undefined', 'null' => 'null', 'NaN' => 'NaN',
	'Arabic' => '%D9%A1', 'a list' => '%5B1%5D', 'a number and more' => '1%3B', 'a NUL' => '1%00',
	'a broken escape' => '%zz', 'not UTF-8' => '%ff');
for my $name (sort keys %all) {
	for my $kind (qw(websocket polling)) {
		my $late = SIO->$kind($host, conversation_id => $id, latest_event_id => $all{$name});
		$late->connect;
		$late->event(sub { idle($_[0]) });
		is +($late->events)[0]{source}, 'user',
		    "all events are replayed for a latest_event_id that is no id: $name ($kind)";
	}
}
$c->send('42["oh_user_action",{"type":"message","message":"echo big","id":9007199254740993,"source":"agent"}]');
my $big = $c->event(sub { ($_[0]{message} // '') eq 'echo big' });
isnt $big->{id}, '9007199254740993', 'an id beyond 2^53 in an action is ignored';
$c->event(sub { idle($_[0]) });
$c->send('429007199254740993["x"]');
$c->{in} = [];
is $c->next, '439007199254740993[]', 'an ack id beyond 2^53 is echoed exactly';
$c->send('42' . '1' x 33 . '["x"]');
ok $c->wait_close, 'an ack id of 33 digits ends its session';

# ---- clients that go away without a word ----

my $silent = SIO->websocket($host, query());
$silent->connect;
SIO->polling($host, query())->connect for 1 .. 20;
SIO->polling($host, query()) for 1 .. 20;
my $probing = SIO->polling($host, query());
$probing->connect;
my $probe = $probing->probe;
# Its worker has to look at the clock for the ping, and again for the end.
ok CoHost::wait_for(20, sub { $host->pass(26); defined $silent->wait_close(0.5) }),
    'a WebSocket that never answers a ping is cut';
ok CoHost::wait_for(20, sub { $host->metric('cohostd_polling_sessions') == 0 && $host->metric('cohostd_polling_silent_total') >= 20 }),
    'clients that never poll again leave the table';
ok $host->metric('cohostd_polling_idle_total') >= 20, 'clients that never connect leave the table';
my $ended = 0;
$ended += $host->metric("cohostd_polling_${_}_total") for qw(left broken oversized full silent lost idle);
is $ended, $host->metric('cohostd_polling_opened_total'),
    'each session that polled has ended, for a reason that is counted';
is $host->metric('cohostd_polling_full_total'), 1, 'a session whose answers found no room is counted as such';
is scalar($host->workers), 4, 'no worker was lost to bad clients';
$host->stop;
done_testing;
