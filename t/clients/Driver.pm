# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Driver;

# A client of Socket.IO in a process of its own, in any language (t/clients/drivers). It is run as
#
#	PROGRAM URL QUERY ws|polling|default
#
# connects, and prints a line of JSON for whatever happens,
#
#	{"t":MS, "ev":"connect|event|ack|error|disconnect", "args":[...]}
#
# It does what the lines of its standard input say: "say TEXT" sends a message, "ack TEXT" the same
# with an ack, "bin N" an event with N bytes and an ack, "leave" disconnects and exits with status 0.
#
#	my $c = Driver->start([@program], $url, 'conversation_id=x&latest_event_id=-1', 'ws', %env);
#	$c->wait('connect') and $c->tell('say hello');
#	$c->leave;
use strict;
use warnings;

use IO::Handle;
use IO::Select;
use JSON::PP ();
use POSIX qw(WNOHANG);
use Time::HiRes qw(time);

my $WAIT = 30;

sub start {
	my ($class, $program, $url, $query, $transport, %env) = @_;
	pipe my $in, my $tell or die "pipe: $!";
	pipe my $out, my $said or die "pipe: $!";
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		POSIX::setpgid(0, 0);
		open STDIN, '<&', $in;
		open STDOUT, '>&', $said;
		open STDERR, '>', '/dev/null' unless $ENV{V};
		close $_ for $in, $tell, $out, $said;
		%ENV = (%ENV, %env);
		exec @$program, $url, $query, $transport or POSIX::_exit(127);
	}
	$tell->autoflush;
	return bless { pid => $pid, in => $tell, out => $out, seen => [], text => '', tester => $$ }, $class;
}

sub tell {
	my ($self, $line) = @_;
	local $SIG{PIPE} = 'IGNORE';
	print { $self->{in} } "$line\n";
}

# Take what it has said. Returns whether it may say more.
sub hear {
	my ($self, $timeout) = @_;
	return 1 unless IO::Select->new($self->{out})->can_read($timeout);
	my $n = sysread $self->{out}, $self->{text}, 65536, length $self->{text};
	while ($self->{text} =~ s/^(.*)\n//) {
		my $happening = eval { JSON::PP->new->utf8->decode($1) };
		push @{ $self->{seen} }, $happening if ref $happening;
	}
	return $n;
}

# That for Python (sync) calls each handler in a thread of its own: order events by their ids.
sub reorder { my ($self) = @_; $self->{is_unordered} = 1; return $self }

# All that happened, or that of one kind.
sub seen {
	my ($self, $ev) = @_;
	my @seen = grep { !$ev || $_->{ev} eq $ev } @{ $self->{seen} };
	return @seen unless $self->{is_unordered} && ($ev // '') eq 'event';
	@seen = sort { $a->{args}[0]{id} <=> $b->{args}[0]{id} } @seen;
	return @seen;
}

# Wait until this is true of the client. Returns what it returned, or false.
sub until {
	my ($self, $is_so, $timeout) = @_;
	my $end = time + ($timeout // $WAIT * ($ENV{TEST_PATIENCE} || 1));
	while (1) {
		my $so = $is_so->($self);
		return $so if $so || time > $end;
		return $is_so->($self) unless $self->hear(0.1);
	}
}

# Wait for a happening of this kind, the nth (1) of those. Returns it.
sub wait {
	my ($self, $ev, $n) = @_;
	return $self->until(sub { ($self->seen($ev))[($n // 1) - 1] });
}

# The oh_events, without changes of the agent's state.
sub events { my ($self) = @_; return grep { !is_state($_) } map { $_->{args}[-1] } $self->seen('event') }

sub is_state { my ($event) = @_; return $event->{extras} && $event->{extras}{agent_state} }

# What the agent has said, and whether a turn has come to its end.
sub said {
	my ($self) = @_;
	return map { $_->{message} } grep { $_->{source} eq 'agent' && ($_->{type} // '') eq 'message' }
	    $self->events;
}

sub is_idle {
	my ($self) = @_;
	my @all = map { $_->{args}[-1] } $self->seen('event');
	return @all && (is_state($all[-1]) // '') eq 'awaiting_user_input' && $all[-1]{id} > 0;
}

# End it. Returns its exit status, undef if it had to be killed.
sub leave {
	my ($self) = @_;
	$self->tell('leave');
	my $end = time + 10 * ($ENV{TEST_PATIENCE} || 1);
	while (time < $end) {
		$self->hear(0.05);
		if (waitpid($self->{pid}, WNOHANG) == $self->{pid}) {
			delete $self->{pid};
			return $? >> 8;
		}
	}
	return undef;
}

sub DESTROY {
	my ($self) = @_;
	local ($?, $!, $@);
	return unless $self->{pid} && $self->{tester} == $$;
	kill KILL => -$self->{pid}, $self->{pid};
	waitpid $self->{pid}, 0;
}

1;
