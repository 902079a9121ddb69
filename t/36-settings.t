#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Configuration by the conformance checklist: which setting counts, what stops a start, and
# that key and recovery phrase are told to nobody.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program read_file run wait_for write_file);
use IO::Socket::IP;
use JSON::PP;
use MIME::Base64 qw(encode_base64);
use Sign qw(:all);
use Test::More;

delete @ENV{qw(AGENT_PORT CO_INVITE_CODE CO_PAYMENT CONNECTONION_ENV)};

# ---- the port ----

# On an address of this machine where nobody else is, every port in question is taken: so
# each start says which one it wanted.
my $ip = join '.', 127, 64 + int rand 60, int rand 250, 1 + int rand 250;
sub taken {
	my ($port) = @_;
	return IO::Socket::IP->new(LocalHost => $ip, LocalPort => $port, Listen => 1) // die $@;
}
my @taken = map { taken($_) } 8000, 0, 0, 0;
my ($default, $file, $env, $option) = map { $_->sockport } @taken;
my @ports = (
	['nothing', undef, undef, undef, $default],
	['host.yaml', $file, undef, undef, $file],
	['AGENT_PORT over host.yaml', $file, $env, undef, $env],
	['the parameter over AGENT_PORT', $file, $env, $option, $option],
	['AGENT_PORT alone', undef, $env, undef, $env],
	['the parameter over host.yaml', $file, undef, $option, $option],
);
for (@ports) {
	my ($what, $file, $env, $option, $wants) = @$_;
	my $dir = CoHost::directory($file ? (yaml => "port: $file\n") : ());
	my $r = run([program('co-hostd'), '-d', "$dir", '-b', $ip, $option ? ('-p', $option) : ()],
		env => { HOME => "$dir/home", AGENT_PORT => $env });
	like $r->{out}, qr/\Q$ip\E\D+$wants\b.*in use/i, "the port comes from $what";
	isnt $r->{status}, 0, "a port that is taken stops the start: $what";
	unlike $r->{out}, qr/\[host\]|Waiting for tasks/,
	    "a port that is taken stops the start before any banner: $what";
}

# ---- where settings are ----

my $dir = CoHost::directory(yaml => "name: outer\n\nport: abc\n");
mkdir "$dir/$_" for qw(src src/deep);
my $check = sub {
	my ($from) = @_;
	return run([program('co-hostd'), '-t'], dir => "$dir/$from", env => { HOME => "$dir/home" });
};
for my $from ('.', 'src', 'src/deep') {
	my $r = $check->($from);
	isnt $r->{status}, 0, "host.yaml is found from $from";
	like $r->{out}, qr{\Q$dir\E/\.co/host\.yaml\D+3\b.*port must be an integer},
	    "started from $from, the message names the wrong line of host.yaml";
}
write_file("$dir/.co/host.yaml", "name: outer\nblacklist: lists/blocked.txt\n");
for my $from ('.', 'src/deep') {
	my $r = $check->($from);
	isnt $r->{status}, 0, "a missing blacklist stops the start from $from";
	like $r->{out}, qr{blacklist.*\Q$dir\E/lists/blocked\.txt.*No such file},
	    "started from $from, the blacklist is looked for in the project";
}
mkdir "$dir/lists";
write_file("$dir/lists/blocked.txt", "\n");
is $check->('src/deep')->{status}, 0, 'a blacklist that exists is accepted';
write_file("$dir/.co/host.yaml", "whitelist: none.txt\n");
is $check->('.')->{status}, 0, 'a whitelist that is not there is empty';

# ---- a policy in host.yaml ----

my ($anna, $bert, $carl) = (key_new(), key_new(), key_new());
my $host = CoHost->start(yaml => <<'END');
trust:
  allow: [whitelisted]
  default: deny
