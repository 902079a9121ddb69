#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Wrong host.yaml values are refused with file, line, key and what is allowed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program run write_file);
use Test::More;

my $dir = CoHost::directory();
my $yaml = "$dir/.co/host.yaml";

sub check {
	my ($text) = @_;
	write_file($yaml, $text);
	return run([program('co-hostd'), '-d', "$dir", '-t'],
		env => { HOME => "$dir/home" });
}

my @refused = (
	["port: many\n", 1, qr/port.*0.*65535/],
	["name: x\n\nport: [1, 2]\n", 3, qr/port/],
	["workers: 0\n", 1, qr/workers.*1.*60/],
	["workers: -1\n", 1, qr/workers.*1.*60/],
	["workers: 2.5\n", 1, qr/workers/],
	["name: {a: b}\n", 1, qr/name/],
	["result_ttl: 0\n", 1, qr/result_ttl.*1/],
	["max_file_size: 99999\n", 1, qr/max_file_size.*1024/],
	["max_files_per_request: none\n", 1, qr/max_files_per_request.*1000/],
	["trust: careful\n", 1, qr/trust.*open/],
	["trust: strict\n", 1, qr/trust.*open/],
	["trust: blindly\n", 1, qr/trust.*open/],
	["durability: maybe\n", 1, qr/durability.*power.*process/],
	["name: x\nagent: python3 agent.py\n", 2, qr/agent.*demo.*exec:/],
	["agent: 'exec: '\n", 1, qr/agent.*exec:COMMAND/],
	["bind: localhost\n", 1, qr/bind.*IPv4.*IPv6.*unix:/],
	["trusted_proxies: 10.0.0.0/33\n", 1, qr/trusted_proxies/],
	["port: 99999999999999999999\n", 1, qr/port.*65535/],
);
for (@refused) {
	my ($text, $line, $says) = @$_;
	my $r = check($text);
	isnt $r->{status}, 0, $text =~ s/\n/ /gr . 'is refused';
	like $r->{out}, qr/host\.yaml\D+$line\b.*$says/, 'with all that is needed';
}

for my $broken ("port: 1\n  name: x\n", "{\n", "- a\n- b\n", "\xff\xfe\x00\n") {
	my $r = check($broken);
	isnt $r->{status}, 0, 'broken YAML is refused';
	like $r->{out}, qr/host\.yaml/, 'by the name of its file';
}

my $r = check("wrokers: 3\n");
is $r->{status}, 0, 'an unknown key passes';
like $r->{out}, qr/wrokers.*workers/, 'with a warning that names the nearest';

$r = check("relay_url: wss://oo.openonion.ai\nreload: true\n");
is $r->{status}, 0, 'keys that are not built yet pass';
like $r->{out}, qr/relay_url.*not.*yet/, 'with a warning';
like $r->{out}, qr/reload.*not.*yet/, 'each';
done_testing;
