#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# EXEC, SESSION_STATUS, mode_change and PROVIDER_*: who may, and the exact words.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file write_file wait_for);
use JSON::PP;
use Sign qw(:all);
use Test::More;

my ($true, $false) = (JSON::PP::true, JSON::PP::false);
my $host = CoHost->start(yaml => <<'END');
full_access_turns: 3
permissions:
  calculate: {allowed: true}
  write_file: {allowed: true}
  edit: {allowed: true}
  "Bash(git *)": {allowed: true}
  "Bash(cp *)": {allowed: true}
  "Bash(tee *)": {allowed: true}
END
my ($anna, $bert, $carl) = (key_new(), key_new(), key_new());
write_file($host->dir . '/.co/contacts.txt', "$anna->{address}\n");
write_file($host->dir . '/.co/whitelist.txt', "$carl->{address}\n");

my $n_hellos = 0;
sub socket_of {
	my ($key, %o) = @_;
	my $ws = $host->ws;
	$ws->send_json(connect_frame($key, $host, %o, payload => { nonce => $n_hellos++ }));
	my $connected = $ws->next(type => 'CONNECTED');
	return ($ws, $connected);
}

# ---- EXEC ----

my ($contact) = socket_of($anna);
my ($stranger) = socket_of($bert);
my $nobody = $host->ws(session => {});

sub exec_on {
	my ($ws, $tool, $args) = @_;
	$ws->send_json({ type => 'EXEC', exec_id => 'x1', tool => $tool, args => $args });
	my $f = $ws->next(type => ['EXEC_RESULT', 'ERROR']);
	return { error => $f->{message} } if $f->{type} eq 'ERROR';
	is $f->{exec_id}, 'x1', "$tool: the answer names the call";
	like $f->{duration_ms}, qr/^\d+$/, "$tool: the answer has a duration";
	return $f;
}
my $f = exec_on($contact, 'calculate', { expression => '6*7' });
is "$f->{status} $f->{tool} $f->{result}", 'success calculate 42',
    'a contact may use an allowed tool';
my ($listed) = socket_of($carl);
is exec_on($listed, 'calculate', { expression => '6*7' })->{status}, 'success',
    'a client on the whitelist may use an allowed tool';
is exec_on($stranger, 'calculate', { expression => '6*7' })->{error},
    'forbidden: exec requires a contact or admin, you are stranger',
    'a stranger may not use a tool';
is exec_on($nobody, 'calculate', { expression => '6*7' })->{error},
    'forbidden: exec requires an authenticated caller', 'an unsigned client may not use a tool';
is exec_on($contact, 'translate', { text => 'hello', to => 'French' })->{error},
    "blocked: 'translate' is not in the permission whitelist. Allow it by adding a rule to "
    . '.co/host.yaml permissions.', 'a contact may not use a tool that is not allowed';
is exec_on($contact, 'edit', {})->{error},
    "unknown tool 'edit' (available: ['calculate', 'get_weather', 'translate', 'step'])",
    'a tool that the agent does not have is unknown';
like exec_on($contact, 'calculate', {})->{error}, qr/^TypeError: /,
    'an error of a tool is reported as such';

# ---- shell commands ----

my $blocked = 'blocked: command not in the permission whitelist. Allow it by adding a rule to '
    . '.co/host.yaml permissions.';
my $allowed = qr/^unknown tool 'bash'/; # the demo agent has no shell; it came that far
my @commands = (
	['ls -l', 1], ['ls && rm -rf /', 0], ['ls; rm -rf /', 0], ['rm -rf / || ls', 0],
	['ls | sh', 0], ["ls\nrm -rf /", 0], ['ls $(rm -rf /)', 0], ['ls > x', 0],
	['git log', 1], ['git', 1], ['gitleaks', 0], ['gitleaks detect', 0], ['git log && ls', 1],
);
for (@commands) {
	my ($command, $is_allowed) = @$_;
	my $error = exec_on($contact, 'bash', { command => $command })->{error};
	like $error, $is_allowed ? $allowed : qr/^\Q$blocked\E$/,
	    ($command =~ s/\n/\\n/r) . ': ' . ($is_allowed ? 'allowed' : 'blocked');
}

# ---- what decides about permissions ----

my @control = qw(.co/host.yaml ./.co/host.yaml .co/x/../host.yaml .CO/HOST.YAML .co/admins.txt
    .co/schedule.yaml .co/keys/agent.key .co/contacts.txt .co/whitelist.txt .co/blocklist.txt);
