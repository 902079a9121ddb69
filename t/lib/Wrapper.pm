# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Wrapper;

# An onsembl-agent in a directory of its own.
#
#   my $w = Wrapper->start(server => $backend->url, token => 'secret', args => [...]);
#   $w->stop;
use strict;
use warnings;

use CoHost qw(program read_file run wait_for write_file);
use Cwd qw(abs_path);
use File::Temp;
use POSIX qw(WNOHANG);

# Options: server, token, agent, args, env, dir, clock (true: ->pass() and ->set_clock() work).
sub new {
	my ($class, %o) = @_;
	my $dir = $o{dir} // File::Temp->newdir('wrapper-XXXXXX', TMPDIR => 1);
	my $self = bless { agent => 'mock', args => [], env => {}, %o, dir => $dir }, $class;
	write_file("$dir/clock", pack 'qq', 0, 0) if $o{clock};
	return $self;
}

sub start {
	my ($class, %o) = @_;
	my $self = $class->new(%o);
	$self->begin;
	return $self;
}

sub dir { return abs_path("$_[0]{dir}") }
sub pid { return $_[0]{pid} }
sub path { my ($self, $name) = @_; return $self->dir . "/.onsembl-agent.$name" }
sub log { return read_file($_[0]->path('log')) }

# The first wait before a connection is made again is short for speed alone: with the default of a
# second, a test takes longer and sees the same.
sub env {
	my ($self) = @_;
	return (ONSEMBL_API_KEY => $self->{token}, ONSEMBL_RECONNECT_BASE_DELAY => 20,
		%{ $self->{env} });
}

sub words {
	my ($self, $command, @more) = @_;
	return (program('co-agentd'), $command, '-w', "$self->{dir}", @more);
}

sub start_words {
	my ($self) = @_;
	return $self->words('start', '-a', $self->{agent}, '-s', $self->{server}, @{ $self->{args} },
		$self->{clock} ? ('--test-clock', "$self->{dir}/clock") : ());
}

sub move_clock {
	my ($self, $at, $seconds) = @_;
	open my $f, '+<:raw', "$self->{dir}/clock" or die "clock: $!";
	seek $f, $at, 0;
	syswrite $f, pack 'q', $seconds * 1000;
}

# Let time pass; and set the wall clock ahead, or back.
sub pass { my ($self, $seconds) = @_; $self->move_clock(0, $self->{passed} += $seconds) }
sub set_clock { my ($self, $seconds) = @_; $self->move_clock(8, $seconds) }

# In the foreground, as a child of the test.
sub begin {
	my ($self) = @_;
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		%ENV = (%ENV, $self->env);
		delete @ENV{ grep { !defined $ENV{$_} } keys %ENV };
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', $self->path('out');
		open STDERR, '>&', \*STDOUT;
		exec $self->start_words or POSIX::_exit(127);
	}
	$self->{pid} = $pid;
}

# Another command of it: {status, out}.
sub command {
	my ($self, $command, @more) = @_;
	return run([$self->words($command, @more)], env => { $self->env });
}

sub said { return read_file($_[0]->path('out')) }

# Waits for its end: its exit status, 128 + N for a signal; -1: it goes on.
sub wait_exit {
	my ($self, $timeout) = @_;
	return $self->{status} if defined $self->{status};
	return -1 unless wait_for($timeout // 20, sub { waitpid $self->{pid}, WNOHANG });
	return $self->{status} = $? & 127 ? 128 + ($? & 127) : $? >> 8;
}

sub signal { my ($self, $name) = @_; return kill $name => $self->{pid} }

sub stop {
	my ($self) = @_;
	$self->signal('TERM');
	return $self->wait_exit;
}

# The processes in whose command line this word is.
sub processes_with {
	my ($word) = @_;
	return grep { $_ != $$ && read_file("/proc/$_/cmdline") =~ /\Q$word\E/ }
	    map { m{(\d+)$} } glob '/proc/[0-9]*';
}

sub DESTROY {
	my ($self) = @_;
	local ($?, $!, $@);
	return if !$self->{pid} || defined $self->{status};
	$self->signal('KILL');
	waitpid $self->{pid}, 0;
}

1;
