#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Completion of co-connect in bash and zsh.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(lacks_here program read_file run source);
use Test::More;

my $bash = source('conf/completion/co-connect');
my $zsh = source('conf/completion/_co-connect');
my %options = map { $_ => 1 } run([program('co-connect'), '-h'])->{out} =~ /(?<![\w-])(--[a-z][\w-]*)/g;
for ($bash, $zsh) {
	my $text = read_file($_) =~ s/^#.*//mgr;
	is join(' ', grep { $text !~ /\Q$_\E(?![\w-])/ } sort keys %options), '',
	    +(/_/ ? 'zsh' : 'bash') . ' knows each option of the help';
	is join(' ', grep { !$options{$_} } $text =~ /(?<![\w-])(--[a-z][\w-]*)/g), '',
	    +(/_/ ? 'zsh' : 'bash') . ' knows no option that the help has not';
}

# What bash offers for these words, the last of which is being typed.
sub completed {
	my (@words) = @_;
	my $r = run(['bash', '-c', 'compopt() { :; }; . "$1"; shift; COMP_WORDS=("$@");'
		. 'COMP_CWORD=$(($# - 1)); _co_connect; echo "${COMPREPLY[@]}"', 'bash', $bash,
		'co-connect', @words]);
	return $r->{out} =~ s/\n//r;
}
is completed('--rel'), '--relay --relay-only', 'bash completes an option';
is completed('--approve', ''), 'once session reject', 'bash completes the value of --approve';
is completed('--mode', 'f'), 'full-access', 'bash completes the value of --mode';
is completed('i'), 'info', 'bash completes a command';
is completed('-f', source('conf/completion/co')), source('conf/completion/co-connect'), 'bash completes a file';
is completed('--answer', ''), '', 'bash completes no text';
SKIP: {
	lacks_here 'there is no zsh', 1 if system 'command -v zsh >/dev/null';
	is run(['zsh', '-n', $zsh])->{out}, '', 'zsh accepts its completion';
}
done_testing;
