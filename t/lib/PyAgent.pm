# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package PyAgent;

# Servers with a python: agent, for tests that need the connectonion package.
#
#   PyAgent->need;                               # skips the test without the package
#   PyAgent->need('numpy');                      # or without this module
#   my $host = PyAgent->start('t/agents/factory.py', workers => 1, yaml => "...");
#
# The interpreter is $CO_TEST_PYTHON, or else build/venv/bin/python.
use strict;
use warnings;

use CoHost qw(program source wait_for);
use Test::More ();

sub python {
	return $ENV{CO_TEST_PYTHON} if $ENV{CO_TEST_PYTHON};
	for my $top ($ENV{TOP_BUILDDIR} // 'build', source('build')) {
		return "$top/venv/bin/python" if -x "$top/venv/bin/python";
	}
	return undef;
}

sub need {
	my ($class, @modules) = @_;
	my $python = python()
	    // CoHost::lacks('no build/venv and no CO_TEST_PYTHON');
	for my $module ('connectonion', @modules) {
		my $r = CoHost::run([$python, '-c', "import $module"]);
		CoHost::lacks("$python has no $module") if $r->{status};
	}
}

# A file's path; one that has no folder is of t/agents.
sub file {
	my ($file) = @_;
	return $file =~ m{/} ? $file : source("t/agents/$file");
}

sub start {
	my ($class, $file, %o) = @_;
	$o{yaml} = "python: " . python() . "\n" . ($o{yaml} // '');
	return CoHost->start(agent => 'python:' . file($file), %o);
}

# What the script says of a file: {status, out}.
sub describe {
	my ($file, %o) = @_;
	return CoHost::run([python(), program('co-agent-python'), '--describe', file($file)], %o);
}

# All that was logged.
sub logged {
	my ($host) = @_;
	return join '', map { CoHost::read_file($_) } $host->log, glob $host->dir . '/.co/logs/*';
}

1;
