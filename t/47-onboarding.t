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
	methods => ['invite_code'] }, 'by the doors that are open, and no others';
$ws->send_json({ type => 'INPUT', prompt => 'echo too early' });
is $ws->next(type => ['ERROR', 'OUTPUT'])->{type}, 'ERROR', 'it runs nothing meanwhile';
is submit($ws, $anna, invite_code => 'WRONG'), 'Invalid invite code', 'a wrong code is refused';
is submit($ws, $bert, invite_code => 'BETA2024'),
    'unauthorized: signer does not match CONNECT', 'and a right one by somebody else';
is contacts(), '', 'who is no contact by that';
my $bad = { type => 'ONBOARD_SUBMIT',
	%{ sign_payload($anna, { invite_code => 'BETA2024', timestamp => now($host) }) } };
$bad->{payload}{invite_code} = 'BETA2025';
$ws->send_json($bad);
is $ws->next(type => ['ERROR', 'ONBOARD_SUCCESS'])->{message},
    'unauthorized: invalid signature', 'and one that is not signed';
is submit($ws, $anna, invite_code => 'BETA2024', to => $bert->{address}),
    'unauthorized: wrong recipient', 'and one for another host';
is_deeply submit($ws, $anna, invite_code => 'BETA2024'), { type => 'ONBOARD_SUCCESS',
	identity => $anna->{address}, level => 'contact',
	message => 'Invite code verified. You are now a contact.' }, 'the right one is good';
my $connected = $ws->next(type => 'CONNECTED');
is $connected->{session_id}, 'hers', 'then the CONNECT that waited is answered';
is contacts(), "$anna->{address}\n", 'she is a contact from now on';
$ws->send_json({ type => 'INPUT', prompt => 'echo once', input_id => 'i' });
my @all = $ws->all_until('OUTPUT');
is $all[-1]{result}, 'once', 'her input runs';
is_deeply [map { "$_->{role}: $_->{content}" } @{ $all[-1]{session}{messages} }],
    ['user: I am Anna', 'user: echo once', 'assistant: once'],
    'in the conversation that came with CONNECT';
is_deeply [grep { $_->{type} =~ /OUTPUT|ERROR|user_input/ } $ws->settle], [], 'once';
is $host->metric('cohostd_runs_done_total'), 1, 'and nothing else ran';

is post($anna), 'in', 'a contact is one to all workers' for 1 .. 8;
is post($bert), '403 forbidden: Onboard required', 'others are not';

# ---- by HTTP ----

is post($bert, invite_code => 'WRONG'), '403 forbidden: Onboard required',
    'a wrong code in a request';
is post($bert, invite_code => 'BETA2024'), 'in', 'and the right one';
is post($bert), 'in', 'which is not needed twice';
is contacts(), "$anna->{address}\n$bert->{address}\n", 'another contact';
is post(key_new(), payment => 1000), '403 forbidden: Onboard required',
    'a payment is never believed in a request';

# ---- who may not ----

for (['blocked', $blocked, 'forbidden: Denied by fast rules', 'forbidden: blocked'],
	['blacklisted', $black, 'forbidden: blacklisted', 'forbidden: blacklisted']) {
	my ($name, $key, $connect, $onboard) = @$_;
	my $socket = $host->ws;
	$socket->send_json(connect_frame($key, $host));
	is $socket->next(type => ['CONNECTED', 'ERROR', 'ONBOARD_REQUIRED'])->{message}, $connect,
	    "who is $name is not asked for a code";
	is submit($socket, $key, invite_code => 'BETA2024'), $onboard, 'and cannot give one';
	is post($key, invite_code => 'BETA2024'), "403 $connect", 'by HTTP neither';
}
unlike contacts(), qr/$blocked->{address}|$black->{address}/, 'both stay what they are';

# ---- nonsense ----

my $carl = key_new();
$ws = gated($carl);
is submit($ws, $carl, @$_), 'invite_code or payment required', 'no code and no payment'
    for [], [payment => 'x'], [payment => -1], [payment => 0], [payment => undef],
    [payment => [5]], [payment => JSON::PP::true], [invite_code => ''], [invite_code => 7],
    [invite_code => undef], [payment => '5'];
is submit($ws, $carl, payment => 5), 'Insufficient payment', 'a payment where there is no price';

# ---- guesses ----

my $dora = key_new();
$ws = gated($dora);
is submit($ws, $dora, invite_code => "guess $_"), 'Invalid invite code', 'a guess' for 1 .. 5;
is submit($ws, $dora, invite_code => 'BETA2024'), 'Invalid invite code',
    'the sixth code is not even looked at';
my $again = gated($dora);
is submit($again, $dora, invite_code => 'BETA2024'), 'Invalid invite code',
    'on no socket, by no worker' for 1 .. 4;
is post($dora, invite_code => 'BETA2024'), '403 forbidden: Onboard required', 'nor by HTTP';
$host->pass(700);
is submit($ws, $dora, invite_code => 'BETA2024')->{level}, 'contact',
    'ten minutes later they may try again';
post(key_new(), invite_code => "guess $_") for 1 .. 24;
is post(key_new(), invite_code => 'BETA2024'), '403 forbidden: Onboard required',
    'many addresses of one machine do not help';
$host->stop;
unlike $host->words, qr/BETA2024|guess/, 'no code is ever in the log';

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
	    "$name: /info tells what is open";
	my $socket = $host->ws;
	for my $code ('$CO_INVITE_CODE', 'CO_INVITE_CODE', 'B', 'E', '') {
		next if !length $code;
		is submit($socket, $key, invite_code => $code), 'Invalid invite code',
		    "$name: $code is no code";
	}
	is ref submit($socket, $key, invite_code => 'BETA'), $name eq 'a code' ? 'HASH' : '',
	    "$name: BETA is one where it is the code";
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
    'the price is the operator\'s';
is submit($ws, $paid{little}, payment => 9), 'Insufficient payment', 'less is too little';
is submit($ws, $paid{little}, payment => 1000), 'Insufficient payment',
    'whatever the client says it was';
my @asked = split /\n/, read_file("$notes/asked");
like $asked[0], qr{^POST /api/v1/auth .*"public_key":\s*"@{[ host_address($host) ]}"},
    'the backend is asked by the host itself';
my @questions = map { m{^POST /api/v1/onboard/verify \S+ known (.*)} ? $1 : () } @asked;
is_deeply $json->decode($questions[0] // 'null'),
    { from_address => $paid{little}{address}, min_amount => 10 },
    'for the operator\'s price';
$ws = gated($paid{enough}, session_id => 'paid');
is_deeply submit($ws, $paid{enough}, payment => 1), { type => 'ONBOARD_SUCCESS',
	identity => $paid{enough}{address}, level => 'contact',
	message => 'Payment verified. You are now a contact.' }, 'who has paid is let in';
is $ws->next(type => 'CONNECTED')->{session_id}, 'paid', 'and connected';
$ws = gated($paid{twice});
is submit($ws, $paid{twice}, payment => 10)->{level}, 'contact', 'another one';
write_file($host->dir . '/.co/contacts.txt', '');
$ws = gated($paid{twice});
is submit($ws, $paid{twice}, payment => 10), 'Insufficient payment',
    'one payment does not let in twice';
kill KILL => $backend_pid;
waitpid $backend_pid, 0;
my $late = key_new();
$ws = gated($late);
is submit($ws, $late, payment => 10), 'Insufficient payment',
    'without the backend nobody has paid';
is submit($ws, $late, payment => 10), 'Insufficient payment', 'and the socket stays open';
$host->stop;
done_testing;
