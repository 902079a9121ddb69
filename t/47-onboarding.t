#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# How strangers become contacts: by an invite code or a payment, by WebSocket and by HTTP.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file write_file);
use File::Temp ();
use IO::Socket::IP;
use JSON::PP ();
use POSIX ();
use Sign qw(:all);
use Socket qw(SOCK_STREAM);
use Test::More;

my $json = JSON::PP->new->allow_nonref;
my $host;
my $n = 0;    # no two signatures are the same

sub begin {
	my ($yaml, $env, %o) = @_;
	return $host = CoHost->start(yaml => $yaml, env => $env, %o);
}

# A socket whose CONNECT was answered by ONBOARD_REQUIRED.
sub gated {
	my ($key, %frame) = @_;
	my $ws = $host->ws;
	$ws->send_json(connect_frame($key, $host, %frame, payload => { nonce => $n++ }));
	my $answer = $ws->next(type => ['CONNECTED', 'ERROR', 'ONBOARD_REQUIRED']);
	is $answer->{type}, 'ONBOARD_REQUIRED', 'a stranger is asked for more';
	return wantarray ? ($ws, $answer) : $ws;
}

# What ONBOARD_SUBMIT is answered with: ONBOARD_SUCCESS, or the words of an ERROR.
sub submit {
	my ($ws, $key, %payload) = @_;
	$ws->send_json({ type => 'ONBOARD_SUBMIT',
		%{ sign_payload($key, { nonce => $n++, timestamp => now($host), %payload }) } });
	my $answer = $ws->next(type => ['ERROR', 'ONBOARD_SUCCESS']);
	return $answer->{message} if $answer->{type} eq 'ERROR';
	return $answer;
}

sub contacts { return read_file($host->dir . '/.co/contacts.txt') }

sub post {
	my ($key, %payload) = @_;
	my $r = $host->http(POST => '/input', {},
		signed_body($key, { prompt => 'echo in', nonce => $n++,
			timestamp => now($host), %payload }));
	return $r->{json}{result} // "$r->{status} $r->{json}{error}";
}

# ---- a code ----

my $dir = CoHost::directory(yaml => "trust: careful\nblacklist: black.txt\n");
my ($anna, $bert, $blocked, $black) = map { key_new() } 1 .. 4;
write_file("$dir/black.txt", "$black->{address}\n");
write_file("$dir/.co/blocklist.txt", "$blocked->{address}\n");
begin(undef, { CO_INVITE_CODE => ' BETA2024 ' }, dir => $dir, clock => 1);

my ($ws, $asked) = gated($anna, session_id => 'hers',
	session => { messages => [{ role => 'user', content => 'I am Anna' }] });
is_deeply $asked, { type => 'ONBOARD_REQUIRED', identity => $anna->{address},
	methods => ['invite_code'] }, 'ONBOARD_REQUIRED names the one way that is open';
$ws->send_json({ type => 'INPUT', prompt => 'echo too early' });
is $ws->next(type => ['ERROR', 'OUTPUT'])->{type}, 'ERROR',
    'a stranger cannot run a turn before onboarding';
is submit($ws, $anna, invite_code => 'WRONG'), 'Invalid invite code',
    'a wrong invite code is refused';
is submit($ws, $bert, invite_code => 'BETA2024'),
    'unauthorized: signer does not match CONNECT',
    'an invite code submitted by another signer is refused';
is contacts(), '', 'a refused submission makes no contact';
my $bad = { type => 'ONBOARD_SUBMIT',
	%{ sign_payload($anna, { invite_code => 'BETA2024', timestamp => now($host) }) } };
$bad->{payload}{invite_code} = 'BETA2025';
$ws->send_json($bad);
is $ws->next(type => ['ERROR', 'ONBOARD_SUCCESS'])->{message},
    'unauthorized: invalid signature', 'an invite code with a wrong signature is refused';
is submit($ws, $anna, invite_code => 'BETA2024', to => $bert->{address}),
    'unauthorized: wrong recipient', 'an invite code for another host is refused';
is_deeply submit($ws, $anna, invite_code => 'BETA2024'), { type => 'ONBOARD_SUCCESS',
	identity => $anna->{address}, level => 'contact',
	message => 'Invite code verified. You are now a contact.' },
	    'the right invite code makes a contact';
my $connected = $ws->next(type => 'CONNECTED');
is $connected->{session_id}, 'hers', 'the CONNECT that waited for onboarding is answered';
is contacts(), "$anna->{address}\n", 'an onboarded client is in the list of contacts';
$ws->send_json({ type => 'INPUT', prompt => 'echo once', input_id => 'i' });
my @all = $ws->all_until('OUTPUT');
is $all[-1]{result}, 'once', 'an onboarded client runs a turn';
is_deeply [map { "$_->{role}: $_->{content}" } @{ $all[-1]{session}{messages} }],
    ['user: I am Anna', 'user: echo once', 'assistant: once'],
    'the turn continues the conversation that CONNECT brought';
