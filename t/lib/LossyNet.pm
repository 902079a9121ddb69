# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package LossyNet;

# Two network namespaces with a line between them that loses packets: the test is in one, and
# starts programs in the other. The line is a pair of TUN devices and a process that carries
# packets between them, so no module of the kernel is needed for the losses.
#
#   LossyNet::enter();            # run this script again, in a namespace of its own
#   my $net = LossyNet->start;    # $net->near and $net->far are the addresses of the ends
#   CoHost->start(prefix => [$net->prefix], ...);    # a host at the far end
#   $net->loss(0.3); $net->cut; $net->heal;
use strict;
use warnings;

use CoHost qw(lacks read_file wait_for);
use Fcntl qw(F_SETFD O_RDWR);
use IO::Select;
use POSIX ();
use Test::More;

use constant {
	TUNSETIFF => 0x400454ca,
	TUN => 0x0001, NO_PACKET_INFO => 0x1000,
	NEAR => '10.99.0.1', FAR => '10.99.0.2',
};

sub run { my (@argv) = @_; system(@argv) == 0 or die "@argv: failed\n" }

sub enter {
	return run(qw(ip link set lo up)) if $ENV{CO_TEST_NETWORK};
	for my $tool (qw(ip unshare nsenter)) {
		lacks("there is no $tool") if system "command -v $tool >/dev/null";
	}
	plan(skip_all => 'only root can make network namespaces') if $> != 0;
	plan(skip_all => 'there is no /dev/net/tun') if !-w '/dev/net/tun';
	plan(skip_all => 'this machine has no network namespaces') if system 'unshare -n true 2>/dev/null';
	$ENV{CO_TEST_NETWORK} = 1;
	exec qw(unshare -n), $^X, $0 or die "unshare: $!";
}

# A device in the namespace of this process, with its address.
sub open_tun {
	my ($name, $address) = @_;
	sysopen my $tun, '/dev/net/tun', O_RDWR or die "/dev/net/tun: $!";
	ioctl $tun, TUNSETIFF, pack 'Z16 S x22', $name, TUN | NO_PACKET_INFO
	    or die "TUNSETIFF: $!";
	run(qw(ip address add), "$address/30", 'dev', $name);
	run(qw(ip link set), $name, 'up');
	return $tun;
}

sub start {
	my ($class) = @_;
	my $self = bless { tester => $$ }, $class;
	$self->{dir} = File::Temp->newdir('lossy-XXXXXX', TMPDIR => 1);
	my $own = readlink '/proc/self/ns/net';
	$self->{keeper} = fork // die "fork: $!";
	if (!$self->{keeper}) {
		exec qw(unshare -n sleep infinity) or POSIX::_exit(127);
	}
	my $there = "/proc/$self->{keeper}/ns/net";
	wait_for(10, sub { (readlink($there) // $own) ne $own }) or die "no namespace\n";
	$self->{there} = $there;
	my $tun = open_tun('near', NEAR);
	pipe my $commands, my $say or die "pipe: $!";
	$say->autoflush;
	$self->{carrier} = fork // die "fork: $!";
	if (!$self->{carrier}) {
		close $say;
		fcntl $_, F_SETFD, 0 for $tun, $commands;
		exec $self->prefix, $^X, (map { "-I$_" } @INC), '-MLossyNet', '-e',
		    'LossyNet::carry(@ARGV)', fileno $tun, fileno $commands, "$self->{dir}/lost"
		    or POSIX::_exit(127);
	}
	$self->{say} = $say;
	wait_for(10, sub { -e "$self->{dir}/lost" }) or die "no line\n";
	return $self;
}

sub near { return NEAR }
sub far { return FAR }

# What goes before a command that is to run at the far end.
sub prefix { my ($self) = @_; return ('nsenter', "--net=$self->{there}") }

sub loss { my ($self, $share) = @_; print { $self->{say} } "$share\n" }
sub cut { $_[0]->loss(1) }
sub heal { $_[0]->loss(0) }

# How many packets were lost since the start.
sub lost {
	my ($self) = @_;
	my $before = read_file("$self->{dir}/lost");
	print { $self->{say} } "tell\n";
	return wait_for(5, sub { my $now = read_file("$self->{dir}/lost");
		$now =~ /^(\d+)\n/ && $now ne $before ? "$1 packets" : undef }) || 0;
}

sub DESTROY {
	my ($self) = @_;
	local ($?, $!, $@);
	return if $self->{tester} != $$;
	for my $pid (grep { $_ } @$self{qw(carrier keeper)}) {
		kill KILL => $pid;
		waitpid $pid, 0;
	}
}

# ---- the carrier, at the far end ----

sub carry {
	my ($near_fd, $commands_fd, $file) = @_;
	open my $near, '+<&=', $near_fd or die "near: $!";
	open my $commands, '<&=', $commands_fd or die "commands: $!";
	run(qw(ip link set lo up));
	my $far = open_tun('far', FAR);
	my ($loss, $lost, $n_told, $words) = (0, 0, 0, '');
	my $tell = sub {
		open my $f, '>', "$file.new" or die "$file: $!";
		print $f "$lost\n", ++$n_told, "\n";
		close $f;
		rename "$file.new", $file;
	};
	$tell->();
	my $select = IO::Select->new($near, $far, $commands);
	while (1) {
		for my $fh ($select->can_read) {
			if ($fh == $commands) {
				sysread $commands, $words, 4096, length $words or return;
				while ($words =~ s/^(.*)\n//) { $1 eq 'tell' ? $tell->() : ($loss = $1) }
				next;
			}
			sysread $fh, my $packet, 65536 or next;
			if (rand() < $loss) { $lost++ }
			else { syswrite $fh == $near ? $far : $near, $packet }
		}
	}
}

1;
