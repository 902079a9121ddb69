#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A prompt that was acknowledged while a turn ran, and that the agent did not take up,
# begins the next turn, however this one ended.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(source wait_for write_file);
use JSON::PP;
use Test::More;

my $json = JSON::PP->new->canonical;
my $dir = CoHost::directory();
my $host = CoHost->start(agent => 'exec:perl ' . source('t/agents/puppet.pl'), dir => $dir);
my $n = 0;

# A turn that waits for its gate, then does these steps; its client, session and gate.
sub hold {
	my (@steps) = @_;
	my %s = (id => 'join' . ++$n, gate => "$dir/gate$n");
	$s{ws} = $host->ws(session => { session_id => $s{id} });
	$s{ws}->send_json({ type => 'INPUT', input_id => 'first', prompt => $json->encode(
		[{ type => 'thinking', content => 'first' }, ['until', $s{gate}], @steps]) });
	$s{ws}->next(type => 'thinking') or die "no turn\n";
	return \%s;
}

# Say more to the turn that runs; the id it is acknowledged with.
sub more {
	my ($ws, $prompt, %o) = @_;
	$ws->send_json({ type => 'INPUT', prompt => $prompt, %o });
	my $ack = $ws->next(type => ['RUNTIME_INPUT_ACK', 'ERROR', 'OUTPUT']);
	is $ack->{type}, 'RUNTIME_INPUT_ACK', "'$prompt' is acknowledged";
	return $ack->{id};
}

sub open_gate { write_file($_[0]{gate}, '') }

# How one of the names answers now, on a connection of its own.
sub answer_of {
	my ($s, $prompt, $name) = @_;
	my $ws = $host->ws(session => { session_id => $s->{id} });
	$ws->send_json({ type => 'INPUT', prompt => $prompt, input_id => $name });
	my $f = $ws->next(type => ['OUTPUT', 'ERROR', 'RUNTIME_INPUT_ACK']);
	$ws->close;
	return $f;
}

# Journal events of a session.
sub journal {
	my ($id) = @_;
	my $c = $host->client;
	$c->send(GET => "/sessions/$id/events?from=0");
	$c->head;
	my @events;
	while (my $e = $c->event) { push @events, $e }
	return @events;
}

# The second turn of a session whose first one ended somehow.
sub check_next {
	my ($s, $id, $how) = @_;
	my @all = $s->{ws}->all_until('OUTPUT', 'ERROR');
	is $all[-1]{result}, 'later', "after $how: the prompt has a turn of its own";
	is $all[-1]{input_id}, 'second', "after $how: the turn ends under the name of the input";
	is_deeply [map { $_->{id} } grep { $_->{type} eq 'user_input' } @all], [$id],
	    "after $how: the turn begins with the acknowledged id";
	is answer_of($s, 'later', 'second')->{result}, 'later',
	    "after $how: a repeated input gets its own result";
	is scalar(grep { $_->{type} eq 'input' } journal($s->{id})), 2,
	    "after $how: the input ran once";
	is_deeply [map { $_->{type} } $s->{ws}->settle], [],
	    "after $how: no event follows the end";
}

for my $case (
	['OUTPUT' => { type => 'OUTPUT', result => 'one' }],
	['ERROR' => { type => 'ERROR', message => 'no' }],
	['the death of the agent' => 'die'],
) {
	my ($how, $step) = @$case;
	my $s = hold($step);
	my $id = more($s->{ws}, 'later', input_id => 'second');
	is answer_of($s, 'later', 'second')->{id}, $id,
	    "a repeated waiting input gets the same acknowledgement ($how)";
	open_gate($s);
	my $end = $s->{ws}->next(type => ['OUTPUT', 'ERROR']);
	is $end->{input_id}, 'first', "$how ends the first turn";
	check_next($s, $id, $how);
}