for my $path (@control, $host->dir . '/.co/host.yaml') {
	like exec_on($contact, 'write_file', { path => $path, content => 'x' })->{error},
	    qr/^blocked: 'write_file' is not/, "write_file cannot touch $path";
	is exec_on($contact, 'bash', { command => "cp /tmp/x $path" })->{error}, $blocked,
	    "a command cannot touch $path";
}
like exec_on($contact, 'write_file', { path => 'notes.txt', content => 'x' })->{error},
    qr/^unknown tool 'write_file'/, 'a write outside the control files is left to the tool';

# ---- SESSION_STATUS ----

sub status {
	my ($ws, $id) = @_;
	$ws->send_json({ type => 'SESSION_STATUS', session => { session_id => $id } });
	my $f = $ws->next(type => ['SESSION_STATUS', 'ERROR']);
	is $f->{session_id}, $id, 'SESSION_STATUS names the session';
	return $f->{status};
}
my ($hers) = socket_of($anna, session_id => 'hers');
my ($his) = socket_of($bert, session_id => 'his');
my ($look) = socket_of($anna);
is status($look, 'hers'), 'connected',
    'SESSION_STATUS says connected to the owner of an idle session';
$hers->send_json({ type => 'INPUT', prompt => 'ask Well?' });
$hers->next(type => 'ask_user');
is status($look, 'hers'), 'running', 'SESSION_STATUS says running while a turn runs';
is status($look, 'none'), 'not_found', 'SESSION_STATUS of an unknown session is not_found';
is status($his, 'hers'), 'not_found', "SESSION_STATUS of another client's session is not_found";
is status($host->ws, 'hers'), 'not_found',
    'SESSION_STATUS on an unsigned fresh socket is not_found';
is status($nobody, 'hers'), 'not_found',
    'SESSION_STATUS on an unsigned connected socket is not_found';
$hers->send_json({ type => 'INTERRUPT' });
$hers->all_until('OUTPUT');
my ($v2) = socket_of($anna, v2 => 1);
is status($v2, 'hers'), 'connected', 'SESSION_STATUS needs no signature on a v2 socket';

# ---- modes ----

