#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Who may come in: levels of trust and levels of people, at both doors; the lists; and the
# settings that overrule them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program read_file run write_file);
use Sign qw(:all);
use Test::More;

my %key = map { $_ => key_new() } qw(blocked stranger contact whitelist admin other);
my $host;

# A host with our people in its lists.
sub begin {
	my ($yaml, %o) = @_;
	my $dir = CoHost::directory(yaml => $yaml);
	my %files = (contact => 'contacts', whitelist => 'whitelist', blocked => 'blocklist',
		admin => 'admins');
	write_file("$dir/.co/$files{$_}.txt", "# ours\n$key{$_}{address}\n") for keys %files;
	write_file("$dir/$_", $o{files}{$_}) for keys %{ $o{files} || {} };
	return $host = CoHost->start(dir => $dir, env => $o{env} || {});
}

# ---- knocking at the doors ----

my $n = 0;

# What CONNECT is answered with: a type, or the words of an ERROR.
sub knock {
	my ($who) = @_;
	my $frame = $who eq 'unsigned' ? { type => 'CONNECT' }
	    : connect_frame($key{ $who eq 'invalid' ? 'stranger' : $who }, $host,
		payload => { nonce => $n++ });
	$frame->{signature} =~ tr/0-9a-f/1-9a-f0/ if $who eq 'invalid';
	my $ws = $host->ws;
	$ws->send_json($frame);
	my $answer = $ws->next(type => ['CONNECTED', 'ERROR', 'ONBOARD_REQUIRED']);
	$ws->close;
	return $answer->{message} // $answer->{type};
}

# What POST /input is answered with: the result, or status and error.
sub post {
	my ($who, %payload) = @_;
	my $body = $who eq 'unsigned' ? { prompt => 'echo in' }
	    : signed_body($key{ $who eq 'invalid' ? 'stranger' : $who },
		{ prompt => 'echo in', nonce => $n++, %payload });
	$body->{signature} =~ tr/0-9a-f/1-9a-f0/ if $who eq 'invalid';
	my $r = $host->http(POST => '/input', {}, $body);
	return $r->{json}{result} // "$r->{status} $r->{json}{error}";
}

my $UNSIGNED = 'unauthorized: signed request required';
my $INVALID = 'unauthorized: invalid signature';
my $DENIED = 'forbidden: Denied by fast rules';

# Answers as the two doors give them.
my %says = (
	in => ['CONNECTED', 'in'],
	unsigned => [$UNSIGNED, "401 $UNSIGNED"],
	invalid => [$INVALID, "401 $INVALID"],
	denied => [$DENIED, "403 $DENIED"],
	door => ['ONBOARD_REQUIRED', '403 forbidden: Onboard required'],
	nobody => map { [$_, "403 $_"] } 'forbidden: trust evaluation unavailable',
);

my @who = qw(unsigned invalid blocked stranger contact whitelist admin);
my @levels = (
	['open', "trust: open\n", {}, qw(in invalid denied in in in in)],
	['OPEN', "trust: OPEN\n", {}, qw(in invalid denied in in in in)],
	['careful without a door', "trust: careful\n", {}, qw(in invalid denied in in in in)],
	['careful with a door', "trust: careful\n", { CO_INVITE_CODE => 'BETA' },
		qw(unsigned invalid denied door in in in)],
	['careful with a price', "trust: careful\n", { CO_PAYMENT => '7' },
		qw(unsigned invalid denied door in in in)],
	['strict', "trust: strict\n", { CO_INVITE_CODE => 'BETA' },
		qw(unsigned invalid denied denied denied in in)],
	['custom: all', "trust:\n  default: allow\n", {}, qw(in invalid denied in in in in)],
	['custom: contacts', "trust:\n  allow: [contact]\n", {},
		qw(unsigned invalid denied denied in denied denied)],
	['custom: ask nobody', "trust:\n  allow: [admin]\n  default: ask\n", {},
		qw(unsigned invalid denied nobody nobody nobody in)],
	['custom: ask, with a door',
		"trust:\n  allow: [contact]\n  onboard: {invite_code: BETA}\n  default: ask\n", {},
		qw(unsigned invalid denied door in door door)],
);
for (@levels) {
	my ($name, $yaml, $env, @want) = @$_;
	begin($yaml, env => $env);
	for my $i (0 .. $#who) {
		my ($ws, $http) = @{ $says{ $want[$i] } };
		is knock($who[$i]), $ws, "$name: CONNECT of $who[$i]";
		is post($who[$i]), $http, "$name: POST /input of $who[$i]";
	}
	my $info = $host->http(GET => '/info')->{json};
	is $info->{trust}, $name =~ /custom/ ? 'custom' : lc((split / /, $name)[0]),
	    "$name: /info names the level";
	is defined $info->{onboard}, scalar(grep { $_ eq 'door' } @want) > 0,
	    "$name: /info has onboard where a way is open";
	$host->stop;
}

