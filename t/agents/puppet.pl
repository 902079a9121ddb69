#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# An exec: agent that does what its prompt says, a JSON array of steps:
#
#	{"type":...}	write this line
#	"listen"	wait for a line, and write it as {"type":"heard","line":{...}}
#	"die"		be killed
#	["until",FILE]	wait until the file is there
#	["lock",FILE]	take the file until the end; {"type":"overlap"} if another has it
#	["file",FILE]	write the line that is there, and end
#
# The end is OUTPUT "done", unless a step wrote OUTPUT or ERROR. Other prompts are echoed.
# EXEC is answered with the tool and its arguments.
use strict;
use warnings;

use Fcntl qw(LOCK_EX LOCK_NB);
use JSON::PP;

$| = 1;
my $json = JSON::PP->new->utf8->canonical;
my @locks;

sub say_line { print $json->encode($_[0]), "\n" }

sub hear {
	my $text = <STDIN> // exit 0;
	return $json->decode($text);
}

sub listen_once {
	my $line = hear();
	say_line({ type => 'heard', line => $line });
	return if $line->{type} ne 'INPUT';
	say_line({ type => 'user_input', id => $line->{id}, content => $line->{prompt},
		runtime_input => JSON::PP::true });
}

sub lock_file {
	my ($path) = @_;
	open my $file, '>>', $path or die "$path: $!";
	say_line({ type => 'overlap' }) unless flock $file, LOCK_EX | LOCK_NB;
	push @locks, $file;
}

my $task = hear();
if ($task->{type} eq 'EXEC') {
	say_line({ type => 'EXEC_RESULT', status => 'success',
		result => $json->encode([$task->{tool}, $task->{args}]) });
	exit 0;
}
my $steps = eval { $json->decode($task->{prompt}) };
if (ref $steps ne 'ARRAY') {
	say_line({ type => 'OUTPUT', result => $task->{prompt} });
	exit 0;
}
for my $step (@$steps) {
	if (ref $step eq 'HASH') {
		say_line($step);
		exit 0 if $step->{type} =~ /^(?:OUTPUT|ERROR)$/;
	} elsif (ref $step && $step->[0] eq 'file') {
		open my $file, '<', $step->[1] or die "$step->[1]: $!";
		print <$file>, "\n";
		exit 0;
	} elsif (ref $step && $step->[0] eq 'until') {
		select undef, undef, undef, 0.01 until -e $step->[1];
	} elsif (ref $step) {
		lock_file($step->[1]);
	} elsif ($step eq 'listen') {
		listen_once();
	} else {
		kill KILL => $$;
	}
}
say_line({ type => 'OUTPUT', result => 'done' });
