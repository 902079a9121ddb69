#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What onsembl-agent says to the user who starts it, when its server cannot be reached or refuses
# it: what is wrong, and what to do.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program run write_file);
use File::Temp ();
use Test::More;

my %secret = (ONSEMBL_JWT_SECRET => 'a secret of at least thirty-two bytes');
my $host = CoHost->start(workers => 1, env => \%secret);
my $dir = File::Temp->newdir('words-XXXXXX', TMPDIR => 1);

sub start {
	my ($server, @options) = @_;
	return run([program('co-agentd'), 'start', '-w', "$dir", '-s', $server, @options],
		env => { HOME => "$dir" });
}

# Nothing listens on port 1.
my @few = ('--max-retries', 1, '--retry-delay', 1000);
my $r = start('ws://127.0.0.1:1', '-k', 'abc', @few);
is $r->{status}, 1, 'a wrapper without a server gives up';
like $r->{out}, qr{^onsembl-agent: the server ws://127\.0\.0\.1:1 cannot .*; next attempt in \d\.\d s$}m,
    'a wrapper says which server it cannot reach, why, and when it tries again';
my @said = $r->{out} =~ /^onsembl-agent: the server \S+ cannot/mg;
is @said, 2, 'a wrapper says each attempt that failed';

$r = start('ws://127.0.0.1:1', '-b', '-k', 'abc', @few);
is $r->{status}, 1, 'a wrapper in the background without a server gives up';
like $r->{out}, qr/\Aonsembl-agent: the server \S+ cannot [^;]*\n\z/,
    'a wrapper in the background says why it gives up';

my $url = $host->url =~ s/^http/ws/r;
$r = start($url);
is $r->{status}, 1, 'a wrapper without a token ends';
like $r->{out}, qr/No authentication token provided.*; set ONSEMBL_API_KEY, or use/,
    'a wrapper without a token says where to get one';
$r = start($url, '-k', 'abc');
like $r->{out}, qr/Invalid authentication token; this is no token: it needs three parts/,
    'a wrapper says what is wrong with its token';

my $token = run([program('co-hostd'), 'token', 'ann'], env => \%secret)->{out} =~ s/\n//r;
$r = run([program('co-agentd'), 'start', '-s', 'ws://me:hidden@127.0.0.1:1', '-w', "$dir"]);
is $r->{status}, 2, 'a server URL with a password is refused';
like $r->{out}, qr/without a name and a\s+password/, 'the refusal of a password says what servers take';
unlike $r->{out}, qr/hidden/, 'the refusal of a password does not show it';

sub status {
	my $r = run([program('co-agentd'), 'status', '-w', "$dir"]);
	return { $r->{out} =~ /"(\w+)": "([^"]*)"/g };
}
$r = start($url, '-b', '-k', $token, '-n', 'desk');
is $r->{status}, 0, 'a wrapper with a token is connected' or diag $r->{out};
my $before = status();
$r = run([program('co-agentd'), 'restart', '-b', '-w', "$dir"],
	env => { HOME => "$dir", ONSEMBL_API_KEY => $token });
is $r->{status}, 0, 'a restart without options connects' or diag $r->{out};
my $after = status();
is_deeply [@$after{qw(agentId agentName agentType server)}],
    [@$before{qw(agentId agentName agentType server)}], 'a restart goes on as the same agent';
is $after->{server}, $url, 'a restart goes on at the same server';
$r = run([program('co-agentd'), 'restart', '-b', '-w', "$dir", '-n', 'laptop', '--agent-id', 'x-1'],
	env => { HOME => "$dir", ONSEMBL_API_KEY => $token });
is_deeply [@{ status() }{qw(agentId agentName)}], ['x-1', 'laptop'],
    'options of a restart replace what the wrapper had';
run([program('co-agentd'), 'stop', '-w', "$dir"]);

write_file("$dir/config.json", "{\"serverUrl\": 1\n");
$r = run([program('co-agentd'), 'status'], dir => "$dir", env => { HOME => "$dir" });
like $r->{out}, qr/^onsembl-agent: config\.json is ignored: line 2: /m,
    'a config.json that cannot be read is named where it is ignored';
$host->stop;
done_testing;
