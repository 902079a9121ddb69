#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A conversation of OpenHands on four workers: what clients are told and what they may do, over
# WebSockets and by polling, together with clients of the ConnectOnion protocol.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use SIO;
use Test::More;

my $host = CoHost->start(workers => 4);

sub join_in {
	my ($kind, $id, %more) = @_;
	my $c = SIO->$kind($host, conversation_id => $id, %more);
	$c->connect =~ /^40/ or die "not connected\n";
	return $c;
}

sub say_to {
	my ($c, $text) = @_;
	$c->emit(oh_user_action => { type => 'message', source => 'user', message => $text });
}

sub state_of { return $_[0]{extras} ? $_[0]{extras}{agent_state} // '' : '' }

# Wait until the agent is in a state after the last event.
sub until_state {
	my ($c, $state) = @_;
	return $c->event(sub { state_of($_[0]) eq $state });
}

# Wait for the end of a turn.
sub until_idle {
	my ($c) = @_;
	until_state($c, 'running');
	return until_state($c, 'awaiting_user_input');
}

sub ids { return join ' ', map { $_->{id} } @_ }

# What the newest event says of an action or observation.
sub newest {
	my ($c, $key, $value) = @_;
	return (grep { ($_->{$key} // '') eq $value } $c->events)[-1];
}

# ---- a turn ----

my $c = join_in(websocket => 'talk', latest_event_id => -1);
my $watcher = join_in(polling => 'talk', latest_event_id => -1);
say_to($c, 'What is 42 * 17?');
until_idle($_) for $c, $watcher;
my @events = $c->events;
my $said = (grep { ($_->{action} // '') eq 'message' && $_->{source} eq 'agent' } @events)[-1];
is $said->{message}, 'The result of 42 * 17 is 714.', 'A64: the agent says its result';
is $said->{type}, 'message', 'A64: it is of the type message';
is $said->{args}{content}, $said->{message}, 'A64: the message is its content';
is scalar(grep { ($_->{message} // '') eq $said->{message} } @events), 1,
    'a result that the agent has said is not said again';
my $user = newest($c, source => 'user');
is $user->{message}, 'What is 42 * 17?', 'A75: an action is echoed to its sender';
is scalar(grep { !defined $_->{id} || !defined $_->{source} || !defined $_->{timestamp}
	|| !defined $_->{message} } @events), 0, 'A60: each event has id, source, timestamp and message';
is scalar(grep { $_->{id} !~ /^\d+$/ } @events), 0, 'A61: ids are decimal';
is scalar(grep { $_->{source} !~ /^(?:user|agent)$/ } @events), 0, 'A63: a source is user or agent';
is ids(@events), "@{[0 .. $#events]}", 'A46: ids are consecutive, from 0';
is_deeply [map { $_->{timestamp} } @events[1 .. $#events]],
    [sort map { $_->{timestamp} } @events[1 .. $#events]], 'A67: so do times';
is scalar(grep { $_->{timestamp} !~ /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/ } @events), 0,
    'A67: a timestamp is one of ISO 8601';
my ($call) = grep { ($_->{action} // '') eq 'call_tool_mcp' && !$_->{observation} } @events;
my ($result) = grep { $_->{observation} && $_->{observation} eq 'mcp' } @events;
is $result->{cause}, $call->{id}, 'A62: an observation names its action';
is $result->{result}, '714', 'A65: an observation carries the result with its action';
is_deeply $result->{args}, $call->{args}, 'A65: it repeats what was done';
is ids(grep { $_->{id} > 0 } $watcher->events), ids(grep { $_->{id} > 0 } @events),
    'A54: two clients on two transports get the same events';

# ---- coming back ----

for my $kind (qw(websocket polling)) {
	my $all = join_in($kind => 'talk');
	until_state($all, 'awaiting_user_input');
	my @all = $all->events;
	is scalar(grep { state_of($_) } @all), 1, "A48: a replay has one state of the agent ($kind)";
	ok state_of($all[-1]), "A48: the state comes last ($kind)";
	is ids(@all[0 .. $#all - 1]), ids(grep { $_->{id} > 0 && !state_of($_) } @events),
	    "A45: a client without a last id gets all ($kind)";
	my $back = join_in($kind => 'talk', latest_event_id => $call->{id});
	until_state($back, 'awaiting_user_input');
	is +($back->events)[0]{id}, $result->{id}, "A46: a client gets what follows its last id ($kind)";
	is +($back->events)[0]{cause}, $call->{id},
	    "A62: an observation names an action that was seen before ($kind)";
	$back = join_in($kind => 'talk', latest_event_id => $events[-1]{id});
	$back->send('421["x"]');
	like $back->next, qr/^431/, "A47: a client with the last id gets nothing ($kind)";
}
my $ui = join_in(websocket => 'talk', session_api_key => 'null');
until_state($ui, 'awaiting_user_input');
my ($number) = grep { $_->{observation} && $_->{observation} eq 'mcp' } $ui->events;
like(JSON::PP->new->encode([$number->{id}, $number->{cause}]), qr/^\[\d+,\d+\]$/,
    'A61, A62: the web page gets ids that are numbers');
ok !exists $number->{action}, 'A66: it gets observations that have no action';

# ---- questions ----

say_to($c, 'ask Which?|red|green');
until_state($c, 'running');
until_state($c, 'awaiting_user_input');
my $question = newest($c, source => 'agent');
($question) = (grep { ($_->{args} || {})->{wait_for_response} } $c->events)[-1];
is $question->{message}, "Which?\n1. red\n2. green", 'A72: a question comes with its options';
is_deeply $question->{args}{options}, [qw(red green)], 'A72: the options are there as a list';
say_to($c, 'red');
until_idle($c);
is newest($c, source => 'user')->{message}, 'red', 'A72: the next message is its answer';

say_to($c, 'ask Which?|red|green');
until_state($c, 'running');
until_state($c, 'awaiting_user_input');
say_to($c, '2');
until_idle($c);
is newest($c, source => 'user')->{message}, 'green', 'A72: a number alone is the option with that number';
say_to($c, 'ask Which?|2|1');
until_state($c, 'running');
until_state($c, 'awaiting_user_input');
say_to($c, '2');
until_idle($c);
is newest($c, source => 'user')->{message}, '2', 'A72: a number that is an option is that option';

for my $wish (qw(user_confirmed user_rejected)) {
	say_to($c, 'approve bash');
	until_state($c, 'awaiting_user_confirmation');
	my $action = $c->event(sub { ($_[0]{args} || {})->{confirmation_state} });
	is $action->{args}{confirmation_state}, 'awaiting_confirmation',
	    "A70: an action awaits its confirmation ($wish)";
	$c->emit(oh_action => { action => 'change_agent_state', args => { agent_state => $wish } });
	$c->event(sub { ($_[0]{action} // '') eq 'change_agent_state' });
	until_idle($c);
	is !!newest($c, observation => 'user_rejected'), $wish eq 'user_rejected',
	    "A71, A78: $wish is done";
}

say_to($c, 'plan Dig|Fill');
until_state($c, 'running');
until_state($c, 'awaiting_user_input');
say_to($c, 'looks good');
until_idle($c);
is newest($c, source => 'user')->{message}, 'looks good', 'a message about a plan is its review';

# ---- other actions ----

say_to($c, 'sleep 60000');
until_state($c, 'running');
$c->emit(oh_user_action => { action => 'change_agent_state', args => { agent_state => 'stopped' } });
is state_of($c->event(sub { state_of($_[0]) })), 'stopped', 'A74: a turn can be stopped';
say_to($c, 'echo go on');
until_idle($c);
is newest($c, source => 'agent')->{extras}{agent_state}, 'awaiting_user_input',
    'A69: a conversation goes on after that: running, then awaiting_user_input';
say_to($c, 'sleep 60000');
until_state($c, 'running');
$c->emit(oh_user_action => { action => 'change_agent_state', args => { agent_state => 'paused' } });
my $paused = $c->event(sub { state_of($_[0]) });
is state_of($paused), 'paused', 'a turn can be paused';
is newest($c, action => 'change_agent_state')->{args}{agent_state}, 'paused', 'a pause is shown as the wish to pause';
for my $kind (qw(websocket polling)) {
	my $late = join_in($kind => 'talk', latest_event_id => -1);
	is $late->event(sub { state_of($_[0]) eq 'paused' })->{id}, $paused->{id},
	    "a replay by a $kind ends with the same state paused";
}
say_to($c, 'echo go on after the pause');
until_idle($c);
is newest($c, source => 'agent')->{extras}{agent_state}, 'awaiting_user_input', 'a conversation goes on after a pause';
for my $bad ({ type => 'nothing' }, 'text', { action => 'run', args => { command => 'ls' } },
    { type => 'message' }, { action => 'message', args => { content => 5 } }) {
	$c->emit(oh_user_action => $bad);
	my $error = $c->event(sub { $_[0]{error} });
	ok $error->{message} && !exists $error->{id}, 'A79: a bad action is told to its sender';
}
$c->send('429["oh_user_action",{"type":"message","message":"fail the secret is 1234"}]');
my $ack = '';
while (defined(my $p = $c->next)) {
	push @{ $c->{events} }, JSON::PP->new->utf8->decode(substr $p, 2)->[1] if $p =~ /^42/;
	$ack = $p if $p =~ /^43/;
	last if $p =~ /"agent_state":"error"/;
}
is $ack, '439[]', 'A34: an action is acknowledged';
my $failed = (grep { state_of($_) eq 'error' } $c->events)[-1];
ok $failed && $failed->{extras}{reason} ne '', 'A73: a failure has its reason';

# ---- what else a message may be ----

$c = join_in(polling => 'forms');
my $text = "h\x{e9}llo \x{2603} <b>";
$c->emit(oh_user_action => { action => 'message', id => 77, source => 'agent',
	args => { content => "echo $text", images_urls => [], timestamp => 'now' } });
until_idle($c);
$user = newest($c, source => 'user');
is $user->{message}, "echo $text", 'A42: text that is not ASCII comes back as it was';
ok $user->{id} ne '77' && $user->{source} eq 'user', 'A77, A80: what else a client says is ignored';
$c->emit(oh_user_action => { action => 'message', args => { content => 'echo picture',
	image_urls => ['data:image/png;base64,iVBORw0KGgo='] } });
until_idle($c);
is newest($c, source => 'user')->{message}, 'echo picture', 'A76: a message with an image is taken';
say_to($c, 'stream 30 20');
until_state($c, 'running');
say_to($c, 'and more');
$c->event(sub { ($_[0]{message} // '') eq 'and more' });
until_state($c, 'awaiting_user_input');
is scalar(grep { state_of($_) eq 'running' } $c->events), 3,
    'A81: a message while the agent runs joins its turn';

# ---- with clients of the other protocol ----

my $ws = $host->ws(session => { session_id => 'shared' });
$ws->turn('echo from the other side');
my $both = join_in(polling => 'shared');
until_state($both, 'awaiting_user_input');
ok newest($both, message => 'echo from the other side'),
    'A82: a session of the ConnectOnion protocol is replayed';
say_to($both, 'echo from here');
is $ws->next(type => 'user_input')->{content}, 'echo from here',
    'A82: its client sees what is said over Socket.IO';
$host->stop;
done_testing;
