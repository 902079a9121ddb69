#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# How programs get tokens: a code that a signed-in user enters, in any of four workers, then
# tokens that are renewed and given back. At last the wrapper itself does it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use CoHost qw(program read_file wait_for);
use File::Temp ();
use JSON::PP qw(decode_json);
use Onsembl;
use POSIX ();
use Test::More;

$ENV{ONSEMBL_JWT_SECRET} = $Onsembl::SECRET;
my $host = CoHost->start(workers => 4);
my %ann = (authorization => 'Bearer ' . Onsembl::token(user => 'ann', org => 'acme'));

sub post {
	my ($path, $body, %headers) = @_;
	return $host->http(POST => "/api/auth/$path", { %headers }, $body);
}

sub poll {
	return post('device/token', { device_code => $_[0],
		grant_type => 'urn:ietf:params:oauth:grant-type:device_code' });
}

sub refresh { return post('cli/refresh', { refresh_token => $_[0], grant_type => 'refresh_token' }) }

sub agents { return $host->http(GET => '/api/agents', { authorization => "Bearer $_[0]" })->{status} }

my $login = post('device/authorize', { client_id => 'onsembl-cli', scope => 'agent:manage' })->{json};
like $login->{device_code}, qr/^[\w-]{32}$/, 'a program is given a code of 32 characters';
like $login->{user_code}, qr/^[2-9A-HJ-NP-Z]{6}$/, 'a user is given a code without letters that look like digits';
is_deeply [@$login{qw(expires_in interval)}], [600, 5], 'a program is told how long and how often it may ask';
like $login->{verification_uri_complete}, qr{/auth/device\?user_code=$login->{user_code}$},
    'a program is told where the code can be entered';
is $host->http(GET => '/auth/device')->{status}, 200, 'the address of a login can be opened';
for (["?user_code=$login->{user_code}", "../agents?user_code=$login->{user_code}"], ['?user_code=A%0d%0aB', '../agents'],
	['', '../agents']) {
	my ($query, $place) = @$_;
	my $page = $host->http(GET => "/auth/device$query", { accept => 'text/html,*/*;q=0.8' });
	is "$page->{status} $page->{header}{location}", "302 $place",
	    "a browser is sent from the address of a login to $place";
}

my $r = poll($login->{device_code});
is "$r->{status} $r->{json}{error}", '400 authorization_pending', 'B75: a program waits until the code is entered';
is poll($login->{device_code})->{json}{error}, 'slow_down', 'a program that asks at once again is told to be slow';
my $escaped = sprintf '\u%04x%s', ord $login->{device_code}, substr $login->{device_code}, 1;
is post('device/token', qq({"device_code":"$escaped","grant_type":"urn:ietf:params:oauth:grant-type:device\\u005fcode"}))
    ->{json}{error}, 'slow_down', 'a code and a grant that are written with escapes are read';
is poll('x')->{json}{error}, 'invalid_grant', 'an unknown code of a program is refused';
is post('device/token', { device_code => $login->{device_code} })->{json}{error}, 'unsupported_grant_type',
    'a grant of another type is refused';

is post('device/confirm', { user_code => $login->{user_code} })->{status}, 401,
    'nobody can enter a code without a token';
$r = post('device/confirm', { user_code => 'AAAAA1' }, %ann);
is "$r->{status} $r->{json}{error}", '400 INVALID_CODE', 'a code that was not given cannot be entered';
is post('device/confirm', 'x', %ann)->{json}{error}, 'INVALID_CODE', 'a body that is no object has no code';
$r = post('device/confirm', { user_code => lc $login->{user_code} }, %ann);
is_deeply $r->{json}, { success => JSON::PP::true, message => 'Device authorized successfully' },
    'B75: a user enters the code';
is post('device/confirm', { user_code => $login->{user_code} }, %ann)->{json}{error}, 'ALREADY_AUTHORIZED',
    'a code cannot be entered twice';

