#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# An llm agent with tools: calls, approvals, modes, questions, plans, interrupts.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file write_file wait_for);
use JSON::PP ();
use ScriptedModel;
use Sign qw(connect_frame key_new);
use Test::More;

my ($true, $false) = (JSON::PP::true, JSON::PP::false);
sub make { return { name => 'write', args => { path => 'made', content => "$_[0]\n" } } }
sub find { return { name => 'glob', args => { pattern => "*.$_[0]" }, id => $_[0] } }

my $model = ScriptedModel->start({
	look => [ { text => 'I look.', calls => [ { name => 'glob', args => { pattern => '*.txt' } } ] },
		{ text => 'There is one.' } ],
	both => [ { calls => [ find('txt'), find('log') ] }, { text => 'Both.' } ],
	touch => [ { calls => [ make('x') ] }, { text => 'Done.' }, { text => 'More.' } ],
	twice => [ { calls => [ make('x') ] }, { calls => [ make('x') ] }, { text => 'Twice.' } ],
	unknown => [ { calls => [ { name => 'fly away!', args => {} } ] }, { text => 'So not.' } ],
	broken => [ { calls => [ { name => 'glob', args => '{"pattern": ec' } ] }, { text => 'Mended.' } ],
	nan => [ { calls => [ { name => 'glob', args => '{"pattern": NaN}' } ] }, { text => 'Mended.' } ],
	big => [ { calls => [ { name => 'write', args => { _size => 1 << 20 } } ] }, { text => 'Too big.' } ],
	ask => [ { calls => [ { name => 'ask_user', args => { question => 'Which?', options => [ 'red', 'blue' ] } } ] },
		{ text => 'As you like.' } ],
	review => [ { calls => [ { name => 'plan_review', args => { plan => "dig\nbuild" } } ] }, { text => 'Now I dig.' } ],
	bare => [ { calls => [ { name => 'plan_review', args => {} } ] }, { text => 'No plan.' } ],
	plan => [ { calls => [ { name => 'todo', args => { todos => [ { content => 'first', status => 'in_progress' },
		{ content => 'second', status => 'pending' } ] } } ] }, { text => 'Planned.' } ],
	loop => [ map { { calls => [ { name => 'glob', args => { pattern => "$_*" } } ] } } 1 .. 9 ],
	signed => [ { calls => [ { name => 'glob', args => { pattern => '*' },
		more => { extra_content => { google => { thought_signature => "a\x{e9}+/=" } } } } ] }, { text => 'Seen.' } ],
	slow => [ { text => 'never', delay => 600 } ],
});
my $host = $model->host(clock => 1, args => [ '-o', 'full_access_turns=5' ], yaml => <<'EOT');
max_iterations: 5
permissions:
  todo: {allowed: true}
EOT
write_file($host->dir . '/note.txt', "hello\n");

# A contact is asked for approvals; anybody else is refused.
my $anna = key_new();
write_file($host->dir . '/.co/contacts.txt', "$anna->{address}\n");

my $n = 0;

# A client in session N, or in a new one.
sub session {
	my ($number) = @_;
	my $ws = $host->ws;
	$number //= ++$n;
	$ws->send_json(connect_frame($anna, $host, session_id => "s$number"));
	$ws->next(type => 'CONNECTED');
	return $ws;
}
sub asked { return map { $_->{body} } ScriptedModel::requests($model) }
# What the model was given last of a role.
sub last_of {
	my ($role) = @_;
	return (grep { $_->{role} eq $role } @{ (asked())[-1]{messages} })[-1];
}
sub types { return join ' ', map { $_->{type} } grep { $_->{type} !~ /delta|terminal_output|llm_/ } @_ }
sub of { my ($type, @all) = @_; return grep { $_->{type} eq $type } @all }

# ---- calls ----

my $ws = session();
my @all = $ws->turn('@look');
is types(@all), 'user_input assistant tool_call tool_result assistant turn_result OUTPUT',
    'a turn with a tool has the events of the protocol';
my ($call) = of('tool_call', @all);
my ($result) = of('tool_result', @all);
is $call->{name}, 'glob', 'tool_call names the tool';
is_deeply $call->{args}, { pattern => '*.txt' }, 'tool_call has the arguments';
is $result->{tool_id}, $call->{tool_id}, 'tool_result has the id of its tool_call';
is $result->{status}, 'success', 'tool_result tells of success';
like $result->{result}, qr/note\.txt/, 'tool_result has what the tool found';
is $all[-1]{result}, 'There is one.', 'the last answer is the result of the turn';
is_deeply [ map { $_->{role} } @{ $all[-1]{session}{messages} } ], [qw(user assistant tool assistant)],
    'the session has calls and results among its messages';
