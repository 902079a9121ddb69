# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Fault;

# A disk that fails when told to (t/fault.c), for one server.
#
#   my $disk = Fault->new($dir);
#   my $host = CoHost->start(dir => $dir, env => { $disk->env });
#   $disk->fail('facts.mdb', meta => POSIX::EIO, left => 1);
#   $disk->heal;
use strict;
use warnings;

use CoHost qw(program write_file);

sub new {
	my ($class, $dir) = @_;
	my $self = bless { path => "$dir/fault" }, $class;
	write_file($self->{path}, pack 'l5 a44', (0) x 5, '');
	return $self;
}

# For the environment of the server.
sub env {
	my ($self) = @_;
	return (LD_PRELOAD => program('t/fault.so'), FAULT_FILE => $self->{path},
		ASAN_OPTIONS => join(":", $ENV{ASAN_OPTIONS} // (), "verify_asan_link_order=0"));
}

# From now on writes to a file fail: meta, data, sync name the errno of writes to its meta
# pages, of others, and of fdatasync; left is how many do (-1: all); is_done: they fail, but
# what they write is written.
sub fail {
	my ($self, $file, %o) = @_;
	my @words = ($o{left} // -1, map { $o{$_} // 0 } qw(meta data sync is_done));
	$self->put(4, pack 'l4 a44', @words[1 .. 4], $file);
	$self->put(0, pack 'l', $words[0]); # last: now it counts
	return;
}

sub heal { return $_[0]->put(0, pack 'l', 0) }

# How many calls are still to fail.
sub left {
	my ($self) = @_;
	return unpack 'l', CoHost::read_file($self->{path});
}

# In place: the file is mapped.
sub put {
	my ($self, $at, $bytes) = @_;
	open my $f, '+<:raw', $self->{path} or die "$self->{path}: $!\n";
	seek $f, $at, 0;
	print $f $bytes;
	close $f or die "$self->{path}: $!\n";
	return;
}

1;
