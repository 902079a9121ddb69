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
is scalar @all, scalar @answers, 'it is asked once for each of them';
my $told = $json->decode($all[0]);
is_deeply [sort grep { !ref $told->{$_} } keys %$told], [qw(prompt session_id turn type)],
    'it is told as any agent is';
is_deeply [map { $json->encode($told->{$_}) } qw(images files session)], ['[]', '[]', '{}'],
    'with nothing but a prompt';
my $facts = $json->decode($told->{prompt});
like delete $facts->{identity}, qr/^0x[0-9a-f]{64}$/, 'in which it finds who asks';
is_deeply $facts, { level => 'stranger', signature_valid => JSON::PP::true,
	transport => 'direct', peer => 'loopback', policy => "Let in who is kind.\n" },
    'what the server knows of them, and the policy';
unlike join('', @all), qr/echo|let me in|ACCEPT/, 'but no word of what the caller wrote';
says('REJECT: no');
my $ws = $host->ws;
$ws->send_json(connect_frame(key_new(), $host));
is $ws->next(type => ['CONNECTED', 'ERROR'])->{message}, 'forbidden: no',
    'CONNECT is refused in the same words';
says('ACCEPT');
$ws->send_json(connect_frame(key_new(), $host));
is $ws->next(type => ['CONNECTED', 'ERROR'])->{type}, 'CONNECTED', 'or accepted';
my $before = asked();
is post(undef), '401 unauthorized: signed request required',
    'whoever signs nothing is not even asked about';
is scalar(asked()), $before, 'by a policy of one\'s own';

# ---- its memory ----

my $anna = key_new();
is post($anna), 'in', 'an answer';
says('REJECT: later');
is post($anna), 'in', 'is kept' for 1 .. 3;
is scalar(asked()), $before + 1, 'without asking again';
is post(key_new()), '403 forbidden: later', 'for each address';
$host->pass(61);
is post($anna), '403 forbidden: later', 'for a minute';
says('ACCEPT');
is post($anna), '403 forbidden: later', 'a refusal too';
write_file($host->dir . '/.co/contacts.txt', "$anna->{address}\n");
is post($anna), 'in', 'but not when they have become somebody else';
is $json->decode($json->decode((asked())[-1])->{prompt})->{level}, 'contact',
    'which it is told';
says('crash');
my $bert = key_new();
is post($bert), $DOWN, 'no answer ...';
says('ACCEPT');
is post($bert), 'in', 'is not kept';

# ---- its time ----

says('silence');
my $carl = key_new();
my @waiting = map { $host->client } 1 .. 2;
$_->send(POST => '/input', {}, signed_body($carl,
	{ prompt => 'echo x', nonce => $n++, timestamp => now($host) })) for @waiting;
ok wait_for(20, sub { (asked())[-1] =~ /$carl->{address}/ }),
    'an agent that says nothing is waited for';
is scalar(running()), 1, 'its process is there';
$host->pass(9);
is $host->http(GET => '/health')->{status}, 200, 'meanwhile others are served';
$host->pass(2);
is $_->reply->{json}{error}, 'forbidden: trust evaluation unavailable',
    'after ten seconds it is no' for @waiting;
is scalar(grep { /$carl->{address}/ } asked()), 1, 'two requests at once ask once';
ok wait_for(20, sub { !running() }), 'and its process is gone';
$host->stop;

# ---- prose, and careful ----

begin("Let in who is kind.\nAnd nobody else.\n");
says('{"allow": true}');
is post(key_new()), 'in', 'a policy in prose is the trust agent\'s to read';
is $json->decode($json->decode((asked())[-1])->{prompt})->{policy},
    "Let in who is kind.\nAnd nobody else.\n", 'as it is';
says('REJECT');
is post(key_new()), '403 forbidden: denied by the trust agent', 'and to apply';
$host->stop;

begin(undef);
says('REJECT: strangers');
is post(key_new()), '403 forbidden: strangers', 'careful asks about strangers';
is post(undef), '401 unauthorized: signed request required',
    'who do not get in by dropping the signature';
is_deeply $json->decode($json->decode((asked())[-1])->{prompt}), { identity => undef,
	level => 'stranger', signature_valid => JSON::PP::false, transport => 'direct',
	peer => 'loopback', policy => '' }, 'being asked about as nobody';
write_file($host->dir . '/.co/contacts.txt', "$anna->{address}\n");
$before = asked();
is post($anna), 'in', 'and not about contacts';
is scalar(asked()), $before, 'who get in at once';
$host->pass(61);
says('ACCEPT');
is post(undef), 'in', 'nobody may be accepted, too';
$host->stop;

# ---- without one ----

my $none = CoHost->start(yaml => "trust: |\n  Let in who is kind.\n  And nobody else.\n");
my $r = $none->http(POST => '/input', {}, signed_body(key_new(), { prompt => 'echo x' }));
is $r->{json}{error}, 'forbidden: trust evaluation unavailable',
    'prose that nobody reads lets nobody in';
like $none->words, qr/there is no trust_agent to ask/, 'and the start says so';
$none->stop;
done_testing;
