#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# An agent in C that has only tools: the model of the settings calls them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program run wait_for);
use ScriptedModel;
use Test::More;

# A sanitizer must not turn a signal into an exit.
$ENV{ASAN_OPTIONS} = join ':', grep { $_ } $ENV{ASAN_OPTIONS}, 'handle_segv=0';

my $object = program('co-hostd') =~ s{/co-hostd$}{/t/tools.so}r;
sub call { my ($tool, $args) = @_; return { calls => [ { name => $tool, args => $args } ] } }

my $model = ScriptedModel->start({
	sum => [ call(add => { a => 2, b => 3 }), { text => 'It is 5.' } ],
	wrong => [ call(add => { a => 'x' }), { text => 'I cannot add x.' } ],
	crash => [ call(crash => {}), { text => 'It crashed.' } ],
	large => [ call(large => {}), { text => 'It is large.' } ],
	ask => [ call(ask => {}), { text => 'I know.' } ],
	slow => [ call(sleep => {}), { text => 'It slept.' } ],
});
my $host = $model->host(args => ['-a', "c:$object"],
	yaml => "permissions:\n" . join '', map { "  $_: {allowed: true}\n" } qw(add ask crash large sleep));
my $info = $host->http(GET => '/info')->{json};
is_deeply [ @$info{qw(name model)} ], [ 'tools', 'scripted' ],
    'an agent in C without run() has its name and the model of the settings';
ok scalar(grep { $_ eq 'add' } @{ $info->{tools} }), '/info has the tools of such an agent';

my $ws = $host->ws(session => {});
my @all = $ws->turn('@sum');
is $all[-1]{result}, 'It is 5.', 'a model answers with the help of a tool in C';
my ($result) = grep { $_->{type} eq 'tool_result' } @all;
is_deeply [ @$result{qw(name status result)} ], [ 'add', 'success', '5' ],
    'a model gets the result of a tool in C';
my ($first) = $model->requests;
is $first->{body}{messages}[0]{content}, 'You add.', 'a model gets the system prompt of an agent in C';
my ($offered) = grep { $_->{function}{name} eq 'add' } @{ $first->{body}{tools} };
is_deeply [ @{ $offered->{function} }{qw(description parameters)} ],
    [ 'Add two numbers', { type => 'object' } ], 'a model is offered the tools in C';

for ([ 'wrong', 'error', qr/^a and b must be numbers$/, 'fails' ],
	[ 'crash', 'error', qr/without a result: .*(?:signal|Segmentation)/, 'crashes' ],
	[ 'large', 'success', qr/^x+\n\[the rest of the result was cut\]$/, 'returns too much' ]) {
	my ($word, $status, $text, $words) = @$_;
	@all = $ws->turn("\@$word");
	($result) = grep { $_->{type} eq 'tool_result' } @all;
	is $all[-1]{type}, 'OUTPUT', "a turn whose tool in C $words goes on";
	is $result->{status}, $status, "the model is told the status of a tool in C that $words";
	my ($told) = map { $_->{content} } grep { $_->{role} eq 'tool' }
	    reverse @{ ($model->requests)[-1]{body}{messages} };
	like $told, $text, "the model is told of a tool in C that $words";
}

$ws->send_json({ type => 'INPUT', prompt => '@ask' });
my $question = $ws->next(type => 'ask_user');
is_deeply [ @$question{qw(question options)} ], [ 'Which?', [ 'red', 'blue' ] ],
    'a tool in C that a model calls asks the user';
$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => 'blue' });
is $ws->next(type => 'tool_result')->{result}, 'blue -1',
    'a tool in C that a model calls gets the answer, and cannot ask for approval';
is $ws->next(type => 'OUTPUT')->{result}, 'I know.', 'a turn goes on after a question of a tool in C';

$ws->send_json({ type => 'INPUT', prompt => '@slow' });
$ws->next(type => 'tool_call');
sub sleepers { return grep { /co-agent-c/ } split /\n/, `ps -eo args` =~ s/^(?!.*\Q$object\E).*\n//mgr }
ok wait_for(10, sub { sleepers() }), 'a call of a tool in C has a process';
$ws->send_json({ type => 'INTERRUPT' });
ok $ws->next(type => 'OUTPUT'), 'a turn with a tool in C that does not end is interrupted';
ok wait_for(10, sub { !sleepers() }), 'an interrupt leaves no process of a tool in C';
$host->stop;
done_testing;
