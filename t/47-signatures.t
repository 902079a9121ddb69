#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What is checked of a signed request, in which order, and how long a used signature is
# remembered.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(write_file);
use Sign qw(:all);
use Test::More;

my ($anna, $bert, $blocked, $mallory, $root) = map { key_new() } 1 .. 5;

# An address with other letters, and without 0x.
sub bare { return uc substr $_[0]{address}, 2 }

my $dir = CoHost::directory(yaml => "trust: open\nblacklist: black.txt\n");
write_file("$dir/black.txt", bare($mallory) . "\n");
write_file("$dir/.co/admins.txt", '0x' . bare($root) . "\n");
write_file("$dir/.co/blocklist.txt", "$blocked->{address}\n");
my $host = CoHost->start(dir => "$dir", clock => 1);
my $address = host_address($host);

# Two CONNECTs of one second would have one signature.
my $n = 0;
sub hello { return connect_frame(@_, payload => { nonce => $n++ }) }

sub answer {
	my ($frame) = @_;
	my $ws = $host->ws;
	ref $frame ? $ws->send_json($frame) : $ws->send_text($frame);
	return $ws->next(type => ['CONNECTED', 'ERROR', 'SESSION_STATUS', 'ADMIN_RESULT']);
}

sub message { return answer(@_)->{message} }

sub post { return $host->http(POST => '/input', {}, @_) }

# ---- one identity in all its spellings ----

my %spelled = (
	'as we write it' => sub { $_[0]{address} },
	'in upper case' => sub { '0x' . bare($_[0]) },
	'without 0x' => sub { substr $_[0]{address}, 2 },
	'in upper case without 0x' => \&bare,
);
is answer(hello($anna, $host, session_id => 'hers'))->{status}, 'new',
    'a signed CONNECT begins a session';
for my $how (sort keys %spelled) {
	my $spell = $spelled{$how};
	is message({ %{ hello($mallory, $host) }, from => $spell->($mallory) }),
	    'forbidden: blacklisted', "an address in from $how is found in the blacklist";
	is answer({ %{ hello($anna, $host, session_id => 'hers') }, from => $spell->($anna) })
	    ->{status}, 'connected', "an address in from $how owns the session of the address";
	is answer({ type => 'ADMIN_GET_LEVEL', %{ sign_payload($root, { to => $address,
			client_id => $anna->{address}, nonce => $how }) },
		from => $spell->($root) })->{level}, 'stranger',
		    "an address in from $how is found among the admins";
	is message({ %{ connect_frame($anna, $host, payload => { nonce => $how }) },
		from => $spell->($anna) }), undef, "an address in from $how is accepted";
	is message({ %{ connect_frame($anna, $spell->({ address => $address }),
		payload => { nonce => "to $how" }) } }), undef,
		    "the host's address in to $how is accepted";
}

my $frame = hello($anna, $host);
is answer($frame)->{type}, 'CONNECTED', 'a fresh signature is accepted';
$host->pass(3); # an equal one may come at once, from the same address
for my $how (sort keys %spelled) {
	for my $signature ($frame->{signature}, uc $frame->{signature}, "0x$frame->{signature}") {
		is message({ %$frame, from => $spelled{$how}->($anna), signature => $signature }),
		    'unauthorized: this CONNECT was already used',
		    "a used signature is refused with from $how";
	}
}

my $odd = hello($anna, $host);
for my $from (substr($odd->{from}, 0, 10) . ' ' . substr($odd->{from}, 10), "$odd->{from} ",
	" $odd->{from}", "$odd->{from}\n", '0X' . bare($anna), "$odd->{from}0", 'anna') {
	is message({ %$odd, from => $from }), 'unauthorized: invalid signature',
	    'a from with any other character is refused';
}
for my $signature ("0X$odd->{signature}", "$odd->{signature} ", " $odd->{signature}",
	substr($odd->{signature}, 2), "$odd->{signature}00",
	substr($odd->{signature}, 0, 64) . ' ' . substr($odd->{signature}, 64)) {
	is message({ %$odd, signature => $signature }), 'unauthorized: invalid signature',
	    'a signature with any other character is refused';
}
is message({ %$odd, signature => '0x' . uc $odd->{signature} }), undef,
    'a signature in upper case with 0x is accepted';

# ---- the order of checks ----