is last_of('tool')->{content}, $result->{result}, 'the model gets the result that people see';
my @offered = map { $_->{function}{name} } @{ (asked())[0]{tools} };
is_deeply [ sort @offered ], [qw(ask_user bash edit glob grep plan_review read_file todo write)], 'the model is offered all tools';

@all = session()->turn('@both');
is scalar(of('tool_result', @all)), 2, 'two calls of one answer both run';
is_deeply [ map { $_->{tool_call_id} } grep { $_->{role} eq 'tool' } @{ (asked())[-1]{messages} } ], [ 'txt', 'log' ],
    'the model gets both results, under the ids of its calls';

@all = session()->turn('@signed');
is_deeply last_of('assistant')->{tool_calls}[0]{extra_content}, { google => { thought_signature => "a\x{e9}+/=" } },
    'the provider gets back what it has added to a call';

@all = session()->turn('@unknown');
is $all[-1]{result}, 'So not.', 'a turn goes on after a call of an unknown tool';
like last_of('tool')->{content}, qr/There is no tool "fly away!".*glob/, 'the model gets the names of all tools';
is last_of('assistant')->{tool_calls}[0]{function}{name}, 'fly_away_', 'an illegal name is made legal for the provider';

for my $what ('broken', 'nan') {
	@all = session()->turn("\@$what");
	is $all[-1]{result}, 'Mended.', "a turn goes on after arguments that are no JSON ($what)";
	like last_of('tool')->{content}, qr/no JSON object/, "the model is told what is wrong with its arguments ($what)";
	is last_of('assistant')->{tool_calls}[0]{function}{arguments}, '{}',
	    "the conversation holds arguments that providers take ($what)";
}
@all = session()->turn('@big');
like last_of('tool')->{content}, qr/at most 1048576 are taken/, 'arguments of more than 1 MiB are refused';
cmp_ok length JSON::PP->new->encode($all[-1]{session}), '<', 100_000, 'arguments that are too long are not kept';

@all = session()->turn('@loop');
is $all[-1]{result}, 'Task incomplete: Maximum iterations (5) reached.', 'a turn ends at max_iterations';
is((of('turn_result', @all))[0]{reason}, 'max_iterations', 'turn_result tells of max_iterations');

@all = session()->turn('@plan');
my ($plan) = of('plan', @all);
is_deeply $plan->{entries}, [ { content => 'first', priority => 'medium', status => 'in_progress' },
	{ content => 'second', priority => 'medium', status => 'pending' } ], 'todo becomes the event plan';

# ---- approvals ----

sub made { return -e $host->dir . '/made' ? do { unlink $host->dir . '/made'; 1 } : 0 }

# A turn whose first question is answered so; the question and the events after it.
sub approve {
	my ($ws, $prompt, %answer) = @_;
	$ws->send_json({ type => 'INPUT', prompt => $prompt });
	my $q = $ws->next(type => 'approval_needed');
	ok !made(), 'a tool does not run before it is approved' if $answer{approved};
	$ws->send_json({ type => 'APPROVAL_RESPONSE', %answer });
	return ($q, $ws->all_until('OUTPUT', 'ERROR'));
}

$ws = session();
(my $q, @all) = approve($ws, '@touch', approved => $true, scope => 'once');
is $q->{tool}, 'write', 'approval_needed names the tool';
is_deeply $q->{arguments}, { path => 'made', content => "x\n" }, 'approval_needed has the arguments';
ok made(), 'an approved tool runs';
(undef, @all) = approve($ws, '@touch', approved => $true, scope => 'once');
ok made(), 'an approval for once is asked for again';

$ws = session();
(undef, @all) = approve($ws, '@twice', approved => $true, scope => 'session');
is scalar(of('approval_needed', @all)), 0, 'an approval for the session holds for the rest of the turn';
is_deeply [ keys %{ $all[-1]{session}{permissions} } ], [ 'write' ],
    'an approval for the session is kept with the session';
made();
@all = $ws->turn('@touch');
ok made() && !of('approval_needed', @all), 'an approval for the session holds in the next turn';

$ws = session();
(undef, @all) = approve($ws, '@touch', approved => $false, mode => 'reject_explain', feedback => 'Why?');
ok !made(), 'a refused tool does not run';
is types(@all), 'tool_blocked tool_result assistant turn_result OUTPUT', 'a refused tool is blocked, and the turn goes on';
like last_of('tool')->{content}, qr/did not allow write.*Why\?.*Explain/s, 'the model reads the reason of the refusal';
(undef, @all) = approve(session(), '@touch', approved => $false, mode => 'reject_hard');
is $all[-1]{result}, 'What would you like me to do?', 'a hard refusal ends the turn';
is((of('turn_result', @all))[0]{reason}, 'stopped', 'turn_result says that the turn was stopped');