is_deeply [grep { $_->{type} =~ /OUTPUT|ERROR|user_input/ } $ws->settle], [],
    'the turn of an onboarded client has one end';
is $host->metric('cohostd_runs_done_total'), 1, 'no other turn ran during onboarding';

is post($anna), 'in', 'a new contact is known to all workers' for 1 .. 8;
is post($bert), '403 forbidden: Onboard required', 'a client that was not onboarded is refused';

# ---- by HTTP ----

is post($bert, invite_code => 'WRONG'), '403 forbidden: Onboard required',
    'a wrong invite code in a POST is refused';
is post($bert, invite_code => 'BETA2024'), 'in',
    'the right invite code in a POST lets a stranger in';
is post($bert), 'in', 'a client onboarded by a POST needs no code any more';
is contacts(), "$anna->{address}\n$bert->{address}\n",
    'a client onboarded by a POST is in the list of contacts';
is post(key_new(), payment => 1000), '403 forbidden: Onboard required',
    'a payment is never believed in a request';

# ---- who may not ----

for (['blocked', $blocked, 'forbidden: Denied by fast rules', 'forbidden: blocked'],
	['blacklisted', $black, 'forbidden: blacklisted', 'forbidden: blacklisted']) {
	my ($name, $key, $connect, $onboard) = @$_;
	my $socket = $host->ws;
	$socket->send_json(connect_frame($key, $host));
	is $socket->next(type => ['CONNECTED', 'ERROR', 'ONBOARD_REQUIRED'])->{message}, $connect,
	    "a $name client is not asked for a code";
	is submit($socket, $key, invite_code => 'BETA2024'), $onboard,
	    "a $name client cannot onboard over WebSocket";
	is post($key, invite_code => 'BETA2024'), "403 $connect",
	    "a $name client cannot onboard by a POST";
}
unlike contacts(), qr/$blocked->{address}|$black->{address}/,
    'clients on a block list never become contacts';

# ---- nonsense ----

my $carl = key_new();
$ws = gated($carl);
is submit($ws, $carl, @$_), 'invite_code or payment required',
    'a submission without a code and payment is refused'
    for [], [payment => 'x'], [payment => -1], [payment => 0], [payment => undef],
    [payment => [5]], [payment => JSON::PP::true], [invite_code => ''], [invite_code => 7],
    [invite_code => undef], [payment => '5'];
is submit($ws, $carl, payment => 5), 'Insufficient payment',
    'a payment is refused where there is no price';

# ---- guesses ----

my $dora = key_new();
$ws = gated($dora);
is submit($ws, $dora, invite_code => "guess $_"), 'Invalid invite code',
    'a guessed invite code is refused' for 1 .. 5;
is submit($ws, $dora, invite_code => 'BETA2024'), 'Invalid invite code',
    'a right code after five guesses is refused';
my $again = gated($dora);
is submit($again, $dora, invite_code => 'BETA2024'), 'Invalid invite code',
    'a right code after five guesses is refused on every socket' for 1 .. 4;
is post($dora, invite_code => 'BETA2024'), '403 forbidden: Onboard required',
    'a right code after five guesses is refused by HTTP';
$host->pass(700);
is submit($ws, $dora, invite_code => 'BETA2024')->{level}, 'contact',
    'a client may guess again after ten minutes';
post(key_new(), invite_code => "guess $_") for 1 .. 24;
is post(key_new(), invite_code => 'BETA2024'), '403 forbidden: Onboard required',
    'guesses of many addresses on one machine are limited together';
$host->stop;
unlike $host->words, qr/BETA2024|guess/, 'no invite code is ever in the log';

# ---- codes that are none ----

for (['careful', "trust: careful\n", {}, undef],
	['an empty variable', "trust: careful\n", { CO_INVITE_CODE => ' ' }, undef],
	['a price that is none', "trust: careful\n", { CO_PAYMENT => 'much' }, undef],
	['a price of nothing', "trust: careful\n", { CO_PAYMENT => '0' }, undef],
	['a price below nothing', "trust: careful\n", { CO_PAYMENT => '-5' }, undef],
	['a code', "trust:\n  onboard: {invite_code: BETA}\n  default: ask\n", {},
		{ invite_code => JSON::PP::true, payment => undef }],
	['a price', "trust:\n  onboard: {payment: 2.5}\n  default: ask\n", {},
		{ invite_code => JSON::PP::false, payment => 2.5 }]) {
	my ($name, $yaml, $env, $onboard) = @$_;
	my $key = key_new();
	begin($yaml, $env, workers => 1);
	is_deeply $host->http(GET => '/info')->{json}{onboard}, $onboard,
	    "$name: /info names the open ways to onboard";
	my $socket = $host->ws;
	for my $code ('$CO_INVITE_CODE', 'CO_INVITE_CODE', 'B', 'E', '') {
		next if !length $code;
		is submit($socket, $key, invite_code => $code), 'Invalid invite code',
		    "$name: $code is not accepted as a code";
	}
	is ref submit($socket, $key, invite_code => 'BETA'), $name eq 'a code' ? 'HASH' : '',
	    "$name: BETA is accepted only where it is the code";
	$host->stop;
}