my @faults = (
	['no payload', { from => $mallory->{address} }, undef,
		'unauthorized: signed request required', 401],
	['one of the blacklist', { from => $mallory->{address}, signature => '' }, {},
		'forbidden: blacklisted', 403],
	['no from', { signature => '' }, {}, "unauthorized: 'from' field required", 401],
	['an empty signature', { from => $anna->{address}, signature => '' }, {},
		'unauthorized: signature required', 401],
	['no timestamp', { from => $anna->{address}, signature => 'x' }, { to => 'x' },
		'unauthorized: timestamp required in payload', 401],
	['an old timestamp', { from => $anna->{address}, signature => 'x' },
		{ to => 'x', timestamp => now($host) - 310 },
		'unauthorized: signature expired', 401],
	['a timestamp to come', { from => $anna->{address}, signature => 'x' },
		{ to => 'x', timestamp => now($host) + 310 },
		'unauthorized: signature expired', 401],
	['another recipient', { from => $anna->{address}, signature => 'x' },
		{ to => 'x', timestamp => now($host) }, 'unauthorized: wrong recipient', 401],
	['a bad signature', { from => $anna->{address}, signature => 'x' },
		{ to => $address, timestamp => now($host) },
		'unauthorized: invalid signature', 401],
);
for (@faults) {
	my ($name, $request, $payload, $error, $status) = @$_;
	$payload = { prompt => 'echo no', %$payload } if $payload;
	my %all = (%$request, $payload ? (payload => $payload) : ());
	my $r = post(\%all);
	is $r->{json}{error}, $error, "POST /input: $name is reported first";
	is $r->{status}, $status, "POST /input: $name has its status";
	is message({ type => 'CONNECT', %all }), $error, "CONNECT: $name is reported first";
}

my $refused = signed_body($blocked, { prompt => 'echo no', to => $address });
is post($refused)->{json}{error}, 'forbidden: Denied by fast rules', 'the policy comes last';
is post($refused)->{json}{error}, 'unauthorized: signature already used',
    'a second use of a signature is reported before the policy decides';

# ---- timestamps ----

my $from = qq("from":"$anna->{address}");
my @timestamps = (
	['true', 'timestamp must be numeric'], ['"170"', 'timestamp must be numeric'],
	['[1]', 'timestamp must be numeric'], ['null', 'timestamp required in payload'],
	['0', 'timestamp required in payload'], ['""', 'timestamp required in payload'],
	['1e999', 'timestamp must be finite'], ['-1e999', 'timestamp must be finite'],
	['1', 'signature expired'],
);
for (@timestamps) {
	my ($timestamp, $error) = @$_;
	my $text = qq({"payload":{"prompt":"x","to":"$address","timestamp":$timestamp},$from,)
	    . '"signature":"' . '1' x 128 . '"';
	is post("$text}")->{json}{error}, "unauthorized: $error", "timestamp $timestamp: $error";
	is message(qq($text,"type":"CONNECT"})), "unauthorized: $error",
	    "timestamp $timestamp: CONNECT is refused in the same words";
}
my $nan = qq({"payload":{"timestamp":NaN},$from,"signature":"x"});
is_deeply [@{ post($nan) }{qw(status json)}], [400, { error => 'Invalid JSON' }],
    'timestamp NaN is no JSON';
my %far = (to => $address, prompt => 'echo in time');
is post(signed_body($anna, { %far, timestamp => now($host) + $_ }))->{status}, 200,
    "a timestamp $_ s from now is good" for -290, 290;

# ---- what is signed, byte for byte ----