# ---- the lists change ----

begin("trust: strict\n", env => {});
sub put { write_file($host->dir . "/.co/$_[0].txt", $_[1]) }
is_deeply { map { knock('stranger') => 1 } 1 .. 8 }, { $DENIED => 1 },
    'every worker refuses a stranger';
put(whitelist => uc(substr $key{stranger}{address}, 2) . "\n");
is_deeply { map { knock('stranger') => 1 } 1 .. 8 }, { CONNECTED => 1 },
    'every worker admits a client just put on the whitelist';
put(whitelist => '');
is_deeply { map { knock('stranger') => 1 } 1 .. 8 }, { $DENIED => 1 },
    'every worker refuses a client just taken off the whitelist';
put(whitelist => substr($key{stranger}{address}, 0, 20) . "*\n");
is knock('stranger'), 'CONNECTED', 'a pattern in the whitelist counts';
put(admins => substr($key{other}{address}, 0, 20) . "*\n");
is knock('other'), $DENIED, 'a pattern in the list of admins does not count';

# ---- who is blocked while connected ----

my $v1 = $host->ws;
$v1->send_json(connect_frame($key{stranger}, $host, session_id => 'v1',
	payload => { nonce => $n++ }));
$v1->next(type => 'CONNECTED');
my $v2 = $host->ws;
$v2->send_json(connect_frame($key{stranger}, $host, session_id => 'v2', v2 => 1));
$v2->next(type => 'CONNECTED');
is +($v1->turn('echo before'))[-1]{result}, 'before',
    'a turn runs on a socket of a client on the whitelist';
put(blocklist => "$key{stranger}{address}\n");
is +($v1->turn('echo after'))[-1]{message}, 'forbidden: blocked',
    'a client just blocked cannot run a turn on its open socket';
$v1->send_json({ type => 'EXEC', exec_id => 'e', tool => 'calculate',
	args => { expression => '1+1' } });
my $result = $v1->next(type => ['EXEC_RESULT', 'ERROR']);
is $result->{error} // $result->{message}, 'forbidden: blocked',
    'a client just blocked cannot use a tool on its open socket';
$v2->send_json(command_frame($key{stranger}, $host, INPUT => prompt => 'echo after'));
is $v2->next(type => ['OUTPUT', 'ERROR'])->{message}, 'forbidden: blocked',
    'a client just blocked cannot send signed commands on its open socket';
put(blocklist => '');
is +($v1->turn('echo again'))[-1]{result}, 'again',
    'a client no longer blocked runs turns on its open socket';

# ---- lists that cannot be read ----

my $list = $host->dir . '/.co/blocklist.txt';
my @broken = (
	['no UTF-8', sub { put(blocklist => "$key{stranger}{address}\n\xff\n") },
		"misconfigured: trust list blocklist.txt is not UTF-8 text: save it as UTF-8"],
	['a folder', sub { unlink $list; mkdir $list },
		"misconfigured: cannot read blocklist.txt: it is no regular file"],
);
for (@broken) {
	my ($name, $break, $error) = @$_;
	$break->();
	is knock($_), $error, "$name as a list: CONNECT of $_" for qw(stranger whitelist admin);
	is post($_), "400 $error", "$name as a list: POST /input of $_" for qw(stranger admin);
	is $host->http(GET => '/sessions', signed_get_headers($key{admin}, '/sessions'))->{status},
	    403, "$name as a list: GET /sessions is refused with 403";
	is +($v1->turn('echo broken'))[-1]{message}, $error,
	    "$name as a list: a turn on an open socket is refused";
}
like CoHost::read_file($host->log), qr/list=\Q$list\E: misconfigured: trust list/,
    'the log names the path of the broken list';
rmdir $list;
is knock('stranger'), 'CONNECTED', 'a broken list that is removed no longer refuses anybody';
$host->stop;

begin("trust: open\n");
put(blocklist => "$key{blocked}{address}\n\xff\n");
like knock($_), qr/^misconfigured: .* is not UTF-8/,
    'an open host admits nobody while the blocklist is broken'
    for qw(blocked stranger);
$host->stop;

# ---- the lists of host.yaml ----

