#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Completion of the programs in bash, zsh and fish.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(lacks_here program read_file run source);
use File::Basename qw(dirname);
use Test::More;

my %help_of = (
	'co-hostd' => 'co-hostd', 'co-relayd' => 'co-relayd', 'co-connect' => 'co-connect',
	'onsembl-agent' => 'co-agentd',
);

# The file of a shell, as the build made it.
sub completion {
	my ($shell, $name) = @_;
	my $file = { bash => $name, zsh => "_$name", fish => "$name.fish" }->{$shell};
	return dirname(program('co-hostd')) . "/completion/$shell/$file";
}

sub unique { my %seen; return grep { !$seen{$_}++ } @_ }

# What a file offers, in the words of its shell.
my %options_in = (
	bash => sub { return split ' ', ($_[0] =~ /local options="(.*?)"/)[0] },
	zsh => sub { return $_[0] =~ /(?:[',{])(--[a-z][\w-]*)/g },
	fish => sub { return map { "--$_" } $_[0] =~ /^complete .*? -l ([\w-]+)/mg },
);
my %commands_in = (
	bash => sub { return split ' ', ($_[0] =~ /^\t""\) .*?-W "(.*?)"/m)[0] // '' },
	zsh => sub { return $_[0] =~ /[( ]([a-z-]+)\\:"/g },
	fish => sub { return $_[0] =~ / -n __fish_use_subcommand -a ([a-z-]+)/g },
);
for my $name (sort keys %help_of) {
	my $help = run([program($help_of{$name}), '-h'])->{out};
	my @options = unique(sort $help =~ /(?<![\w-])(--[a-z][\w-]*)/g);
	for my $shell (qw(bash fish zsh)) {
		my $text = read_file(completion($shell, $name));
		is join(' ', unique(sort $options_in{$shell}->($text))), "@options",
		    "$shell knows the options that the help of $name tells";
	}
	next unless $name eq 'co-hostd';
	my @commands = sort $help =~ /^Commands:\n(.*?)\n\n/ms ? $1 =~ /^  (\w+)/mg : ();
	for my $shell (qw(bash fish zsh)) {
		my $text = read_file(completion($shell, $name));
		is join(' ', unique(sort $commands_in{$shell}->($text))), "@commands",
		    "$shell knows the commands that the help of $name tells";
	}
}

# What bash offers for these words, the last of which is being typed.
sub completed_for {
	my ($name, @words) = @_;
	my $function = '_' . $name =~ tr/-/_/r;
	my $r = run(['bash', '-c', 'compopt() { :; }; . "$1"; shift; COMP_WORDS=("$@");'
		. "COMP_CWORD=\$((\$# - 1)); $function;" . 'echo "${COMPREPLY[@]}"', 'bash',
		completion('bash', $name), $name, @words]);
	return $r->{out} =~ s/\n//r;
}
sub completed { return completed_for('co-connect', @_) }
is completed('--rel'), '--relay --relay-only', 'bash completes an option';
is completed('--approve', ''), 'once session reject', 'bash completes the value of --approve';
is completed('--mode', 'f'), 'full-access', 'bash completes the value of --mode';
is completed('--mode', '=', 'f'), 'full-access', 'bash completes a value after an equals sign';
is completed('i'), 'info', 'bash completes a command';
is completed('-f', source('conf/ag')), source('conf/agent.py'), 'bash completes a file';
is completed('--answer', ''), '', 'bash completes no text';
is completed_for('onsembl-agent', 'sta'), 'start status', 'bash completes a command of onsembl-agent';
is completed_for('onsembl-agent', 'start', '--agent', 'm'), 'mock', 'bash completes the value of --agent';
is completed_for('co-hostd', '-o', 'max_r'), 'max_runs=', 'bash completes a setting of co-hostd';
is completed_for('co-relayd', '-o', 'max_re'), 'max_records=', 'bash completes a setting of co-relayd';
is completed_for('co-hostd', '-a', 'p'), 'python:', 'bash completes a kind of agent';
is completed_for('co-hostd', 'backup', source('conf/compl')), source('conf/completion'),
    'bash completes the argument of a command';

# What fish offers for a line.
sub fished {
	my ($name, $line) = @_;
	my $r = run(['fish', '--no-config', '-c', 'source $argv[1]; complete -C $argv[2]',
		completion('fish', $name), $line]);
	return join ' ', map { s/\t.*//r } split /\n/, $r->{out};
}
SKIP: {
	lacks_here 'there is no zsh', 4 if system 'command -v zsh >/dev/null';
	is run(['zsh', '-n', completion('zsh', $_)])->{out}, '', "zsh accepts its completion of $_"
	    for sort keys %help_of;
}
SKIP: {
	lacks_here 'there is no fish', 5 if system 'command -v fish >/dev/null';
	is fished('co-hostd', 'co-hostd --tru'), '--trust', 'fish completes an option';
	is fished('co-hostd', 'co-hostd --trust '), 'careful open strict', 'fish completes the value of --trust';
	is fished('co-hostd', 'co-hostd back'), 'backup', 'fish completes a command';
	is fished('co-hostd', 'co-hostd -o max_r'), 'max_runs=', 'fish completes a setting';
	is fished('onsembl-agent', 'co-agentd log'), 'login logout logs', 'fish completes the other name of a program';
}
done_testing;
