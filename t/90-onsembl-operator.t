#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What co-hostd says to operators who set up Onsembl, and where they see why a command failed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program read_file run wait_for write_file);
use Test::More;

my $dir = CoHost::directory();
my $hostd = program('co-hostd');

sub check {
	my ($agent, @options) = @_;
	return run([$hostd, '-t', '-d', "$dir", '-o', 'relay_url=', '-a', $agent, @options],
		env => { ONSEMBL_JWT_SECRET => undef })->{out};
}
my $warning = qr/agent onsembl:laptop cannot connect.*onsembl_secret_file or onsembl_keys/;
like check('onsembl:laptop'), $warning, 'a server without tokens warns that its agent cannot connect';
unlike check('demo'), qr/cannot connect/, 'a server without Onsembl needs no token';
unlike check('onsembl:laptop', '-o', 'onsembl_auth=false'), $warning,
    'a server that wants no tokens does not warn of a missing secret';

my $r = run([$hostd, 'token', 'ann', '-d', "$dir"], env => { ONSEMBL_JWT_SECRET => undef });
like $r->{out}, qr/openssl rand -hex 32.*ONSEMBL_JWT_SECRET.*onsembl_secret_file/s,
    'co-hostd token says where a secret comes from and where it belongs';

write_file("$dir/.co/secret", "a secret of at least thirty-two bytes\n");
unlike check('onsembl:laptop', '-o', 'onsembl_secret_file=.co/secret'), $warning,
    'a server with a secret does not warn of a missing one';
my $host = CoHost->start(dir => $dir, agent => 'onsembl:laptop',
	args => ['-o', 'onsembl_secret_file=.co/secret']);
my $token = run([$hostd, 'token', 'ann', '-d', "$dir",
	'-o', 'onsembl_secret_file=.co/secret'])->{out} =~ s/\n//r;

sub wrapper {
	my ($command, @options) = @_;
	return run([program('co-agentd'), $command, '-w', "$dir/home", @options],
		env => { HOME => "$dir/home", ONSEMBL_API_KEY => $token });
}
$r = wrapper('start', '-b', '-s', $host->url, '-n', 'laptop');
is $r->{status}, 0, 'the wrapper is connected' or diag $r->{out};
$host->input('exit 3');
ok wait_for(10, sub { read_file($host->log) =~ /agent error: it has the exit code 3$/m }),
    'the log has the exit code of a command that failed' or diag $host->words;
is wrapper('stop')->{status}, 0, 'the wrapper can be stopped';
$host->stop;

$r = wrapper('logout', '-s', 'http://127.0.0.1:1');
is $r->{out}, "There is no login at http://127.0.0.1:1\n",
    'logout says when there is no login';
done_testing;
