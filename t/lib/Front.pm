# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Front;

# What stands before a server: it passes connections on, or gives answers of its own.
#
#   my $front = Front->start($relay->address);
#   $front->answer("/api/agents/$address", { endpoints => [...] });
#   $front->to($host->address);      # new connections go there; '' closes them
#   $front->cut;                     # and all that there are
#   $front->asked;                   # the paths of requests so far
use strict;
use warnings;

use CoHost qw(read_file wait_for write_file);
use File::Temp ();
use IO::Select;
use IO::Socket::IP;
use JSON::PP ();

my $json = JSON::PP->new->utf8->canonical;

sub start {
	my ($class, $to) = @_;
	my $dir = File::Temp->newdir('front-XXXXXX', TMPDIR => 1);
	my $self = bless { dir => $dir, answers => {}, to => $to, cuts => 0, tester => $$ }, $class;
	my $listener = IO::Socket::IP->new(LocalHost => '127.0.0.1', Listen => 64)
	    or die "front: $@\n";
	$self->{port} = $listener->sockport;
	write_file("$dir/asked", '');
	$self->tell;
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		eval { serve("$dir", $listener); 1 } or warn "front: $@";
		POSIX::_exit(0);
	}
	$self->{pid} = $pid;
	return $self;
}

sub address { return "127.0.0.1:$_[0]{port}" }
sub url { return "http://127.0.0.1:$_[0]{port}" }

sub tell {
	my ($self) = @_;
	write_file("$self->{dir}/new", $json->encode({ map { $_ => $self->{$_} } qw(answers to cuts) }));
	rename "$self->{dir}/new", "$self->{dir}/rules" or die $!;
}

# A path is answered with this JSON.
sub answer {
	my ($self, $path, $body) = @_;
	$self->{answers}{$path} = $json->encode($body);
	$self->tell;
}

sub to { my ($self, $to) = @_; $self->{to} = $to; $self->tell }

sub cut {
	my ($self) = @_;
	$self->{cuts}++;
	$self->tell;
	wait_for(5, sub { (read_file("$self->{dir}/cut") || 0) == $self->{cuts} });
}


sub asked { return split /\n/, read_file("$_[0]{dir}/asked") }

sub DESTROY {
	my ($self) = @_;
	local ($?, $!, $@);
	return unless $self->{pid} && $self->{tester} == $$;
	kill KILL => $self->{pid};
	waitpid $self->{pid}, 0;
}

# ---- the process ----

sub serve {
	my ($dir, $listener) = @_;
	local $SIG{PIPE} = 'IGNORE';
	my $select = IO::Select->new($listener);
	my ($cuts, %in, %other) = (0);
	my $drop = sub {
		for my $fh (grep { $_ } $_[0], delete $other{ $_[0] }) {
			delete $other{$fh};
			delete $in{$fh};
			$select->remove($fh);
			close $fh;
		}
	};
	while (1) {
		my @ready = $select->can_read(0.02);
		my $rules = $json->decode(read_file("$dir/rules"));
		if ($cuts != $rules->{cuts}) {
			$cuts = $rules->{cuts};
			$drop->($_) for grep { $_ != $listener } $select->handles;
			write_file("$dir/cut", $cuts);
			next;
		}
		for my $fh (@ready) {
			if ($fh == $listener) {
				my $new = $listener->accept or next;
				$in{$new} = '';
				$select->add($new);
				next;
			}
			next unless defined fileno $fh;
			my $n = sysread $fh, my $bytes, 1 << 16;
			if (!$n) { $drop->($fh); next }
			if ($other{$fh}) { write_all($other{$fh}, $bytes); next }
			$in{$fh} .= $bytes;
			my ($path) = $in{$fh} =~ /\A\w+ (\S+) .*?\r\n\r\n/s or next;
			open my $asked, '>>', "$dir/asked";
			syswrite $asked, "$path\n";
			if (defined(my $body = $rules->{answers}{$path})) {
				write_all($fh, "HTTP/1.1 200 OK\r\nConnection: close\r\n"
				    . "Content-Length: " . length($body) . "\r\n\r\n$body");
				$drop->($fh);
				next;
			}
			my $server = $rules->{to} && IO::Socket::IP->new($rules->{to});
			if (!$server) { $drop->($fh); next }
			@other{ $fh, $server } = ($server, $fh);
			$select->add($server);
			write_all($server, delete $in{$fh});
		}
	}
}

sub write_all {
	my ($to, $bytes) = @_;
	my $at = 0;
	while ($at < length $bytes) {
		my $n = syswrite $to, $bytes, length($bytes) - $at, $at or return;
		$at += $n;
	}
}

1;