my %eve = (authorization => 'Bearer ' . Onsembl::token(user => 'eve'));
my %answers;
for my $i (10 .. 34) {
	my $answer = post('device/confirm', { user_code => "AAAA$i" }, %eve);
	$answers{"$answer->{status} $answer->{json}{error}"}++;
}
is_deeply \%answers, { '400 INVALID_CODE' => 20, '429 TOO_MANY_CODES' => 5 },
    'a user can try 20 codes that do not exist, whichever worker is asked';

my $tokens = poll($login->{device_code})->{json};
is_deeply [@$tokens{qw(token_type scope)}], ['Bearer', 'agent:manage'], 'B75: the program is given tokens';
is poll($login->{device_code})->{json}{error}, 'invalid_grant', 'a code gives tokens once';
$r = post('cli/validate', { access_token => $tokens->{access_token} })->{json};
my $uuid = post('cli/validate', { access_token => Onsembl::token(user => 'ann') })->{json}{user_id};
is "$r->{user_id} @{ $r->{scopes} }", "$uuid agent:manage", 'the token is one of the user who entered the code';
cmp_ok $r->{expires_at} - time, '>', 86400 - 300, 'R14: the token of a program is good for a day';
is agents($tokens->{access_token}), 200, 'the token opens the list of agents';
is agents($tokens->{refresh_token}), 401, 'the token to refresh opens nothing';

my $new = refresh($tokens->{refresh_token})->{json};
isnt $new->{refresh_token}, $tokens->{refresh_token}, 'B75: a refresh gives another token to refresh';
is agents($new->{access_token}), 200, 'the renewed token opens the list of agents';
ok wait_for(20, sub { refresh($tokens->{refresh_token})->{status} == 401 }),
    'B75: a token that was exchanged is soon refused';
is_deeply refresh($tokens->{access_token})->{json},
    { error => 'UNAUTHORIZED', message => 'Invalid or expired refresh token' },
    'a token of another use cannot be exchanged';

my @others;
for my $kind (qw(access_token refresh_token)) {
	is_deeply post('cli/revoke', { token => $new->{$kind} })->{json}, { success => JSON::PP::true },
	    "B75: $kind is revoked";
	push @others, agents($tokens->{access_token});
}
is "@others", '200 401', 'the other tokens of a login are withdrawn with its token to refresh, and with no other';
is agents($new->{access_token}), 401, 'a revoked token opens nothing';
is refresh($new->{refresh_token})->{status}, 401, 'a revoked token cannot be exchanged';
is post('cli/revoke', { token => 'x' })->{status}, 200, 'B75: a text that is no token may be revoked';
is $host->http(OPTIONS => '/api/auth/device/token', { origin => 'http://localhost:3000',
	'access-control-request-method' => 'POST', 'access-control-request-headers' => 'content-type' })->{status},
    204, 'a preflight for a login is answered';

# ---- the wrapper ----

my $home = File::Temp->newdir;
my $pid = fork // die;
if (!$pid) {
	$ENV{HOME} = "$home";
	delete $ENV{ONSEMBL_API_KEY};
	open STDOUT, '>', "$home/out";
	open STDERR, '>&', \*STDOUT;
	exec program('co-agentd'), 'login', '-w', "$home", '-s', 'ws://127.0.0.1:' . $host->port or POSIX::_exit(127);
}
my $code;
ok wait_for(20, sub { ($code) = -e "$home/out" && read_file("$home/out") =~ /enter the code (\w{6})/; $code }),
    'the wrapper shows a code';
is post('device/confirm', { user_code => $code }, %ann)->{status}, 200, 'the code of the wrapper is entered';
ok wait_for(30, sub { waitpid $pid, POSIX::WNOHANG() }), 'the login of the wrapper ends';
is $?, 0, 'the login of the wrapper succeeds';
is agents(decode_json(read_file("$home/.onsembl/credentials.json"))->{accessToken}), 200,
    'the wrapper has a token that opens the list of agents';
$host->stop;
done_testing;