END
write_file($host->dir . '/.co/whitelist.txt', "$anna->{address}\n");
write_file($host->dir . '/.co/contacts.txt', "$bert->{address}\n");
my @who = (
	[$anna, 200, undef],
	[$bert, 403, 'forbidden: Denied by fast rules'],
	[$carl, 403, 'forbidden: Denied by fast rules'],
);
for (@who) {
	my ($key, $status, $error) = @$_;
	my $r = $host->http(POST => '/input', {}, signed_body($key, { prompt => 'echo x' }));
	is_deeply [$r->{status}, $r->{json}{error}], [$status, $error],
	    'a mapping is a policy, and counts: ' . ($error // 'allowed');
}
is $host->input('echo x')->{json}{error}, 'unauthorized: signed request required',
    'a policy in a mapping refuses unsigned inputs';
$host->stop;

# ---- four processes, one registry ----

$host = CoHost->start(args => ['--trust', 'open'], clock => 1);
is scalar($host->workers), 4, 'there are four workers';
my $ws = $host->ws(session => { session_id => 'one' });
$ws->send_json({ type => 'INPUT', prompt => 'ask Whom?' });
$ws->next(type => 'ask_user');
my (@sockets, @status);
my $served = sub {
	my %by = map { $_ => 1 } $host->words =~ /worker\[(\d+)\] pid=\d+: .*CONNECT /g;
	return scalar keys %by;
};
ok wait_for(20, sub {
	push @sockets, $host->ws(session => { session_id => 'one' });
	push @status, $sockets[-1]->connected->{status};
	return $served->() == 4;
}), 'clients are served by all four workers';
is_deeply [grep { $_ ne 'running' } @status], [], 'each worker knows of the running turn';
$sockets[-1]->send_json({ type => 'ASK_USER_RESPONSE', answer => 'you' });
is_deeply [map { $_->next(type => 'OUTPUT')->{result} } $ws, @sockets],
    [('You answered: you') x (1 + @sockets)],
    'an answer through one socket ends the turn for all sockets';
$host->stop;

# ---- secrets ----

$host = CoHost->start(yaml => "name: keeper\n", env => { CO_INVITE_CODE => 'open-sesame-4711' });
my $seed = read_file($host->dir . '/.co/keys/agent.key');
my $phrase = read_file($host->dir . '/.co/keys/recovery.txt');
chomp $phrase;
is length $seed, 32, 'there is a key';
my @told = map { $host->http(GET => $_)->{body} } qw(/info /health /metrics /docs /nope
	/sessions/x /admin/logs /.co/keys/agent.key /../.co/keys/recovery.txt),
	'/sessions/..%2f..%2f.co%2fkeys%2frecovery.txt';
push @told, $host->http(POST => '/input', {}, $_)->{body} for '{', signed_body($anna, {}),
	signed_body($anna, { prompt => 'fail' }), signed_body($anna, { prompt => 'x', to => 'y' });
my $frames = $host->ws;
for my $frame (connect_frame($anna, $host), connect_frame($anna, 'nobody'),
    connect_frame(key_of($host), $host, payload => { n => 1 }),
    { type => 'INPUT', prompt => 'fail' }, { type => 'SESSION_STATUS', session => {} }) {
	$frames->send_json($frame);
	push @told, map { JSON::PP->new->encode($_) } $frames->settle;
}
push @told, JSON::PP->new->encode($_) for $host->ws->settle;
$host->stop;
push @told, $host->words, map { read_file($_) } glob($host->dir . '/.co/logs/*'),
    glob($host->dir . '/.co/*.json*');
my %secrets = (
	'the key' => qr/\Q$seed\E/, 'the key in hex' => qr/${\ unpack 'H*', $seed }/i,
	'the key in base64' => qr/\Q${\ encode_base64($seed, '') }\E/,
	'the recovery phrase' => qr/\Q$phrase\E/, 'the invite code' => qr/open-sesame-4711/,
);
for my $what (sort keys %secrets) {
	is scalar(grep { /$secrets{$what}/ } @told), 0, "$what is in no log, reply or frame";
}
like join('', @told), qr/Invite: set .* CO_INVITE_CODE in \.env, not printed here/,
    'the banner says that an invite code is set';
done_testing;
