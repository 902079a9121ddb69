#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The manual is well formed, and knows every option.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use CoHost qw(program read_file run);
use Test::More;

my $top = "$FindBin::Bin/..";
my @pages = glob "$top/man/*.[1-9]";
ok scalar(@pages), 'there are manual pages';

SKIP: {
	skip 'there is no mandoc', scalar(@pages)
	    if system 'command -v mandoc >/dev/null';
	for my $page (@pages) {
		my $name = $page =~ s{.*/}{}r;
		is `mandoc -T lint -W warning $page 2>&1`, '', "mandoc accepts $name";
	}
}

for (['co-hostd', 8], ['co-relayd', 8], ['co-connect', 1], ['co-agentd', 1, 'onsembl-agent']) {
	my ($program, $section, $page) = @$_;
	$page //= $program;
	my $help = run([program($program), '-h'])->{out};
	my $manual = read_file("$top/man/$page.$section") =~ s/\\-/-/gr =~ s/\bFl Fl /Fl -/gr;
	cmp_ok scalar(() = $help =~ /\n/g), '<=', 50, "$program -h fits on a screen";
	ok !grep({ length > 80 } split /\n/, $help), "no line of $program -h is wider than a terminal";
	my %options = map { $_ => 1 } $help =~ /(?<![\w-])(--?[A-Za-z][\w-]*)/g;
	ok scalar(keys %options), "$program -h names options";
	my @missing = grep {
		my $word = s/^-//r;
		$manual !~ /^\.It.*\bFl \Q$word\E(?![\w-])/m;
	} sort keys %options;
	is "@missing", '', "$page.$section describes each of them";
}
done_testing;
