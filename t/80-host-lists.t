#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The lists that host() and host.yaml give: they make one what the files of .co make one, and
# an entry that can match nobody is told of with its place.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file);
use Sign qw(:all);
use Test::More;

my ($anna, $bert) = (key_new(), key_new());

my $n = 0;

# The level that an agent is told of a caller, or why it was refused.
sub level {
	my ($host, $key) = @_;
	my $r = $host->http(POST => '/input', {}, signed_body($key, { prompt => 'echo x', nonce => $n++ }));
	return $r->{json}{session}{requester}{level} // $r->{json}{error};
}

my $dir = CoHost::directory(
	yaml => "trust: strict\nwhitelist: ['$anna->{address}', '0xbad']\nblacklist: ['0Xbad']\n");
write_file("$dir/.co/whitelist.txt", "# friends\n$bert->{address}\n\n0xbad1\n0x12*\nsomebody\n");
write_file("$dir/.co/admins.txt", "0x12*\n");
my $host = CoHost->start(dir => $dir);
is level($host, $bert), 'whitelist', 'a line of .co/whitelist.txt gives the level whitelist';
is level($host, $anna), 'whitelist',
    'an entry of whitelist in host.yaml gives the level whitelist';
my $words = $host->words;
my $none = 'is not an address \(0x and 64 hex digits\) and matches nobody';
like $words, qr{host\.yaml line 2: whitelist: entry 2: "0xbad" $none},
    'an entry of host.yaml that is no address is warned of with its place';
like $words, qr{blacklist: entry 1: "0Xbad" $none},
    'an entry with 0X in the blacklist of host.yaml is warned of';
like $words, qr{\.co/whitelist\.txt line 4: "0xbad1" $none},
    'a line of a list that is no address is warned of with file and line';
like $words, qr{admins\.txt line 1: "0x12\*" $none}, 'a pattern in admins.txt is warned of';
unlike $words, qr{somebody|whitelist\.txt line 5},
    'names and patterns in whitelist.txt are not warned of';
is scalar(() = $words =~ /0xbad1/g), 1, 'a start warns once, whatever the number of workers';

write_file("$dir/.co/contacts.txt", "0xbad2\n");
level($host, $anna) for 1 .. 8;
write_file("$dir/.co/contacts.txt", "\n0xbad3\n");
ok wait_for(5, sub { level($host, $anna); $host->words =~ /contacts\.txt line 2: "0xbad3"/ }),
    'an entry added later is looked at';
$host->stop;
done_testing;