{
	my $s = hold({ type => 'OUTPUT', result => 'one' });
	my $id = more($s->{ws}, 'later', input_id => 'second');
	my $r = $host->http(POST => '/input', {}, { prompt => 'later', input_id => 'second',
		session => { session_id => $s->{id} } });
	is $r->{status}, 409, 'POST of an input that waits is refused with 409';
	my ($owner) = map { /^(\d+)/ ? $1 : () } grep { 1 } owner_of($s->{id});
	ok $owner, 'one worker owns the turn';
	kill KILL => $owner;
	$s->{ws}->close;
	ok wait_for(15, sub { eval { $s->{ws} = $host->ws(session => { session_id => $s->{id} }) } }),
	    'clients connect again when the worker is killed';
	ok wait_for(15, sub { (answer_of($s, 'later', 'second')->{result} // '') eq 'later' }),
	    'after the death of the worker: the prompt has a turn of its own';
	my @events = journal($s->{id});
	is_deeply [grep { /^(?:done|failed)$/ } map { $_->{type} } @events], ['failed', 'done'],
	    'the death of the worker leaves one end for each turn';
}

# The worker whose co-turn has the agent that waits for this session's gate.
sub owner_of {
	my %parent;
	for my $p (glob '/proc/[0-9]*') {
		my $stat = CoHost::read_file("$p/stat") or next;
		$parent{$1} = [$2, $stat] if $stat =~ /^(\d+) .*\) \S (\d+)/;
	}
	my %is_worker = map { $_ => 1 } $host->workers;
	my @found;
	for my $pid (keys %parent) {
		my $line = CoHost::read_file("/proc/$pid/cmdline") // '';
		next unless $line =~ /puppet/;
		my $p = $pid;
		$p = $parent{$p}[0] while $parent{$p} && !$is_worker{$p};
		push @found, $p if $is_worker{$p};
	}
	return @found;
}

{
	my $s = hold('listen', { type => 'OUTPUT', result => 'both' });
	my $id = more($s->{ws}, 'taken', input_id => 'second');
	open_gate($s);
	my @all = $s->{ws}->all_until('OUTPUT', 'ERROR');
	is_deeply [map { $_->{id} } grep { $_->{type} eq 'user_input' } @all], [$id],
	    'an input taken up by the agent has its acknowledged id';
	is $all[-1]{result}, 'both', 'an input taken up by the agent ends with its turn';
	is answer_of($s, 'taken', 'second')->{result}, 'both',
	    'a repeated input that was taken up gets the result of that turn';
	my @events = journal($s->{id});
	is scalar(grep { $_->{type} eq 'input' } @events), 1,
	    'an input taken up by the agent has no other turn';
}

{
	my $s = hold('listen', 'listen', { type => 'OUTPUT', result => 'stopped' });
	my $id = more($s->{ws}, 'before', input_id => 'before');
	$s->{ws}->send_json({ type => 'INTERRUPT' });
	my $after = more($s->{ws}, 'after', input_id => 'after');
	my @all = $s->{ws}->all_until('OUTPUT', 'ERROR');
	is_deeply [map { "$_->{id} $_->{reason}" } grep { $_->{type} eq 'input_dropped' } @all],
	    ["$id interrupted"], 'INTERRUPT drops the input that waited before it';
	is $all[-1]{result}, 'What would you like me to do?', 'INTERRUPT ends the running turn';
	my $f = answer_of($s, 'before', 'before');
	is "$f->{type} $f->{reason}", 'ERROR interrupted',
	    'a repeated input that was dropped gets an ERROR';
	@all = $s->{ws}->all_until('OUTPUT', 'ERROR');
	is $all[-1]{result}, 'after', 'an input after INTERRUPT has a turn of its own';
	is scalar(grep { $_->{type} eq 'input' } journal($s->{id})), 2,
	    'an input dropped by INTERRUPT has no turn';
}

{
	my $s = hold({ type => 'OUTPUT', result => 'one' });
	more($s->{ws}, "later $_", input_id => "n$_") for 1 .. 3;
	open_gate($s);
	is_deeply [map { ($s->{ws}->all_until('OUTPUT', 'ERROR'))[-1]{result} } 1 .. 4],
	    ['one', map { "later $_" } 1 .. 3], 'several have a turn each, in order';
}
$host->stop;

# ---- the whole server dies ----

$host = CoHost->start(agent => 'exec:perl ' . source('t/agents/puppet.pl'), dir => $dir);
my $s = hold({ type => 'OUTPUT', result => 'one' });
more($s->{ws}, 'later', input_id => 'second');
my %children = $host->children;
kill KILL => $host->pid, keys %children;
$host->wait_exit;
unlink glob "$dir/.co/store/journal*"; # as after a crash of the machine
$host = CoHost->start(agent => 'exec:perl ' . source('t/agents/puppet.pl'), dir => $dir,
	args => ['-o', 'max_waiting=2']);
ok wait_for(15, sub { (answer_of($s, 'later', 'second')->{reason} // '') eq 'interrupted' }),
    'an input that waits is reported as failed when the journal is lost';
is scalar(grep { $_->{type} eq 'input_dropped' } journal($s->{id})), 1,
    'an input that waits is reported as dropped once when the journal is lost';

$s = hold({ type => 'OUTPUT', result => 'one' });
more($s->{ws}, "later $_", input_id => "n$_") for 1 .. 2;
$s->{ws}->send_json({ type => 'INPUT', prompt => 'later', input_id => 'n3' });
my $f = $s->{ws}->next(type => ['RUNTIME_INPUT_ACK', 'ERROR']);
is $f->{code}, 'RUNTIME_INPUT_REJECTED', 'inputs above max_waiting are refused';
like $f->{message}, qr/max: 2.*max_waiting/, 'the refusal of a waiting input names max_waiting';
%children = $host->children;
kill KILL => $host->pid, keys %children;
$host->wait_exit;
$host = CoHost->start(agent => 'exec:perl ' . source('t/agents/puppet.pl'), dir => $dir);
ok wait_for(15, sub { (answer_of($s, 'later 2', 'n2')->{result} // '') eq 'later 2' }),
    'waiting inputs run after the death of all processes';
is_deeply [grep { /^(?:done|failed)$/ } map { $_->{type} } journal($s->{id})],
    ['failed', 'done', 'done'], 'each waiting input has one end after the death of all processes';
$host->stop;
done_testing;
