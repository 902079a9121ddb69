#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# INPUT: who may say it, what runs, and that each turn has one end.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(source wait_for);
use JSON::PP;
use Sign qw(:all);
use Test::More;

my $json = JSON::PP->new->utf8->canonical;
my $anna = key_new();

sub puppet { return CoHost->start(agent => 'exec:perl ' . source('t/agents/puppet.pl'), @_) }

# What the server knows of a session, for who has to find out what went wrong.
sub state_of {
	my ($host, $id) = @_;
	my $c = $host->client;
	my $text = $host->http(GET => "/sessions/$id")->{body} . "\n";
	$c->send(GET => "/sessions/$id/events?from=0", { accept => 'text/event-stream' });
	$c->head;
	while (my $e = $c->event(2)) { $text .= "$e->{id} $e->{event} $e->{data}\n" }
	return $text;
}

# What a socket is told about one frame.
sub told {
	my ($ws, $frame) = @_;
	$ws->send_json($frame);
	return $ws->next(type => ['OUTPUT', 'ERROR', 'RUNTIME_INPUT_ACK']);
}

# ---- before CONNECT ----

my %yaml = (
	open => "trust: open\n", strict => "trust: strict\n", careful => "trust: careful\n",
	gated => "trust: careful\n",
);
for my $trust (sort keys %yaml) {
	my $host = CoHost->start(yaml => $yaml{$trust}, workers => 2,
		$trust eq 'gated' ? (env => { CO_INVITE_CODE => 'sesame' }) : ());
	my $f = told($host->ws, { type => 'INPUT', prompt => 'echo bare' });
	if ($trust =~ /^(?:open|careful)$/) {
		is $f->{result}, 'bare', "a bare INPUT runs under $trust";
	} else {
		is_deeply $f, { type => 'ERROR', message => 'authenticate first (send CONNECT)' },
		    "a bare INPUT is refused where trust is $trust";
		is $host->metric('cohostd_inputs_accepted_total'), 0,
		    "no turn runs for a bare INPUT under $trust";
	}
	$host->stop;
}

# ---- the prompt ----

