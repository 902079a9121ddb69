#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# clang-format has nothing to change.
use strict;
use warnings;
use FindBin;
use File::Find;
use Test::More;

my $tool = 'clang-format-14';
plan skip_all => "there is no $tool" if system "command -v $tool >/dev/null";

chdir "$FindBin::Bin/.." or die "$FindBin::Bin/..: $!";
my @files;
find({ no_chdir => 1, wanted => sub { push @files, $_ if m{\.[ch]$} && !m{/(?:page_assets|host_yaml|agent_py)\.c$} } },
	grep { -d } qw(src t bench));
my $said = `$tool --dry-run -Werror @files 2>&1`;
my %count;
$count{$_}++ for $said =~ /^([^:\n]+):\d+:\d+: error/mg;
is join("\n", map { "$_: $count{$_}" } sort keys %count), '',
    scalar(@files) . ' files have the format of .clang-format';
done_testing;
