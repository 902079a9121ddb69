# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Talker;

# One client of libcoconnect, in a process of its own: t/talker.c.
#
#   my $client = Talker->start($address, direct => $host->url);
#   my $r = $client->result('input echo hi');    # do it, and wait for its result
#   $client->say('input nap 5000');              # do it, and go on
#   my $event = $client->next(type => 'thinking');
#   $client->end;                                # fails the test unless it ends well
use strict;
use warnings;

use CoHost qw(program);
use IO::Select;
use JSON::PP ();
use POSIX ();
use Test::More ();
use Time::HiRes qw(time);

my $PATIENCE = $ENV{TEST_PATIENCE} || 1;
my $json = JSON::PP->new->utf8;

sub start {
	my ($class, $address, %o) = @_;
	my %env = %{ delete $o{env} // {} };
	my $dir = delete $o{dir} // '/';
	my @argv = (program('t/talker'), $address // '', map { "$_=$o{$_}" } sort keys %o);
	pipe my $commands, my $say or die "pipe: $!";
	pipe my $hear, my $lines or die "pipe: $!";
	$say->autoflush;
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		open STDIN, '<&', $commands;
		open STDOUT, '>&', $lines;
		close $_ for $say, $hear;
		%ENV = (%ENV, HOME => '/nonexistent', %env);
		chdir $dir and exec @argv;
		POSIX::_exit(127);
	}
	my $self = bless { pid => $pid, say => $say, hear => $hear, in => '', tester => $$ },
	    $class;
	$self->{client} = $self->next;
	return $self;
}

sub say { my ($self, @lines) = @_; print { $self->{say} } map { "$_\n" } @lines }

# The next line with these members; dies when none comes. All that were read are kept.
sub next {
	my ($self, %want) = @_;
	my $until = time + 20 * $PATIENCE;
	while (1) {
		while ($self->{in} =~ s/^(.*)\n//) {
			my $line = $json->decode($1);
			push @{ $self->{all} }, $line;
			next if grep { ($line->{$_} // '') ne $want{$_} } keys %want;
			return $line;
		}
		my $left = $until - time;
		die 'talker: no ' . $json->encode(\%want) . "\n"
		    unless $left > 0 && IO::Select->new($self->{hear})->can_read($left);
		sysread $self->{hear}, $self->{in}, 1 << 20, length $self->{in}
		    or die "talker: ended\n";
	}
}

# Do something, and return its result.
sub result {
	my ($self, @lines) = @_;
	$self->say(@lines);
	return $self->next(what => 'result');
}

# Do something that has a code and no result.
sub code {
	my ($self, $line) = @_;
	$self->say($line);
	return $self->next(what => 'code')->{code};
}

# All lines so far with these members, and forget all.
sub so_far {
	my ($self, %want) = @_;
	my @all = grep { my $l = $_; !grep { ($l->{$_} // '') ne $want{$_} } keys %want }
	    @{ $self->{all} };
	$self->{all} = [];
	return @all;
}

# The ways so far, in words: "connecting open*" (* sealed, + relayed).
sub ways {
	my ($self) = @_;
	return join ' ', map { $_->{way} . ($_->{way} ne 'open' ? ''
		: ($_->{relayed} ? '+' : '') . ($_->{sealed} ? '*' : '')) }
	    $self->so_far(what => 'way');
}

sub end {
	my ($self) = @_;
	close $self->{say};
	my $pid = delete $self->{pid};
	CoHost::wait_for(10, sub { waitpid($pid, POSIX::WNOHANG()) == $pid })
	    or kill(KILL => $pid), waitpid $pid, 0;
	Test::More::is($?, 0, 'the client ends well');
}

sub DESTROY {
	my ($self) = @_;
	local ($?, $!, $@);
	return unless $self->{pid} && $self->{tester} == $$;
	kill KILL => $self->{pid};
	waitpid $self->{pid}, 0;
}

1;
