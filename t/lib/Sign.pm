# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Sign;

# Ed25519 signatures as clients of ConnectOnion make them. t/sign does the arithmetic.
#
#   my $anna = key_new();                    # or key_new($seed): 64 hex digits
#   my $own = key_of($host);                 # the server's own, which is super admin
#   $ws->send_json(connect_frame($anna, $host, session_id => 's'));
#   $ws->send_json(command_frame($anna, $host, INPUT => prompt => 'hi'));   # v2
#   $host->http(GET => $path, signed_get_headers($anna, $path));
#   $host->http(POST => $path, {}, signed_body($anna, { prompt => 'hi' }));
#
# A payload gets the timestamp of this moment unless it has one. "$host" is a CoHost, or
# its address; a CoHost's clock that was moved is followed.
use strict;
use warnings;

use CoHost ();
use Digest::SHA qw(sha256_hex);
use Exporter qw(import);
use IPC::Open2 qw(open2);
use JSON::PP ();
use Scalar::Util qw(blessed);
use Time::HiRes qw(time);

our @EXPORT_OK = qw(key_new key_of canonical sign_text sign_payload connect_frame
	command_frame signed_body signed_get_headers legacy_get_headers
	publisher_headers host_address now);
our %EXPORT_TAGS = (all => \@EXPORT_OK);

# What Python's json.dumps(sort_keys=True, separators=(',', ':')) writes.
my $json = JSON::PP->new->ascii->canonical->allow_nonref;

# ---- the helper ----

my ($pid, $from_helper, $to_helper);

# One line there and back. The helper belongs to the process that started it.
sub ask {
	my ($line) = @_;
	if (!$pid || $pid->{tester} != $$) {
		my $child = open2($from_helper, $to_helper, CoHost::program('t/sign'));
		binmode $to_helper, ':raw';
		$to_helper->autoflush;
		$pid = { tester => $$, child => $child };
	}
	print {$to_helper} "$line\n";
	my $answer = <$from_helper> // die "t/sign does not answer\n";
	chomp $answer;
	return $answer;
}

END {
	if ($pid && $pid->{tester} == $$) {
		local $?;
		close $to_helper;
		waitpid $pid->{child}, 0;
	}
}

# ---- keys ----

my $n_keys = 0;

# A key: {seed, address}. Without a seed, another one each time.
sub key_new {
	my ($seed) = @_;
	$seed //= sha256_hex(join ' ', 'key', $$, time, rand, $n_keys++);
	return { seed => $seed, address => '0x' . ask($seed) };
}

# The key of a project: a CoHost, or its folder.
sub key_of {
	my ($project) = @_;
	my $dir = blessed $project ? $project->dir : $project;
	my $seed = CoHost::read_file("$dir/.co/keys/agent.key");
	die "$dir has no key\n" if length $seed != 32;
	return key_new(unpack 'H*', $seed);
}

sub host_address {
	my ($host) = @_;
	return blessed $host ? $host->{own_address} //= key_of($host)->{address} : $host;
}

# Seconds by the clock of the host, or of this machine.
sub now {
	my ($host) = @_;
	my $moved_ms = blessed $host && $host->{moved_ms} || 0;
	return int(time + $moved_ms / 1000);
}

# ---- signatures ----

# The bytes that are signed of a value, whose numbers Perl and Python print alike.
sub canonical { return $json->encode($_[0]) =~ s/\x7f/\\u007f/gr }

# The signature of a text without line breaks, in bytes.
sub sign_text {
	my ($key, $text) = @_;
	die "t/sign reads lines\n" if $text =~ /\n/;
	return ask("$key->{seed} $text");
}

# {payload, from, signature}.
sub sign_payload {
	my ($key, $payload) = @_;
	$payload = { timestamp => now(), %$payload };
	return {
		payload => $payload, from => $key->{address},
		signature => sign_text($key, canonical($payload)),
	};
}

# ---- frames ----

# CONNECT. v2 => 1 promises to sign each command; payload => {} adds to what is signed
# and may replace it (undef takes away); other members go into the frame.
sub connect_frame {
	my ($key, $host, %o) = @_;
	my %payload = (to => host_address($host), timestamp => now($host));
	$payload{signed_commands} = 1 if delete $o{v2};
	%payload = (%payload, %{ delete $o{payload} || {} });
	delete @payload{ grep { !defined $payload{$_} } keys %payload };
	return { type => 'CONNECT', %o, %{ sign_payload($key, \%payload) } };
}

my $n_commands = 0;

# A command of a v2 socket, all of it signed.
sub command_frame {
	my ($key, $host, $type, %members) = @_;
	my %payload = (
		type => $type, to => host_address($host), timestamp => now($host),
		nonce => join('-', $$, int rand 2**31, $n_commands++), %members,
	);
	return { %payload, %{ sign_payload($key, \%payload) } };
}

# ---- HTTP ----

# The body of a signed POST; more members are not covered by the signature.
sub signed_body {
	my ($key, $payload, %more) = @_;
	return { %more, %{ sign_payload($key, $payload) } };
}

# The headers of a signed GET. path is without the query.
sub signed_get_headers {
	my ($key, $path, %o) = @_;
	my $timestamp = $o{timestamp} // now();
	my $payload = { method => 'GET', path => $path, timestamp => 0 + $timestamp };
	return {
		'x-co-from' => $key->{address}, 'x-co-timestamp' => $timestamp,
		'x-co-signature' => sign_text($key, canonical($payload)),
	};
}

# Those of older clients, which sign the time alone. It must have a fraction.
sub legacy_get_headers {
	my ($key, $timestamp) = @_;
	$timestamp //= now() . '.5';
	return {
		'x-from' => $key->{address}, 'x-timestamp' => $timestamp,
		'x-signature' => sign_text($key, qq({"timestamp":$timestamp})),
	};
}

# Those of a request to a route of the agent's own: method, path, host, and query (in
# its canonical form), body, request_id, timestamp.
sub publisher_headers {
	my ($key, $host, $method, $path, %o) = @_;
	my $to = host_address($host);
	my $timestamp = $o{timestamp} // now($host);
	my $id = $o{request_id} // sha256_hex(join ' ', $$, time, rand);
	my $payload = {
		method => $method, path => $path, query => $o{query} // '',
		body_sha256 => sha256_hex($o{body} // ''), to => $to,
		timestamp => 0 + $timestamp, request_id => $id,
	};
	return {
		'x-co-from' => $key->{address}, 'x-co-to' => $to,
		'x-co-timestamp' => $timestamp, 'x-co-request-id' => $id,
		'x-co-signature' => sign_text($key, canonical($payload)),
	};
}

1;
