# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Comeback;

# A client that comes back to its turn whenever its connection ends.
#
#   my $turn = Comeback->begin(sub { my (%session) = @_; ...a connected WS, or undef... },
#       'stream 40 50');
#   $turn->read(until => sub { my ($turn) = @_; $turn->seen > 5 });   # or to the end
#   is $turn->end->{type}, 'OUTPUT'; is $turn->twice, 0;
use strict;
use warnings;

use CoHost qw(wait_for);

# The prompt is sent once, with a name of its own.
sub begin {
	my ($class, $connect, $prompt) = @_;
	my $ws = $connect->();
	my $self = bless { connect => $connect, ws => $ws, session => $ws->session_id,
		seen => {}, twice => 0, breaks => 0 }, $class;
	$ws->send_json({ type => 'INPUT', prompt => $prompt, input_id => 'i' . rand });
	return $self;
}

sub end { return $_[0]{end} }
sub session_id { return $_[0]{session} }
sub twice { return $_[0]{twice} }
sub breaks { return $_[0]{breaks} }
sub seen { return scalar keys %{ $_[0]{seen} } }
sub ws { return $_[0]{ws} }

sub come_back {
	my ($self) = @_;
	$self->{breaks}++;
	my %session = (session_id => $self->{session});
	$session{last_msg_id} = $self->{last} if $self->{last};
	$self->{ws} = wait_for(40, sub { eval { $self->{connect}->(%session) } });
	return $self->{ws};
}

# Read to the end of the turn, or until something holds. Returns whether it came to that.
sub read {
	my ($self, %o) = @_;
	while (!$self->{end}) {
		return 1 if $o{until} && $o{until}->($self);
		my $f = $self->{ws}->next(timeout => 30);
		if (!$f) {
			return 0 if !defined $self->{ws}->closed || !$self->come_back;
			next;
		}
		$self->{end} = $f if $f->{type} =~ /^(?:OUTPUT|ERROR)$/;
		my $id = $f->{id} or next;
		$self->{twice}++ if $self->{seen}{"$f->{type} $id"}++;
		$self->{last} = $id;
	}
	return 1;
}

1;
