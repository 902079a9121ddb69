# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Terminal;

# A program at a terminal of its own, for stories of people who type.
#
#   my $t = Terminal->start([program('co-connect'), ...], env => { TERM => 'vt100' });
#   $t->expect(qr/> $/);
#   $t->type("hello\r");               # "\x03" is Ctrl-C, "\x04" Ctrl-D
#   $t->expect(qr/You said: hello/);   # what came since the last match
#   is $t->end, 0, '...';              # its exit status; undef if it does not exit
#
# Everything that came is in ->all. Needs IO::Pty.
use strict;
use warnings;

use CoHost ();
use IO::Select;
use POSIX qw(WNOHANG);
use Time::HiRes qw(time);

sub start {
	my ($class, $argv, %o) = @_;
	require IO::Pty;
	my $pty = IO::Pty->new or die "no terminal: $!";
	my $slave = $pty->slave;
	$slave->set_winsize(24, $o{columns} // 80);
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		$pty->make_slave_controlling_terminal;
		close $pty;
		open STDIN, '<&', $slave;
		open STDOUT, '>&', $slave;
		open STDOUT, '>', $o{out} if $o{out};
		open STDERR, '>&', $slave;
		close $slave;
		%ENV = (%ENV, TERM => 'vt100', LC_ALL => 'C.UTF-8', %{ $o{env} || {} });
		delete @ENV{ grep { !defined $ENV{$_} } keys %ENV };
		exec @$argv or POSIX::_exit(127);
	}
	$pty->close_slave;
	return bless { pty => $pty, pid => $pid, all => '', seen => 0, tester => $$ }, $class;
}

sub all { return $_[0]{all} }
sub pid { return $_[0]{pid} }

# Take what has come, waiting at most so long. False at the end.
sub take {
	my ($self, $timeout) = @_;
	return 1 unless IO::Select->new($self->{pty})->can_read($timeout);
	return sysread $self->{pty}, $self->{all}, 65536, length $self->{all};
}

# Wait for this since the last match. What stood before it, or undef.
sub expect {
	my ($self, $what, $timeout) = @_;
	my $end = time + ($timeout // 20) * ($ENV{TEST_PATIENCE} || 1);
	my $goes_on = 1;
	while (1) {
		pos($self->{all}) = $self->{seen};
		if ($self->{all} =~ /\G(.*?)$what/sg) {
			my $before = $1;
			$self->{seen} = pos $self->{all};
			return $before;
		}
		if (!$goes_on || time > $end) {
			Test::More::diag("the terminal had: " . substr($self->{all}, $self->{seen}));
			return undef;
		}
		$goes_on = $self->take(0.1);
	}
}

sub type {
	my ($self, $keys) = @_;
	syswrite $self->{pty}, $keys;
}

# Its exit status, once it has exited.
sub end {
	my ($self, $timeout) = @_;
	my $done = CoHost::wait_for($timeout // 20, sub {
		$self->take(0);
		return waitpid $self->{pid}, WNOHANG;
	});
	return undef if $done != $self->{pid};
	my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
	$self->{is_gone} = 1;
	1 while ($self->take(0) // 0) && IO::Select->new($self->{pty})->can_read(0);
	return $status;
}

sub DESTROY {
	my ($self) = @_;
	return if $self->{is_gone} || $self->{tester} != $$;
	local ($?, $!, $@);
	kill KILL => $self->{pid};
	waitpid $self->{pid}, 0;
}

1;
