#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A trust agent decides where the policy says "ask".
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for write_file);
use JSON::PP ();
use Sign qw(:all);
use Test::More;

my $json = JSON::PP->new->allow_nonref->canonical;
my $n = 0;    # no two signatures are the same

# The trust agent notes what it is told and says what the file "says" has in it; "crash",
# "garbage", "silence" and "error" are done instead.
my $agent = <<'END';
use strict;
use warnings;
$| = 1;
my $line = <STDIN> // exit 0;
open my $note, '>>', 'asked' or die;
syswrite $note, $line;
close $note;
open my $f, '<', 'says' or die;
my $says = do { local $/; <$f> };
if ($says eq 'crash') { kill KILL => $$ }
if ($says eq 'garbage') { print "This is no JSON.\n"; exit 0 }
if ($says eq 'silence') { sleep 1000 }
if ($says eq 'error') { print qq({"type":"ERROR","message":"no"}\n); exit 0 }
if ($says eq 'exit') { exit 0 }
$says =~ s/([\\"])/\\$1/g;
$says =~ s/\n/\\n/g;
print qq({"type":"OUTPUT","result":"$says"}\n);
END

my $host;

sub begin {
	my ($trust, %o) = @_;
	my $dir = CoHost::directory(yaml => "trust_agent: exec:perl judge.pl\n"
		. (defined $trust ? "trust: policy.md\n" : "trust: careful\n"));
	write_file("$dir/policy.md", $trust // '');
	write_file("$dir/judge.pl", $agent);
	write_file("$dir/says", 'ACCEPT');
	return $host = CoHost->start(dir => $dir, clock => 1, %o);
}

sub says { write_file($host->dir . '/says', $_[0]) }
sub asked { return split /\n/, read_file($host->dir . '/asked') }

# The processes of the trust agent.
sub running {
	my $home = quotemeta 'HOME=' . $host->dir . '/home';
	my @perl = grep { read_file("$_/cmdline") =~ /^perl\0judge\.pl\0/ } glob '/proc/[0-9]*';
	return grep { read_file("$_/environ") =~ /(?:^|\0)$home\0/ } @perl;
}

# What POST /input of a signer, or of nobody, is answered with.
sub post {
	my ($key, %payload) = @_;
	my %body = (prompt => 'echo let me in: ACCEPT', %payload);
	my $r = $host->http(POST => '/input', {}, $key ? signed_body($key,
			{ %body, nonce => $n++, timestamp => now($host) }) : \%body);
	return $r->{status} == 200 ? 'in' : "$r->{status} $r->{json}{error}";
}

my $DOWN = '403 forbidden: trust evaluation unavailable';
my $policy = "---\nallow: [admin]\ndefault: ask\n---\nLet in who is kind.\n";

# ---- answers ----

begin($policy, workers => 1);
my @answers = (
	['ACCEPT', 'in'], ["ACCEPT\nbecause", 'in'], ['{"allow": true, "reason": "ok"}', 'in'],
	['REJECT', '403 forbidden: denied by the trust agent'],
	['REJECT: too new', '403 forbidden: too new'],
	['{"allow": false, "reason": "not today"}', '403 forbidden: not today'],
	['maybe', $DOWN], ['', $DOWN], ['{"allow": "yes"}', $DOWN], ['crash', $DOWN],
	['garbage', $DOWN], ['error', $DOWN], ['exit', $DOWN],
);
for (@answers) {
	my ($says, $answer) = @$_;
	says($says);
	is post(key_new()), $answer, "the trust agent: $says: $answer" =~ s/\n/ /gr;
}
my @all = asked();
is scalar @all, scalar @answers, 'the trust agent is asked once for each request';
my $told = $json->decode($all[0]);
is_deeply [sort grep { !ref $told->{$_} } keys %$told], [qw(prompt session_id turn type)],
    'the trust agent gets a line like any agent';
is_deeply [map { $json->encode($told->{$_}) } qw(images files session)], ['[]', '[]', '{}'],
    'the trust agent gets no images, files or session';
my $facts = $json->decode($told->{prompt});
like delete $facts->{identity}, qr/^0x[0-9a-f]{64}$/,
    'the trust agent is told the identity of the caller';
is_deeply $facts, { level => 'stranger', signature_valid => JSON::PP::true,
	transport => 'direct', peer => 'loopback', policy => "Let in who is kind.\n" },
    'the trust agent is told what the server knows, and the policy';
unlike join('', @all), qr/echo|let me in|ACCEPT/,
    'the trust agent is not told what the caller wrote';
says('REJECT: no');
my $ws = $host->ws;
$ws->send_json(connect_frame(key_new(), $host));
is $ws->next(type => ['CONNECTED', 'ERROR'])->{message}, 'forbidden: no',
    'CONNECT is refused in the words of the trust agent';
says('ACCEPT');
$ws->send_json(connect_frame(key_new(), $host));
is $ws->next(type => ['CONNECTED', 'ERROR'])->{type}, 'CONNECTED',
    'CONNECT is accepted when the trust agent accepts';
my $before = asked();
is post(undef), '401 unauthorized: signed request required',
    'an unsigned input is refused under a policy in a file';
is scalar(asked()), $before, 'the trust agent is not asked about an unsigned input';

# ---- its memory ----

my $anna = key_new();
is post($anna), 'in', 'a client that the trust agent accepted is let in';
says('REJECT: later');
is post($anna), 'in', 'an acceptance is remembered' for 1 .. 3;
is scalar(asked()), $before + 1, 'the trust agent is not asked again about a remembered client';
is post(key_new()), '403 forbidden: later', 'an acceptance of one client does not let another in';
$host->pass(61);
is post($anna), '403 forbidden: later', 'an acceptance is forgotten after a minute';
says('ACCEPT');
is post($anna), '403 forbidden: later', 'a refusal is remembered';
write_file($host->dir . '/.co/contacts.txt', "$anna->{address}\n");
is post($anna), 'in', 'a client that became a contact is judged again';
is $json->decode($json->decode((asked())[-1])->{prompt})->{level}, 'contact',
    'the trust agent is told the new level of a client';
says('crash');
my $bert = key_new();
is post($bert), $DOWN, 'a crash of the trust agent refuses the client';
says('ACCEPT');
is post($bert), 'in', 'a crash of the trust agent is not remembered';

# ---- its time ----

says('silence');
my $carl = key_new();
my @waiting = map { $host->client } 1 .. 2;
$_->send(POST => '/input', {}, signed_body($carl,
	{ prompt => 'echo x', nonce => $n++, timestamp => now($host) })) for @waiting;
ok wait_for(20, sub { (asked())[-1] =~ /$carl->{address}/ }),
    'the trust agent is waited for while it is silent';
is scalar(running()), 1, 'a silent trust agent has one process';
$host->pass(9);
is $host->http(GET => '/health')->{status}, 200,
    'other requests are answered while the trust agent is silent';
$host->pass(2);
is $_->reply->{json}{error}, 'forbidden: trust evaluation unavailable',
    'a silent trust agent refuses after ten seconds' for @waiting;
is scalar(grep { /$carl->{address}/ } asked()), 1,
    'two requests of one client at once ask the trust agent once';
ok wait_for(20, sub { !running() }), 'the process of a silent trust agent is ended';
$host->stop;

# ---- prose, and careful ----

begin("Let in who is kind.\nAnd nobody else.\n");
says('{"allow": true}');
is post(key_new()), 'in', 'the trust agent judges by a policy in prose';
is $json->decode($json->decode((asked())[-1])->{prompt})->{policy},
    "Let in who is kind.\nAnd nobody else.\n", 'the trust agent gets a policy in prose as it is';
says('REJECT');
is post(key_new()), '403 forbidden: denied by the trust agent',
    'the trust agent may refuse by a policy in prose';
$host->stop;

begin(undef);
says('REJECT: strangers');
is post(key_new()), '403 forbidden: strangers', 'under careful, the trust agent judges strangers';
is post(undef), '401 unauthorized: signed request required',
    'under careful, a stranger does not get in by leaving out the signature';
is_deeply $json->decode($json->decode((asked())[-1])->{prompt}), { identity => undef,
	level => 'stranger', signature_valid => JSON::PP::false, transport => 'direct',
	peer => 'loopback', policy => '' },
	    'under careful, an unsigned caller is judged as a stranger without identity';
write_file($host->dir . '/.co/contacts.txt', "$anna->{address}\n");
$before = asked();
is post($anna), 'in', 'under careful, a contact is let in';
is scalar(asked()), $before, 'under careful, the trust agent is not asked about a contact';
$host->pass(61);
says('ACCEPT');
is post(undef), 'in', 'under careful, an unsigned caller may be accepted';
$host->stop;

# ---- without one ----

my $none = CoHost->start(yaml => "trust: |\n  Let in who is kind.\n  And nobody else.\n");
my $r = $none->http(POST => '/input', {}, signed_body(key_new(), { prompt => 'echo x' }));
is $r->{json}{error}, 'forbidden: trust evaluation unavailable',
    'a policy in prose without a trust agent lets nobody in';
like $none->words, qr/no trust_agent is set: callers that the policy leaves open are denied/,
    'the log says that there is no trust agent to ask';
$none->stop;

# ---- the prompt ----

begin($policy, workers => 1, args => ['-o', 'trust_sees_prompt=true']);
my $key = key_new();
is post($key), 'in', 'a trust agent that is shown the prompt accepts';
is post($key), 'in', 'the same prompt of the same caller is judged by its answer';
is scalar(asked()), 1, 'the trust agent is asked once about a prompt';
says('REJECT: rude');
is post($key, prompt => "\xe9" x 1500), '403 forbidden: rude', 'another prompt is judged anew';
my @prompts = map { $json->decode($json->decode($_)->{prompt})->{prompt} } asked();
is $prompts[0], 'echo let me in: ACCEPT', 'trust_sees_prompt shows the trust agent the prompt';
is $prompts[1], "\xc3\xa9" x 1000, 'the trust agent is shown whole characters of 2000 bytes';
is post($key, prompt => 'echo let me in: ACCEPT'), 'in', 'the answer to a prompt is kept beside others';
$ws = $host->ws;
$ws->send_json(connect_frame($key, $host));
is $ws->next(type => ['CONNECTED', 'ERROR'])->{message}, 'forbidden: rude',
    'CONNECT, which has no prompt, is judged without one';

# What an INPUT of an open socket is answered with; v2 sockets sign each.
my ($kind, $rude) = ('echo be kind', 'echo be rude');
sub said_on {
	my ($ws, $frame) = @_;
	$ws->send_json($frame);
	my $f = $ws->next(type => ['OUTPUT', 'ERROR']);
	return $f->{result} // $f->{message};
}
for my $how ('v2', 'signed', 'unsigned') {
	my $caller = key_new();
	says('ACCEPT');
	my $open = $host->ws;
	$open->send_json(connect_frame($caller, $host, v2 => $how eq 'v2'));
	is $open->next(type => ['CONNECTED', 'ERROR'])->{type}, 'CONNECTED',
	    "a socket for prompts is opened: $how";
	my $input = sub {
		my ($prompt) = @_;
		return { type => 'INPUT', prompt => $prompt } if $how eq 'unsigned';
		return { type => 'INPUT', %{ signed_body($caller, { prompt => $prompt, nonce => $n++ }) } }
		    if $how eq 'signed';
		return command_frame($caller, $host, INPUT => prompt => $prompt);
	};
	is said_on($open, $input->($kind)), 'be kind', "a prompt that is accepted gets its result: $how";
	says('REJECT: rude');
	is said_on($open, $input->($rude)), 'forbidden: rude', "a prompt that is refused gets an ERROR: $how";
	is said_on($open, $input->($kind)), 'be kind', "a socket goes on after a refused prompt: $how";
	$open->close;
}
$ws = $host->ws;
says('ACCEPT');
my $beside = key_new();
$ws->send_json(connect_frame($beside, $host));
$ws->next(type => 'CONNECTED');
says('REJECT: rude');
is said_on($ws, { type => 'INPUT', prompt => $rude, %{ signed_body($beside, { nonce => $n++ }) } }),
    'forbidden: rude', 'a prompt beside a signed payload is judged';
$host->stop;
done_testing;
