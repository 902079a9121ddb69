# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Frames;

# The server's side of one long-lived agent process: a socket with frames of many turns.
#
#   my $p = Frames->start([program...], env => {...});   # waits for READY
#   my $p = Frames->python($dir, 'unruly.py', options..., { env => {...} });
#   my $turn = $p->input('say hello');                   # its number
#   my $last = $p->last($turn);                          # waits for its last frame
#   $p->frames($turn)                                    # all that came of it so far
use strict;
use warnings;

use CoHost;
use IO::Select;
use JSON::PP;
use PyAgent;
use Socket;
use Time::HiRes qw(time);

my $json = JSON::PP->new->utf8->canonical;
my $patience = 20 * ($ENV{TEST_PATIENCE} // 1);

sub start {
	my ($class, $command, %o) = @_;
	socketpair my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die "socketpair: $!";
	my $log = $o{log} // '/dev/null';
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		%ENV = (%ENV, %{ $o{env} // {} });
		chdir $o{dir} if $o{dir};
		open STDIN, '<&', $theirs or die;
		open STDOUT, '>&', $theirs or die;
		open STDERR, '>>', $log or die;
		exec @$command or die;
	}
	close $theirs;
	$ours->blocking(0);
	my $self = bless { pid => $pid, sock => $ours, log => $log, in => '', frames => {},
		turn => 0, bytes => {} }, $class;
	$self->{ready} = $self->next_of(0, 'READY') unless $o{is_loading};
	return $self;
}

# Starts a file of t/agents, or another one, in a folder that has its log.
sub python {
	my ($class, $dir, $file, @options) = @_;
	my %o = ref $options[-1] ? %{ pop @options } : ();
	return $class->start([PyAgent::python(), CoHost::program('co-agent-python'), '--serve',
		@options, '--', PyAgent::file($file)],
		dir => "$dir", log => "$dir/log", %o);
}

# The types of all frames of a turn that may be its last one.
sub ends {
	my ($self, $turn) = @_;
	return [map { $_->{type} } grep { $_->{type} =~ /^[A-Z]/ && $_->{type} ne 'LOG' }
	    $self->frames($turn)];
}

sub pid { return $_[0]{pid} }

# Sends a frame.
sub send {
	my ($self, $turn, $frame) = @_;
	my $text = "$turn " . $json->encode($frame) . "\n";
	$text =~ s/\{(.*)"type":"(\w+)"/{"type":"$2",$1/ && $text =~ s/,([,}])/$1/;
	while (length $text) {
		my $n = syswrite $self->{sock}, $text;
		if (defined $n) {
			substr $text, 0, $n, '';
		} else {
			die "send: $!" unless $!{EAGAIN};
			IO::Select->new($self->{sock})->can_write(1);
		}
	}
}

# Begins a turn; returns its number.
sub begin {
	my ($self, %task) = @_;
	my $turn = ++$self->{turn};
	$self->send($turn, \%task);
	return $turn;
}

sub input {
	my ($self, $prompt, %o) = @_;
	return $self->begin(type => 'INPUT', session_id => 's', prompt => $prompt, turn => 1, %o);
}

# Reads what is there, or waits for it; false at the end of the file, or of the time.
sub read_some {
	my ($self, $seconds) = @_;
	return 0 if $self->{is_over} || !IO::Select->new($self->{sock})->can_read($seconds);
	my $n = sysread $self->{sock}, my $data, 1 << 16;
	if (!$n) {
		$self->{is_over} = 1;
		return 0;
	}
	$self->{in} .= $data;
	while ($self->{in} =~ s/^(\d+) (.*)\n//) {
		my ($turn, $text) = ($1, $2);
		$self->{bytes}{$turn} += length("$turn $text\n");
		push @{ $self->{frames}{$turn} }, $json->decode($text);
	}
	return 1;
}

# All frames of a turn that came.
sub frames {
	my ($self, $turn) = @_;
	1 while $self->read_some(0);
	return @{ $self->{frames}{$turn} // [] };
}

sub bytes { return $_[0]{bytes}{ $_[1] } // 0 }

# Waits until a condition holds, the process is gone, or the time (the usual patience) is over;
# returns what the condition gives.
sub until {
	my ($self, $condition, $seconds) = @_;
	my $end = time + ($seconds // $patience);
	while (time < $end) {
		my $value = $condition->();
		return $value if $value;
		next if $self->read_some(0.05);
		return $condition->() if $self->{is_over};
	}
	return undef;
}

# Waits for a frame of a turn of one of these types, from the n-th on; returns it.
sub next_of {
	my ($self, $turn, $types, $from) = @_;
	return $self->until(sub {
		my @frames = @{ $self->{frames}{$turn} // [] };
		for my $frame (@frames[($from // 0) .. $#frames]) {
			return $frame if $frame->{type} =~ /^(?:$types)$/;
		}
		return undef;
	});
}

sub last {
	my ($self, $turn) = @_;
	return $self->next_of($turn, 'OUTPUT|ERROR|EXEC_RESULT|LOST') // { type => 'NONE' };
}

# The result of a turn that is begun now.
sub ask {
	my ($self, $prompt) = @_;
	my $last = $self->last($self->input($prompt));
	return $last->{result} // $last->{message};
}

# What a turn has printed.
sub printed {
	my ($self, $turn) = @_;
	return [map { $_->{text} } grep { $_->{type} eq 'LOG' } $self->frames($turn)];
}

# Closes the socket.
sub hang_up { close $_[0]{sock} }

# Waits for the end of the process; returns its status as of wait(), or undef.
sub ended {
	my ($self) = @_;
	my $end = time + $patience;
	while (time < $end) {
		return $? if waitpid($self->{pid}, 1) == $self->{pid};
		$self->read_some(0.02) unless $self->{is_over} || !defined fileno $self->{sock};
		select undef, undef, undef, 0.01;
	}
	return undef;
}

sub DESTROY {
	my ($self) = @_;
	local ($?, $!);
	kill KILL => $self->{pid};
	waitpid $self->{pid}, 0;
}

1;