# ---- payments ----

# A backend that knows what each address has paid. It tells in a file what it was asked.
my $backend = IO::Socket::IP->new(Listen => 16, LocalAddr => '127.0.0.1', Type => SOCK_STREAM)
    or die "no socket: $@";
my $url = 'http://127.0.0.1:' . $backend->sockport;
my $notes = File::Temp->newdir;
my %paid = map { $_ => key_new() } qw(enough little twice);
my $backend_pid = fork // die "fork: $!";
if (!$backend_pid) {
	my %amount = ($paid{enough}{address} => 10, $paid{twice}{address} => 12,
		$paid{little}{address} => 9.5);
	while (my $client = $backend->accept) {
		my ($head, $length) = ('', 0);
		while (my $line = <$client>) {
			$head .= $line;
			$length = $1 if $line =~ /^content-length: *(\d+)/i;
			last if $line eq "\r\n";
		}
		read $client, my ($body), $length;
		my $q = $json->decode($body);
		my $a = $head =~ m{^POST /api/v1/auth } ? { token => 'the-token' }
		    : { verified => ($amount{ $q->{from_address} } // 0) >= $q->{min_amount}
			? JSON::PP::true : JSON::PP::false };
		my $text = $json->encode($a);
		open my $note, '>>', "$notes/asked";
		print {$note} $head =~ s/\r\n.*//sr, ' ',
		    $head =~ /^authorization: Bearer the-token\r$/mi ? 'known ' : '', "$body\n";
		close $note;
		print {$client} "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n",
		    'content-length: ', length $text, "\r\nconnection: close\r\n\r\n$text";
		close $client;
	}
	POSIX::_exit(0);
}
close $backend;

begin("trust: careful\n", { CO_PAYMENT => '10',
	CONNECTONION_BACKEND_URL => $url });
($ws, $asked) = gated($paid{little});
is_deeply $asked, { type => 'ONBOARD_REQUIRED', identity => $paid{little}{address},
	methods => ['payment'], payment_amount => 10, payment_address => host_address($host) },
    "ONBOARD_REQUIRED names the operator's price";
is submit($ws, $paid{little}, payment => 9), 'Insufficient payment',
    'a payment below the price is refused';
is submit($ws, $paid{little}, payment => 1000), 'Insufficient payment',
    'the amount that a client claims does not count';
my @asked = split /\n/, read_file("$notes/asked");
like $asked[0], qr{^POST /api/v1/auth .*"public_key":\s*"@{[ host_address($host) ]}"},
    'the host itself asks the backend';
my @questions = map { m{^POST /api/v1/onboard/verify \S+ known (.*)} ? $1 : () } @asked;
is_deeply $json->decode($questions[0] // 'null'),
    { from_address => $paid{little}{address}, min_amount => 10 },
    "the backend is asked for the operator's price";
$ws = gated($paid{enough}, session_id => 'paid');
is_deeply submit($ws, $paid{enough}, payment => 1), { type => 'ONBOARD_SUCCESS',
	identity => $paid{enough}{address}, level => 'contact',
	message => 'Payment verified. You are now a contact.' },
	    'a client that has paid becomes a contact';
is $ws->next(type => 'CONNECTED')->{session_id}, 'paid',
    'the waiting CONNECT of a client that has paid is answered';
$ws = gated($paid{twice});
is submit($ws, $paid{twice}, payment => 10)->{level}, 'contact',
    'a second client that has paid becomes a contact';
write_file($host->dir . '/.co/contacts.txt', '');
$ws = gated($paid{twice});
is submit($ws, $paid{twice}, payment => 10), 'Insufficient payment',
    'one payment does not let a client in twice';
kill KILL => $backend_pid;
waitpid $backend_pid, 0;
my $late = key_new();
$ws = gated($late);
is submit($ws, $late, payment => 10), 'Insufficient payment',
    'a payment is refused while the backend is down';
is submit($ws, $late, payment => 10), 'Insufficient payment',
    'the socket stays open while the backend is down';
$host->stop;
done_testing;
