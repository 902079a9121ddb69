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
	["port: abc\n", 1, qr/port must be an integer/],
	["port: '80'\n", 1, qr/port must be an integer.*not a string/],
	["max_body: 2m\n", 1, qr/max_body must be an integer from 1 to 4096 MB, not a string/],
	["trust: carefull\n", 1, qr/trust must be "open", "careful", "strict", or custom/],
	["trust: missing.md\n", 1, qr/trust.*missing\.md.*No such file/],
	["trust: [open]\n", 1, qr/trust must be "open", "careful", "strict", or custom/],
	["trust_agent: judge\n", 1, qr/trust_agent.*exec:COMMAND/],
	["name: x\nblacklist: none.txt\n", 2, qr/blacklist.*none\.txt.*No such file/],
	["permissions:\n  bash: yes\n", 1, qr/permissions: bash: must be a mapping/],
	["permissions:\n  read: {allowed: true, wen: {}}\n", 1, qr/permissions: read: may only/],
	["examples: Hello\n", 1, qr/examples must be a list/],
	["relay_url: oo.openonion.ai\n", 1, qr{relay_url must be a ws://, wss://, http:// or https:// URL}],
	["reload: sometimes\n", 1, qr/reload must be true or false/],
	["port: 1\nport: 2\n", 2, qr/"port" is given twice/],
	["name: &x [*x]\n", 1, qr/aliases are not supported/],
	["durability: maybe\n", 1, qr/durability.*power.*process/],
	["name: x\nagent: python3 agent.py\n", 2, qr/agent.*demo.*exec:/],
	["agent: 'exec: '\n", 1, qr/agent.*exec:COMMAND/],
	["bind: localhost\n", 1, qr/bind.*IPv4.*IPv6.*unix:/],
	["trusted_proxies: 10.0.0.0/33\n", 1, qr/trusted_proxies/],
	["trusted_proxies: [10.0.0.1, 7]\n", 1, qr/trusted_proxies must be a list of strings/],
	["doors: [http, gopher]\n", 1, qr/doors must be all, or a list of these: http openhands agent-server onsembl connectonion, not/],
	["doors: ''\n", 1, qr/doors must have 1 to 200 characters/],
	["port: 99999999999999999999\n", 1, qr/port.*65535/],
);
for (@refused) {
	my ($text, $line, $says) = @$_;
	my $r = check($text);
	isnt $r->{status}, 0, $text =~ s/\n/ /gr . 'is refused';
	like $r->{out}, qr/host\.yaml\D+$line\b.*$says/,
	    'the message names file, line, key and what is allowed';
}

for my $broken ("port: 1\n  name: x\n", "{\n", "- a\n- b\n", "\xff\xfe\x00\n") {
	my $r = check($broken);
	isnt $r->{status}, 0, 'broken YAML is refused';
	like $r->{out}, qr/host\.yaml/, 'the refusal of broken YAML names the file';
}

like check("\tport: 1\n")->{out}, qr/host\.yaml line 1: .*by spaces, not by tabs/,
    'a tab in host.yaml is refused, and told from what is wanted';
like check("name: x\nsummary: this: that\n")->{out}, qr/host\.yaml line 2: .*quote a value.*colon/,
    'a colon in a value of host.yaml is refused, with the way to write it';

my $r = check("wrokers: 3\n");
is $r->{status}, 0, 'an unknown key passes';
like $r->{out}, qr/wrokers.*workers/, 'the warning about an unknown key names the nearest one';

$r = check("relay_url: wss://oo.openonion.ai/ws/announce\nrem: true\nco_dir: /x\n");
is $r->{status}, 0, 'settings that are not supported yet do not stop the start';
unlike $r->{out}, qr/relay_url/, 'relay_url passes without a warning';
like $r->{out}, qr/rem is not supported/, 'rem is answered with a warning';
like $r->{out}, qr/co_dir has no effect/, 'co_dir in host.yaml is answered with a warning';

write_file("$dir/policy.md", "---\ndefault: deny\n---\nBe kind.\n");
write_file("$dir/blocked.txt", "0xab # a bad one\n");
for my $good ("trust: careful\n", "trust: STRICT\n", "trust: policy.md\n",
	"trust: |\n  ---\n  default: deny\n  ---\n", "trust: only people I know\n",
	"trust:\n  allow: [admin]\n  default: deny\n", "blacklist: blocked.txt\n",
	"trusted_proxies: [10.0.0.0/8, 'unix:']\n", "trusted_proxies: []\n",
	"relay_url: null\n", "relay_url: ''\n", "reload: yes\n", "examples: [a, b]\n",
	"permissions:\n  \"Bash(git diff *)\":\n    allowed: true\n"
	    . "    expires: {type: never}\n",
	"session_results: off\nadmin_bearer: token-only\nfull_access_turns: 5\n") {
	$r = check($good);
	is $r->{status}, 0, ($good =~ s/\n\s*/ /gr) . 'is good';
	unlike $r->{out}, qr/no setting|not supported|not built/,
	    'good settings print no warning';
}
done_testing;