my %lists = ('white.txt' => "$key{other}{address} # a friend\n$key{blocked}{address}\n"
	. "$key{stranger}{address}\n", 'black.txt' => "$key{stranger}{address}\n"
	. "$key{admin}{address}\n$key{contact}{address}\n");
begin("trust: strict\nwhitelist: white.txt\nblacklist: black.txt\n", files => \%lists);
is knock('other'), 'CONNECTED', 'the whitelist of host.yaml passes the policy for CONNECT';
is post('other'), 'in', 'the whitelist of host.yaml passes the policy for POST /input';
my $bad = connect_frame($key{other}, $host, payload => { nonce => $n++ });
$bad->{signature} =~ tr/0-9a-f/1-9a-f0/;
my $ws = $host->ws;
$ws->send_json($bad);
is $ws->next(type => ['ERROR', 'CONNECTED'])->{message}, $INVALID,
    'the whitelist of host.yaml does not replace a valid signature';
for my $who (qw(stranger admin contact)) {
	is knock($who), 'forbidden: blacklisted',
	    "the blacklist of host.yaml refuses CONNECT of $who";
	is post($who), '403 forbidden: blacklisted',
	    "the blacklist of host.yaml refuses POST /input of $who";
}
$ws->send_json(sign_onboarding('stranger'));
is $ws->next(type => ['ERROR', 'ONBOARD_SUCCESS'])->{message}, 'forbidden: blacklisted',
    'a client on the blacklist of host.yaml cannot onboard';
write_file($host->dir . '/black.txt', '');
is knock('admin'), 'CONNECTED', 'a change of the blacklist of host.yaml counts at once';
write_file($host->dir . '/black.txt', "\xff");
like knock('admin'), qr/^misconfigured: .*black\.txt is not UTF-8/,
    'a broken blacklist of host.yaml lets nobody in';
$host->stop;

sub sign_onboarding {
	my ($who) = @_;
	return { type => 'ONBOARD_SUBMIT',
		%{ sign_payload($key{$who}, { invite_code => 'BETA', nonce => $n++ }) } };
}

# ---- at the start ----

sub check {
	my ($yaml, %o) = @_;
	my $dir = CoHost::directory(yaml => $yaml);
	write_file("$dir/$_", $o{files}{$_}) for keys %{ $o{files} || {} };
	return run([program('co-hostd'), '-d', "$dir", '-t'], env => { HOME => "$dir/home" });
}

my @starts = (
	['a policy with a YAML error', 'trust: policy.md',
		"---\nallow: [contact]\n\ndefault: [ask\n---\nBe kind.\n", qr/policy\.md line [45]/],
	['a policy with a wrong rule', 'trust: policy.md', "---\ndefault: ask\ndeny: 5\n---\n",
		qr/policy\.md line 3: deny must be/],
	['a level that is misspelt', 'trust: carefull', '', qr/trust.*carefull/],
	['a policy that is not there', 'trust: other.md', '', qr/trust.*other\.md/],
	['a mapping with a wrong rule', "trust:\n  deny: 5", '', qr/deny must be/],
	['a blacklist that is not there', 'blacklist: none.txt', '', qr/blacklist: .*none\.txt/],
);
for (@starts) {
	my ($name, $yaml, $policy, $says) = @$_;
	my $r = check("$yaml\n", files => { 'policy.md' => $policy });
	isnt $r->{status}, 0, "$name stops the start";
	like $r->{out}, $says, "$name is named in the message";
}
my $good = check("trust: policy.md\n", files => { 'policy.md' => "---\nallow: [contact]\n---\n" });
is $good->{status}, 0, 'a good policy passes the check' or diag $good->{out};

# ---- what the environment may say ----

for (['', 'development', 'open'], ['', 'production', 'strict'], ['', 'staging', 'careful'],
	['', 'test', 'careful'], ['', 'anything', 'careful'],
	["trust: strict\n", 'development', 'strict']) {
	my ($yaml, $environment, $trust) = @$_;
	begin($yaml, env => {
		CONNECTONION_ENV => $environment });
	is $host->http(GET => '/info')->{json}{trust}, $trust,
	    "CONNECTONION_ENV=$environment: trust is $trust" . ($yaml ? ' as host.yaml says' : '');
	my $banner = quotemeta "trust: $trust (CONNECTONION_ENV=$environment)";
	if ($yaml || $environment eq 'anything') {
		unlike $host->words, qr/\(CONNECTONION_ENV/,
		    "CONNECTONION_ENV=$environment: the banner does not name it";
	} else {
		like $host->words, qr/$banner/,
		    "CONNECTONION_ENV=$environment: the banner names it";
	}
	$host->stop;
}
done_testing;