# What the strict reader of session_modes wants.
sub complaints {
	my ($m) = @_;
	my %names = ('read-only' => 1, auto => 1, 'full-access' => 1);
	my @ids = map { $_->{id} } @{ $m->{availableModes} };
	my %count;
	$count{$_}++ for @ids;
	my $current = $m->{currentModeId};
	my $is_full = $current eq 'full-access';
	return (
		(map { "$_ is no mode" } grep { !$names{$_} } @ids),
		(map { "$_ is twice" } grep { $count{$_} > 1 } @ids),
		(map { "$_->{id} has no name" } grep { ($_->{name} // '') eq '' }
			@{ $m->{availableModes} }),
		$count{$current} ? () : "$current is not offered",
		exists $m->{turnsLeft} ? () : 'no turnsLeft',
		$is_full && ($m->{turnsLeft} // 0) =~ /^[1-9]\d*$/ ? ()
		: !$is_full && !defined $m->{turnsLeft} ? () : 'wrong turnsLeft',
	);
}

# Change the mode on a socket, and look at it through another.
sub change {
	my ($ws, $id, %o) = @_;
	$ws->send_json({ type => 'mode_change', %o });
	my $f = $ws->next(type => ['mode_changed', 'ERROR']);
	my ($other, $hello) = socket_of($anna, session_id => $id);
	is_deeply [complaints($hello->{session_modes})], [],
	    "after $o{mode} session_modes has the form that clients expect";
	$other->close;
	return ($f, $hello->{session_modes});
}
my ($ws, $hello) = socket_of($anna, session_id => 'modes');
is_deeply [complaints($hello->{session_modes})], [],
    'session_modes has the form that clients expect';
is $hello->{session_modes}{currentModeId}, 'auto', 'a new session is in mode auto';
my @modes = (
	[read => { mode => 'read-only' }, 'read-only', undef],
	[auto => { mode => 'auto' }, 'auto', undef],
	['an older word' => { mode => 'plan' }, 'read-only', undef],
	['another' => { mode => 'accept_edits' }, 'auto', undef],
	['a newer word' => { mode => ':read-only' }, 'read-only', undef],
	['full access' => { mode => 'full-access', turns => 2 }, 'full-access', 2],
	['more than is offered' => { mode => 'ulw', turns => 50 }, 'full-access', 3],
);
for (@modes) {
	my ($what, $change, $current, $turns) = @$_;
	my ($f, $modes) = change($ws, 'modes', %$change);
	is_deeply [@$f{qw(type mode turns_left session_id)}],
	    ['mode_changed', $change->{mode}, $turns, 'modes'],
	    "$what: mode_changed repeats the requested mode";
	is $modes->{currentModeId}, $current, "$what: the session keeps the mode";
	is $modes->{turnsLeft}, $turns, "$what: the session keeps the turns left";
}
is +($ws->turn('echo one'))[-1]{session}{turns_left}, 2, 'a turn counts';
my ($left) = change($ws, 'modes', mode => 'bogus');
is "$left->{code} $left->{message}", "-32602 Unsupported permission profile: 'bogus'",
    'an unknown mode is refused';
$ws->send_json({ type => 'INPUT', prompt => 'ask Well?' });
$ws->next(type => 'ask_user');
$ws->send_json({ type => 'mode_change', mode => 'auto' });
$f = $ws->next(type => ['mode_changed', 'ERROR']);
is_deeply [@$f{qw(code message retryable)}], [-32000, 'Session is busy', $true],
    'mode_change during a turn is refused as busy';
$ws->send_json({ type => 'INTERRUPT' });
$ws->all_until('OUTPUT');

# Full access ends by itself, and another client changes the mode: a v2 socket hears of
# neither, since its client would fail.
my ($quiet) = socket_of($anna, session_id => 'modes', v2 => 1);
my @all;
for my $prompt ('echo two', 'echo three') {
	$ws->turn($prompt);
	push @all, $quiet->all_until('OUTPUT');
}
change($ws, 'modes', mode => 'read-only');
push @all, $quiet->settle;
is_deeply [grep { $_->{type} eq 'mode_changed' } @all], [],
    'a v2 socket is told only of modes that it asked for';

# ---- what a client cannot set ----

my %theirs = (mode => 'full-access', turns_left => 99, permissions => { bash => 1 },
	approval => { bash => 1 }, requester => { address => $carl->{address}, level => 'admin' },
	skip_tool_approval => $true);
my ($evil, $evil_hello) = socket_of($anna, session_id => 'evil',
	session => { iteration => 99, updated => 99, messages => [], %theirs });
is $evil_hello->{session_modes}{currentModeId}, 'auto',
    'a session brought by a client sets no mode';
my $kept = ($evil->turn('echo x'))[-1]{session};
is_deeply [grep { defined $kept->{$_} } qw(permissions approval skip_tool_approval)], [],
    'a session brought by a client sets no permissions';
is $kept->{requester}{address}, $anna->{address},
    'a session brought by a client does not set the requester';
isnt $kept->{mode} // '', 'full-access', 'a turn in a session brought by a client sets no mode';

# ---- coding providers, which are not here ----

my @provider = (
	['PROVIDER_INTERRUPT', { requestId => 'r1', invocationId => 'i1' },
		{ requestId => 'r1', invocationId => 'i1', reason => 'not_active' }],
	['PROVIDER_INTERRUPT', { requestId => 'r1' },
		{ requestId => 'r1', invocationId => undef, reason => 'not_active' }],
	['PROVIDER_INTERRUPT', { requestId => 'x' x 129 },
		{ requestId => '', invocationId => undef, reason => 'invalid_request' }],
	['PROVIDER_INTERRUPT', { requestId => 'r1', stateRevision => 0 },
		{ requestId => 'r1', invocationId => undef, reason => 'invalid_revision' }],
	['PROVIDER_INPUT', { requestId => 'r1', text => 'x', stateRevision => 1 },
		{ requestId => 'r1', invocationId => undef, reason => 'not_active' }],
	['PROVIDER_INPUT', { requestId => 'r1', stateRevision => 1 },
		{ requestId => '', invocationId => undef, reason => 'invalid_request' }],
);
for (@provider) {
	my ($type, $members, $want) = @$_;
	$ws->send_json({ type => $type, %$members });
	is_deeply $ws->next(type => ["${type}_ACK", 'ERROR']),
	    { type => "${type}_ACK", accepted => $false, %$want },
	    "$type is answered: $want->{reason}";
}
$ws->send_json({ type => 'PROVIDER_INTERRUPT' });
is $ws->next(type => 'ERROR')->{message},
    'provider stop requires the exact active provider run',
    'PROVIDER_INTERRUPT without requestId is an error';
$host->stop;
done_testing;
