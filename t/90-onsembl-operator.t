#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What co-hostd says to operators who set up Onsembl.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program run write_file);
use Test::More;

my $dir = CoHost::directory();
my $hostd = program('co-hostd');

sub check {
	my ($agent, @options) = @_;
	return run([$hostd, '-t', '-d', "$dir", '-o', 'relay_url=', '-a', $agent, @options],
		env => { ONSEMBL_JWT_SECRET => undef })->{out};
}
my $warning = qr/agent onsembl:laptop cannot connect.*onsembl_secret_file or onsembl_keys/;
like check('onsembl:laptop'), $warning, 'a server for an agent that no token opens says so';
unlike check('demo'), qr/cannot connect/, 'a server without Onsembl needs no token';
unlike check('onsembl:laptop', '-o', 'onsembl_auth=false'), $warning,
    'a server that wants no tokens does not warn of a missing secret';

my $r = run([$hostd, 'token', 'ann', '-d', "$dir"], env => { ONSEMBL_JWT_SECRET => undef });
like $r->{out}, qr/openssl rand -hex 32.*ONSEMBL_JWT_SECRET.*onsembl_secret_file/s,
    'co-hostd token says where a secret comes from and where it belongs';

write_file("$dir/.co/secret", "a secret of at least thirty-two bytes\n");
unlike check('onsembl:laptop', '-o', 'onsembl_secret_file=.co/secret'), $warning,
    'a server with a secret does not warn of a missing one';
done_testing;
