#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The page in a real browser, where not everybody comes in, or the browser is not as usual.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(write_file);
use Page;
use Test::More;

Page::needs_browser();

my %kinds = (
	strict => { yaml => "trust: strict\n" },
	code => { yaml => "trust: careful\n", env => { CO_INVITE_CODE => 'let-me-in' } },
	signed => { yaml => "trust: careful\n" },
);
my $host = CoHost->start(workers => 2, %{ $kinds{strict} });

# Another server on the same port.
sub serve {
	my ($kind) = @_;
	my $port = $host->port;
	$host->stop;
	$host = CoHost->start(workers => 2, port => $port, %{ $kinds{$kind} });
	return 1;
}

sub list { return write_file($host->dir . '/.co/whitelist.txt', "$_[0]\n") }

Page::story('gate', $host, serve => \&serve, list => \&list);
$host->stop;
done_testing;