# A request whose payload is sent as it is written; signed may be another text.
sub raw {
	my ($key, $payload, $signed) = @_;
	return qq({"payload":$payload,"from":"$key->{address}","signature":")
	    . sign_text($key, $signed // $payload) . '"}';
}

my $tail = '"prompt":"echo big","timestamp":' . now($host) . '}';
my $big = qq({"a":9007199254740993,"b":18446744073709551617,"c":-0,$tail);
is post(raw($anna, $big, $big =~ s/-0/0/r))->{json}{result}, 'big',
    'whole numbers above 2^53 and 2^64 keep their digits';
for my $digits (['40993', '40992'], ['9551617', '9551616'], ['18446744073709551617',
	'1.8446744073709552e+19']) {
	my $other = $big =~ s/$digits->[0]/$digits->[1]/r =~ s/-0/0/r;
	is post(raw($anna, $big, $other))->{json}{error}, 'unauthorized: invalid signature',
	    "a signature over $digits->[1] is no signature over $digits->[0]";
}
my $twice = qq({"prompt":"evil",$tail);
is post(raw($anna, $twice, $_))->{json}{error}, 'unauthorized: invalid signature',
    'a payload with a doubled key is refused, whichever of the two is signed'
    for $twice, "{$tail", qq({"prompt":"evil","timestamp":) . now($host) . '}';

# ---- a bad signature uses nothing up ----

my $later = hello($anna, $host);
my $changed = { %$later, payload => { %{ $later->{payload} }, nonce => 'changed' } };
is message($changed), 'unauthorized: invalid signature', 'a changed payload is refused';
is message({ %$later, from => $bert->{address} }), 'unauthorized: invalid signature',
    'a signature with another signer is refused';
is answer($later)->{type}, 'CONNECTED', 'a signature is not used up by refused copies';

# ---- commands that are signed one by one ----

my $v2 = $host->ws;
$v2->send_json(connect_frame($anna, $host, session_id => 'v2', v2 => 1));
$v2->next(type => 'CONNECTED');

sub refusal {
	my ($command) = @_;
	$v2->send_json($command);
	return $v2->next(type => ['ERROR', 'OUTPUT'])->{message};
}

my %input = (prompt => 'echo signed');
is refusal({ type => 'INPUT', %input }), 'unauthorized: signed command required',
    'v2: an unsigned command is refused';
is refusal(command_frame($bert, $host, INPUT => %input)),
    'unauthorized: command signer does not own this connection',
    'v2: a command of another signer is refused';
is refusal({ %{ command_frame($anna, $host, INPUT => %input) }, type => 'INTERRUPT' }),
    'unauthorized: signed command type mismatch',
    'v2: a command of another type than the signed one is refused';
is refusal(command_frame($anna, $host, INPUT => %input, nonce => '')),
    'unauthorized: signed command nonce required', 'v2: an empty nonce is refused';
is refusal(command_frame($anna, $host, INPUT => %input, nonce => 7)),
    'unauthorized: signed command nonce required', 'v2: a nonce that is no text is refused';
is refusal(command_frame($anna, $bert->{address}, INPUT => %input)),
    'unauthorized: wrong recipient', 'v2: a command for another host is refused';
my $old = command_frame($anna, $host, INPUT => %input, timestamp => now($host) - 310);
is refusal($old), 'unauthorized: signature expired', 'v2: an old command is refused';
my $spoiled = command_frame($anna, $host, INPUT => %input);
$spoiled->{payload}{prompt} = 'echo other';
is refusal($spoiled), 'unauthorized: invalid signature',
    'v2: a changed command is refused';
my $command = command_frame($anna, $host, INPUT => %input);
$v2->send_json({ %$command, prompt => 'echo unsigned', session_id => 'other' });
is $v2->next(type => ['ERROR', 'OUTPUT'])->{result}, 'signed',
    'v2: members beside the payload are ignored';
is refusal($command), 'unauthorized: signed command already used',
    'v2: a repeated command is refused';
$v2->send_json({ type => 'PONG' });
$v2->send_json({ type => 'SESSION_STATUS', session => { session_id => 'v2' } });
is $v2->next(type => ['SESSION_STATUS', 'ERROR'])->{type}, 'SESSION_STATUS',
    'v2: PONG and SESSION_STATUS need no signature';

# ---- how long a use is remembered ----

my %future = (prompt => 'echo future', timestamp => now($host) + 200);
my $body = signed_body($anna, \%future);
is post($body)->{json}{result}, 'future', 'a signature 200 s in the future is accepted';
$host->pass(450);
is post($body)->{json}{error}, 'unauthorized: signature already used',
    'a used signature is remembered after 450 s';
$host->pass(60);
is post($body)->{json}{error}, 'unauthorized: signature expired',
    'a used signature expires after 510 s';

# ---- when uses cannot be kept ----

SKIP: {
	my @workers = $host->workers;
	sub limit_files { return !grep { system "prlimit --fsize=$_[0] --pid $_" } @workers }
	skip 'cannot limit the size of files', 1 unless limit_files('1:');
	is message(hello($anna, $host, session_id => 'lost')),
	    'misconfigured: replay protection unavailable',
	    'CONNECT is refused while its use cannot be stored';
	my $r = post(signed_body($anna, { prompt => 'echo lost', timestamp => now($host) }));
	is $r->{status}, 503, 'an input is refused while its use cannot be stored';
	is $r->{json}{error}, 'misconfigured: replay protection unavailable',
	    'the refusal of an input whose use cannot be stored has the same words';
	$v2->send_json(command_frame($anna, $host, INPUT => %input));
	is $v2->next(type => ['ERROR', 'OUTPUT'])->{message},
	    'misconfigured: replay protection unavailable',
	    'a command is refused while its use cannot be stored';
	limit_files('unlimited:');
	is answer(hello($anna, $host, session_id => 'lost'))->{status}, 'new',
	    'a CONNECT whose use could not be stored left no session';
	is answer({ type => 'SESSION_STATUS', session => { session_id => 'lost' } })->{status},
	    'not_found', 'a session of the owner is not found by an unsigned client';
}
$host->stop;
done_testing;