my $host = CoHost->start;
my $ws = $host->ws(session => {});
for my $prompt ('""', 'null', '5', '["x"]', '{}', 'true', undef) {
	my $member = defined $prompt ? qq(,"prompt":$prompt) : '';
	$ws->send_text(qq({"type":"INPUT"$member}));
	is $ws->next(type => ['ERROR', 'OUTPUT'])->{message}, 'prompt required',
	    'a prompt that is no text is refused: ' . ($prompt // 'none');
}

my $v1 = $host->ws;
$v1->send_json(connect_frame($anna, $host, session_id => 'v1'));
$v1->next(type => 'CONNECTED');
my $signed = sub {
	my ($prompt) = @_;
	return { type => 'INPUT', prompt => 'echo unsigned',
		%{ sign_payload($anna, { prompt => $prompt }) } };
};
is told($v1, $signed->('echo signed'))->{result}, 'signed',
    'the signed prompt of a v1 INPUT runs';
my $before = $host->metric('cohostd_inputs_accepted_total');
my $bad = $signed->('echo forged');
substr($bad->{signature}, 9, 1) =~ tr/0-9a-f/1-9a-f0/;
is told($v1, $bad)->{message}, 'unauthorized: invalid signature',
    'a v1 INPUT with a wrong signature is refused';
is_deeply [$v1->settle], [], 'a v1 INPUT with a wrong signature does not run';
is $host->metric('cohostd_inputs_accepted_total'), $before,
    'a v1 INPUT with a wrong signature is not accepted';

# ---- one turn after the other ----

my $pair = $host->ws(session => { session_id => 'pair' });
for my $word (qw(one two)) {
	my @all = $pair->turn("echo $word");
	is "$all[-1]{result} $all[-1]{session_id}", "$word pair",
	    'a socket has turn after turn in one session';
}
my $look = $host->ws(session => { session_id => 'pair' });
my @wrong;
for my $n (1 .. 150) {
	my $speaker = $n % 3 ? $pair : $look;
	my $other = $n % 3 ? $look : $pair;
	my $end = told($speaker, { type => 'INPUT', prompt => "echo $n" });
	push @wrong, $end if $end->{type} ne 'OUTPUT' || $end->{result} ne $n;
	my $same = $other->next(type => ['OUTPUT', 'ERROR']);
	push @wrong, $same if $same->{type} ne 'OUTPUT' || $same->{result} ne $n;
}
is_deeply \@wrong, [], 'an INPUT at the moment of OUTPUT begins a new turn';
is_deeply [grep { $_->{type} =~ /OUTPUT|ERROR/ } map { $_->settle } $pair, $look], [],
    'each of 150 turns has one end on each socket';

# ---- unknown frames ----

my $busy = $host->ws(session => {});
is told($busy, { type => 'FOO' })->{message}, q(unknown message type: 'FOO'),
    'an unknown type is an error while no turn runs';
$busy->send_json({ type => 'INPUT', prompt => 'ask Well?' });
$busy->next(type => 'ask_user');
$busy->send_json({ type => 'FOO' });
is_deeply [$busy->settle], [], 'an unknown type is ignored while a turn runs';
$busy->send_json({ type => 'ASK_USER_RESPONSE', answer => 'well' });
is $busy->next(type => ['OUTPUT', 'ERROR'])->{result}, 'You answered: well',
    'the turn ends well after a frame of unknown type';

# ---- runtime input ----

# Short turns, and prompts that come as these end: each is taken up by the turn that it was
# acknowledged for, or has a turn of its own.
my @rush = map { $host->ws(session => { session_id => 'rush' }) } 1 .. 4;
my (%acked, %taken, %shown);
my $note = sub {
	my ($f) = @_;
	return if $f->{type} ne 'user_input';
	$shown{ $f->{content} }++;
	$taken{ $f->{id} } = $f->{content} if $f->{runtime_input};
};
for my $round (1 .. 30) {
	my $prompt = sub { 'think ' . (4 * $round + $_[0]) };
	$rush[$_]->send_json({ type => 'INPUT', prompt => $prompt->($_),
		input_id => "$round-$_" }) for 0 .. 3;
	for my $n (0 .. 3) {
		while (1) {
			my $f = $rush[$n]->next or die "no answer to $round-$n\n";
			$note->($f) unless $n;
			$acked{ $f->{id} } = $prompt->($n) if $f->{type} eq 'RUNTIME_INPUT_ACK';
			push @wrong, $f if $f->{type} eq 'ERROR';
			last if $f->{type} =~ /^(?:RUNTIME_INPUT_ACK|ERROR)$/
			    || $f->{type} eq 'OUTPUT' && ($f->{input_id} // '') eq "$round-$n";
		}
	}
}
ok wait_for(10, sub { $host->metric('cohostd_runs') == 0 }), 'all turns ended';
$note->($_) for $rush[0]->settle;
is_deeply \@wrong, [], 'no INPUT during a turn is refused';
is_deeply \%shown, { map { ("think $_" => 1) } 4 .. 123 },
    'each INPUT during a turn runs once, as part of it or as the next turn';
is_deeply { map { $_ => $taken{$_} } grep { $acked{$_} } keys %taken },
    { map { $_ => $acked{$_} } grep { $acked{$_} } keys %taken },
    'an acknowledged INPUT is taken up under its acknowledged id';

my $running = $host->ws(session => {});
$running->send_json({ type => 'INPUT', prompt => 'ask Well?' });
$running->next(type => 'ask_user');
my $refusal = told($running, { type => 'INPUT', prompt => 'and this',
	files => [{ name => 'a.txt', data => 'eA==' }] });
is_deeply { map { $_ => $refusal->{$_} } qw(code message retryable) }, {
	code => 'RUNTIME_INPUT_REJECTED', retryable => JSON::PP::true,
	message => 'running turn is not accepting runtime input; retry after OUTPUT',
}, 'an INPUT with files during a turn is refused as retryable';
is told($running, { type => 'INPUT', prompt => 'well' })->{type}, 'RUNTIME_INPUT_ACK',
    'a turn goes on after it refused an INPUT';
$running->all_until('OUTPUT');
$host->stop;

# ---- turns that fail ----

$host = puppet(workers => 4);
my $prompt = $json->encode(['listen', { type => 'ERROR', message => 'no' }]);
my $fail = $host->ws(session => { session_id => 'fails' });
$fail->send_json({ type => 'INPUT', prompt => $prompt });
$fail->next(type => 'user_input');
my @back = map { $host->ws(session => { session_id => 'fails' }) } 1 .. 4;
is $_->connected->{status}, 'running', 'a socket attaches to a turn that will fail' for @back;
is told($fail, { type => 'INPUT', prompt => 'fail now' })->{type}, 'RUNTIME_INPUT_ACK',
    'a turn that will fail takes one more INPUT';
for my $c ($fail, @back) {
	my $f = $c->next(type => ['ERROR', 'OUTPUT']);
	is "$f->{code} $f->{message}", '-32603 Unable to run agent',
	    'every socket is told the ERROR of a failed turn';
}
my $status = sub {
	$fail->send_json({ type => 'SESSION_STATUS', session => { session_id => 'fails' } });
	return $fail->next(type => 'SESSION_STATUS')->{status};
};
is $status->(), 'connected', 'a session is connected after a failed turn';

# The ERROR has no id: only the client knows whether it has seen it.
my ($last) = state_of($host, 'fails') =~ /.*"id":"([^"]+)"/s;
for my $awaits (0, 1) {
	my $c = $host->ws(session => { session_id => 'fails', last_msg_id => $last,
		$awaits ? (awaits_end => JSON::PP::true) : () });
	is $c->connected->{status}, $awaits ? 'running' : 'connected',
	    'a failed turn is shown as running ' . ($awaits ? 'to a client that waits' : 'to no other client')
	    . ($awaits ? ' for its end' : '');
	is $c->next(type => ['ERROR', 'OUTPUT'])->{message}, 'Unable to run agent',
	    'the ERROR of a failed turn is told again to a client that waits for it' if $awaits;
}