$ws = session();
$ws->send_json({ type => 'mode_change', mode => 'read-only' });
$ws->next(type => 'mode_changed');
@all = $ws->turn('@touch');
like types(@all), qr/tool_call tool_blocked tool_result/, 'a tool that changes something is blocked in read-only mode';
ok !made(), 'a model changes no file in read-only mode';
like last_of('tool')->{content}, qr/read-only/, 'the model is told of the mode read-only';

$ws = session();
$ws->send_json({ type => 'mode_change', mode => 'full-access', turns => 1 });
$ws->next(type => 'mode_changed');
@all = $ws->turn('@touch');
ok made() && !of('approval_needed', @all), 'a model is not asked for approval in full access';

$ws = session();
$ws->send_json({ type => 'INPUT', prompt => '@touch' });
$ws->next(type => 'approval_needed');
$host->pass(601);
is $ws->next(type => 'OUTPUT')->{result}, 'What would you like me to do?', 'silence is a refusal';

# ---- direct calls ----

$ws = session();
for (['glob', { pattern => '*.txt' }, 'success', qr/note\.txt/], ['glob', {}, 'error', qr/pattern/],
    ['fly', {}, 'error', qr/./], ['write', { path => 'made', content => 'x' }, 'error', qr/./]) {
	my ($tool, $args, $status, $says) = @$_;
	$ws->send_json({ type => 'EXEC', exec_id => "x-$tool", tool => $tool, args => $args });
	my $r = $ws->next(type => 'EXEC_RESULT');
	is $r->{status}, $status, "a direct call of $tool ends with $status";
	like $r->{result} // $r->{error}, $says, "a direct call of $tool tells what came of it ($status)";
}
ok !made(), 'a direct call without permission does nothing';

# ---- questions ----

$ws = session();
$ws->send_json({ type => 'INPUT', prompt => '@ask' });
$q = $ws->next(type => 'ask_user');
is $q->{question}, 'Which?', 'ask_user has the question of the model';
is_deeply $q->{options}, [ 'red', 'blue' ], 'ask_user has the options';
my $other = session($n);
is $other->next(type => 'ask_user')->{id}, $q->{id}, 'another client of a session is asked its open question';
$other->send_json({ type => 'ASK_USER_RESPONSE', answer => 'blue' });
is $ws->next(type => 'OUTPUT')->{result}, 'As you like.', 'the turn goes on with the answer';
is last_of('tool')->{content}, 'blue', 'the model gets the answer';
$ws = session();
$ws->send_json({ type => 'INPUT', prompt => '@review' });
my $shown = $ws->next(type => 'plan_review');
is $shown->{plan_content}, "dig\nbuild", 'plan_review has the plan of the model';
$ws->send_json({ type => 'PLAN_REVIEW_RESPONSE', message => 'paint it, too' });
is $ws->next(type => 'OUTPUT')->{result}, 'Now I dig.', 'the turn goes on with the review of the plan';
is last_of('tool')->{content}, 'paint it, too', 'the model gets the review of its plan';
@all = session()->turn('@bare');
like last_of('tool')->{content}, qr/plan_review needs a text: plan/, 'a plan without text is not shown';
is scalar(of('plan_review', @all)), 0, 'nobody is asked to review a plan without text';
@all = $host->ws(session => { session_id => 'nobody' })->turn('@touch');
like((of('tool_blocked', @all))[0]{message}, qr/approvals need a contact/, 'a stranger is refused, and not asked');
ok !made(), 'a tool does not run for a stranger';

# ---- further input, interrupts ----

$ws = session();
$ws->send_json({ type => 'INPUT', prompt => '@touch' });
$q = $ws->next(type => 'approval_needed');
$ws->send_json({ type => 'INPUT', prompt => 'be quick' });
$ws->next(type => 'RUNTIME_INPUT_ACK');
$ws->send_json({ type => 'APPROVAL_RESPONSE', approved => $true, scope => 'once' });
$ws->next(type => 'OUTPUT');
is_deeply [ map { $_->{role} } @{ (asked())[-1]{messages} } ], [qw(user assistant tool user)],
    'a prompt that comes during a turn joins at the next question';
made();

$ws = session();
$ws->send_json({ type => 'INPUT', prompt => '@slow' });
$ws->next(type => 'llm_call');
$ws->send_json({ type => 'INTERRUPT' });
@all = $ws->all_until('OUTPUT', 'ERROR');
is $all[-1]{result}, 'What would you like me to do?', 'an interrupt ends a question to the model';
is((of('turn_result', @all))[0]{reason}, 'interrupted', 'turn_result tells of the interrupt');
is((of('llm_result', @all))[0]{status}, 'error', 'the question that was interrupted has its llm_result');
@all = $ws->turn('@plan');
is $all[-1]{result}, 'Planned.', 'the conversation goes on after an interrupt';
is $host->metric('cohostd_model_calls'), 0, 'no question is left in progress';
$host->stop;
done_testing;
