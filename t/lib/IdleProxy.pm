# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package IdleProxy;

# An HTTP proxy that closes tunnels in which nothing moved for some time, as many do.
#
#   my $proxy = IdleProxy->start(idle => 1.5);
#   CoHost->start(env => { ws_proxy => $proxy->url }, ...);
#   $proxy->closed;      # how many tunnels it has closed for that
use strict;
use warnings;

use CoHost qw(read_file write_file);
use File::Temp ();
use IO::Select;
use IO::Socket::IP;
use POSIX ();
use Time::HiRes qw(time);

sub start {
	my ($class, %o) = @_;
	my $self = bless { %o, tester => $$, file => File::Temp->new }, $class;
	my $listener = IO::Socket::IP->new(LocalHost => '127.0.0.1', Listen => 16)
	    or die "proxy: $@\n";
	$self->{port} = $listener->sockport;
	$self->{pid} = fork // die "fork: $!";
	if (!$self->{pid}) {
		eval { $self->serve($listener); 1 } or warn "proxy: $@";
		POSIX::_exit(0);
	}
	return $self;
}

sub url { return "http://127.0.0.1:$_[0]{port}" }
sub closed { return length read_file("$_[0]{file}") }

sub DESTROY {
	my ($self) = @_;
	local ($?, $!, $@);
	return if $self->{tester} != $$;
	kill KILL => $self->{pid};
	waitpid $self->{pid}, 0;
}

# ---- the proxy ----

sub serve {
	my ($self, $listener) = @_;
	local $SIG{PIPE} = 'IGNORE';
	my $select = IO::Select->new($listener);
	my %tunnels;    # by either socket
	my $end = sub {
		my ($t) = @_;
		for my $fh (@{ $t->{ends} }) {
			$select->remove($fh);
			delete $tunnels{$fh};
			close $fh;
		}
	};
	while (1) {
		for my $fh ($select->can_read(0.1)) {
			if ($fh == $listener) {
				my $t = open_tunnel(scalar $listener->accept) or next;
				$select->add(@{ $t->{ends} });
				$tunnels{$_} = $t for @{ $t->{ends} };
				next;
			}
			my $t = $tunnels{$fh} or next;
			my ($to) = grep { $_ != $fh } @{ $t->{ends} };
			my $bytes = '';
			if (sysread($fh, $bytes, 65536) && syswrite $to, $bytes) { $t->{at} = time }
			else { $end->($t) }
		}
		my %late = map { $_ => $_ } grep { time - $_->{at} > $self->{idle} } values %tunnels;
		for my $t (values %late) {
			$end->($t);
			open my $f, '>>', "$self->{file}" or die "$self->{file}: $!";
			print $f '.';
			close $f;
		}
	}
}

sub open_tunnel {
	my ($near) = @_;
	my $head = '';
	while ($near && $head !~ /\r\n\r\n/) { sysread $near, $head, 1, length $head or return }
	my ($host, $port) = $head =~ /^CONNECT (\S+):(\d+) HTTP/ or return;
	my $far = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port) or return;
	syswrite $near, "HTTP/1.1 200 Connection established\r\n\r\n";
	return { ends => [$near, $far], at => time };
}

1;
