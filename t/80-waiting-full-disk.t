#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A turn ends while the disk has no room for its end, and prompts had come meanwhile. One
# that the agent took up does not run again when there is room; one that it did not take
# up runs once; and who speaks before there is room is told so.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(source wait_for write_file);
use Fault;
use JSON::PP;
use POSIX qw(ENOSPC);
use Test::More;

my $json = JSON::PP->new->canonical;
my $dir = CoHost::directory();
my $disk = Fault->new($dir);
my $host = CoHost->start(agent => 'exec:perl ' . source('t/agents/puppet.pl'), dir => $dir,
	workers => 2, env => { $disk->env });

# A turn that waits for its gate, then does these steps, and a prompt that comes meanwhile;
# then it ends without room.
sub end_without_room {
	my ($id, @steps) = @_;
	my $ws = $host->ws(session => { session_id => $id });
	$ws->send_json({ type => 'INPUT', input_id => 'first', prompt => $json->encode(
		[{ type => 'thinking', content => 'first' }, ['until', "$dir/$id"], @steps]) });
	$ws->next(type => 'thinking') or die "no turn\n";
	$ws->send_json({ type => 'INPUT', input_id => 'second', prompt => 'later' });
	is $ws->next(type => ['RUNTIME_INPUT_ACK', 'ERROR'])->{type}, 'RUNTIME_INPUT_ACK',
	    "$id: a prompt is acknowledged";
	$disk->fail('facts.mdb', data => ENOSPC);
	write_file("$dir/$id", '');
	is $ws->next(type => ['OUTPUT', 'ERROR'])->{result}, 'one', "$id: the turn ends";
	return;
}

sub post {
	my ($id, $name, $prompt) = @_;
	return $host->http(POST => '/input', {},
		{ prompt => $prompt, input_id => $name, session => { session_id => $id } });
}

# Prompts of the turns that a session had.
sub prompts {
	my ($id) = @_;
	my $c = $host->client;
	$c->send(GET => "/sessions/$id/events?from=0");
	$c->head;
	my @prompts;
	while (my $e = $c->event) {
		push @prompts, $e->{json}{prompt} if $e->{type} eq 'input';
	}
	return @prompts;
}

end_without_room('taken', 'listen', { type => 'OUTPUT', result => 'one' });
$disk->heal;
ok wait_for(20, sub { (post('taken', 'second', 'later')->{json}{result} // '') eq 'one' }),
    'taken: with room its name answers what its turn answered';
is post('taken', 'third', 'next')->{json}{result}, 'next', 'taken: the session goes on';
is scalar(grep { $_ eq 'later' } prompts('taken')), 0, 'taken: the input did not run again';

end_without_room('left', { type => 'OUTPUT', result => 'one' });
my $r = post('left', 'third', 'next');
is $r->{status}, 503, 'left: without room another prompt is refused';
is $r->{json}{data}{retryable}, JSON::PP::true, 'left: to be tried again';
$disk->heal;
ok wait_for(20, sub { (post('left', 'third', 'next')->{json}{result} // '') eq 'next' }),
    'left: the input runs when there is room';
my @prompts = prompts('left');
is_deeply [@prompts[1 .. $#prompts]], ['later', 'next'],
    'left: the waiting input ran once, before the next';

# Nobody spoke meanwhile: the next prompt does not overwrite what is not settled.
$disk->heal;
my $ws = $host->ws(session => { session_id => 'alone' });
$ws->send_json({ type => 'INPUT', input_id => 'only', prompt => $json->encode(
	[{ type => 'thinking', content => 'first' }, ['until', "$dir/alone"],
		{ type => 'OUTPUT', result => 'one' }]) });
$ws->next(type => 'thinking') or die "no turn\n";
$disk->fail('facts.mdb', data => ENOSPC);
write_file("$dir/alone", '');
is $ws->next(type => ['OUTPUT', 'ERROR'])->{result}, 'one', 'alone: the turn ends';
$disk->heal;
ok wait_for(20, sub { (post('alone', 'another', 'next')->{json}{result} // '') eq 'next' }),
    'alone: with room the session goes on';
is post('alone', 'only', $json->encode([{ type => 'thinking', content => 'first' },
	['until', "$dir/alone"], { type => 'OUTPUT', result => 'one' }]))->{json}{result}, 'one',
    'alone: the input_id of the turn before gets its result';
$host->stop;
done_testing;
