#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What is between the server and its operator is not in the environment of agents, however
# the server came to it; all other variables are.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(write_file);
use PyAgent;
use Test::More;

my %secret = (CONNECTONION_ADMIN_TOKEN => 'token', CO_INVITE_CODE => 'code',
	SESSION_API_KEY => 'sesame',
	NOTIFY_SOCKET => '/no/such/socket');

my $dir = CoHost::directory();
write_file("$dir/agent.sh", <<'END');
read -r line
names=$(env | sed -n 's/^\([A-Z_]*\)=.*/\1/p' | tr '\n' ' ')
echo "{\"type\":\"OUTPUT\",\"result\":\"$names\"}"
END
my $host = CoHost->start(dir => $dir, workers => 1, agent => "exec:sh $dir/agent.sh",
	args => ["-o", "trust=open"],
	env => { %secret, OPENONION_API_KEY => 'key' });
my $r = $host->input('hi');
my $names = $r->{json}{result} // diag explain $r;
unlike $names, qr/\b$_\b/, "an exec: agent does not get $_" for sort keys %secret;
like $names, qr/\bOPENONION_API_KEY\b/, 'an exec: agent gets the key of its model';
$host->stop;

SKIP: {
	skip 'no Python client', 4 if !PyAgent::python();
	my $project = CoHost::directory();
	write_file("$project/.env", join '', "OPENONION_API_KEY=key\n",
		map { "$_=$secret{$_}\n" } sort keys %secret);
	my $py = PyAgent->start('factory.py', dir => $project, workers => 1);
	for my $name (sort keys %secret) {
		my $r = $py->input(qq(calculate __import__("os").getenv("$name", "unset")));
		is $r->{json}{result}, 'unset', "a python: agent does not get $name of .env";
	}
	is $py->input(q(calculate __import__("os").getenv("OPENONION_API_KEY")))->{json}{result},
	    'key', 'a python: agent gets the key of its model';
	$py->stop;
}
done_testing;
