#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Completion of co-connect and onsembl-agent in bash and zsh.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(lacks_here program read_file run source);
use Test::More;

# The completion of a program, in both shells, has the options of its help and no others.
sub knows_options {
	my ($name, $program) = @_;
	my %options = map { $_ => 1 } run([program($program), '-h'])->{out} =~ /(?<![\w-])(--[a-z][\w-]*)/g;
	for (['bash', source("conf/completion/$name")], ['zsh', source("conf/completion/_$name")]) {
		my ($shell, $file) = @$_;
		my $text = read_file($file) =~ s/^#.*//mgr;
		is join(' ', grep { $text !~ /\Q$_\E(?![\w-])/ } sort keys %options), '',
		    "$shell knows each option of the help of $name";
		is join(' ', grep { !$options{$_} } $text =~ /(?<![\w-])(--[a-z][\w-]*)/g), '',
		    "$shell knows no option that the help of $name has not";
	}
}
knows_options('co-connect', 'co-connect');
knows_options('onsembl-agent', 'co-agentd');

# What bash offers for these words, the last of which is being typed.
sub completed_for {
	my ($name, @words) = @_;
	my $bash = source("conf/completion/$name");
	my $function = '_' . $name =~ tr/-/_/r;
	my $r = run(['bash', '-c', 'compopt() { :; }; . "$1"; shift; COMP_WORDS=("$@");'
		. "COMP_CWORD=\$((\$# - 1)); $function;" . 'echo "${COMPREPLY[@]}"', 'bash', $bash,
		$name, @words]);
	return $r->{out} =~ s/\n//r;
}
sub completed { return completed_for('co-connect', @_) }
is completed('--rel'), '--relay --relay-only', 'bash completes an option';
is completed('--approve', ''), 'once session reject', 'bash completes the value of --approve';
is completed('--mode', 'f'), 'full-access', 'bash completes the value of --mode';
is completed('i'), 'info', 'bash completes a command';
is completed('-f', source('conf/completion/co')), source('conf/completion/co-connect'), 'bash completes a file';
is completed('--answer', ''), '', 'bash completes no text';
is completed_for('onsembl-agent', 'sta'), 'start status', 'bash completes a command of onsembl-agent';
is completed_for('onsembl-agent', 'start', '--agent', 'm'), 'mock', 'bash completes the value of --agent';
SKIP: {
	lacks_here 'there is no zsh', 2 if system 'command -v zsh >/dev/null';
	is run(['zsh', '-n', source("conf/completion/_$_")])->{out}, '', "zsh accepts its completion of $_"
	    for 'co-connect', 'onsembl-agent';
}
done_testing;