$fail->send_json({ type => 'INPUT', prompt => $json->encode(['listen', 'die']) });
$fail->next(type => 'user_input');
is $status->(), 'running', 'a session is running while its turn waits';
$fail->send_json({ type => 'INPUT', prompt => 'die now' });
my $f = $fail->next(type => ['ERROR', 'OUTPUT']);
is "$f->{code} $f->{message} $f->{reason}", '-32603 Unable to run agent killed',
    'a turn whose process is killed ends in an ERROR';
is $host->http(GET => '/sessions/fails')->{json}{status}, 'failed',
    'the record of a turn whose process was killed is failed';
is told($fail, { type => 'INPUT', prompt => 'go on' })->{result}, 'go on',
    'a session takes inputs after its process was killed';
$host->stop;

# ---- one turn at a time ----

my $dir = File::Temp->newdir(TMPDIR => 1);
$prompt = $json->encode([['lock', "$dir/lock"], ('listen') x 11]);
$host = puppet(clock => 1);
my @many = map { $host->ws(session => { session_id => 'single' }) } 1 .. 12;
$_->send_json({ type => 'INPUT', prompt => $prompt }) for @many;
my %answers;
$answers{ $_->next(type => ['RUNTIME_INPUT_ACK', 'OUTPUT', 'ERROR'])->{type} }++ for @many;
is_deeply \%answers, { RUNTIME_INPUT_ACK => 11, OUTPUT => 1 },
    'one of twelve INPUTs at once begins the turn, on whichever worker'
    or diag state_of($host, 'single');
is $host->metric('cohostd_runs_done_total'), 1, 'twelve INPUTs at once run one turn';

$prompt = $json->encode([['lock', "$dir/lock"], 'listen']);
my ($left, $next) = @many;
$_->settle for $left, $next;
$left->send_json({ type => 'INPUT', prompt => $prompt });
$left->next(type => 'user_input');
$host->pass(3601);
is $left->next(type => 'ERROR')->{reason}, 'stuck', 'a stuck turn ends in an ERROR';
$next->settle;
$next->send_json({ type => 'INPUT', prompt => $prompt });
$next->next(type => 'user_input');
$next->send_json({ type => 'INPUT', prompt => 'go on' });
my @all = $next->all_until('OUTPUT', 'ERROR');
is_deeply [map { $_->{type} } grep { $_->{type} eq 'overlap' } @all], [],
    'a stuck turn never runs beside the next one';
is $all[-1]{result}, 'done', 'the turn after a stuck one ends well';
$host->stop;
done_testing;
