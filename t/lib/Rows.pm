# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Rows;

# A client that keeps a session as rows (doc/oip.txt 15): it folds what it is sent by
# position, and notes what must not be.
#
#   my $tab = Rows->new($host, $key, session_id => 's');
#   $tab->open;                              # rows: after the last one it has
#   $tab->say(INPUT => prompt => 'hi');
#   $tab->read_until(sub { $_[0]{type} eq 'done' });
#   $tab->rows; $tab->problems; $tab->others
use strict;
use warnings;

use HTTP;
use Sign qw(connect_frame command_frame);
use Time::HiRes qw(time);

my $n_hellos = 0;

sub new {
	my ($class, $host, $key, %o) = @_;
	return bless {
		host => $host, key => $key, session_id => $o{session_id},
		rows => [], at => {}, others => [], problems => [], resets => [],
		cursor => $o{cursor} // '',
	}, $class;
}

sub rows { return $_[0]{rows} }
sub problems { return $_[0]{problems} }
sub others { return $_[0]{others} }
sub resets { return $_[0]{resets} }
sub hello { return $_[0]{hello} }
sub types { return [map { $_->{type} } @{ $_[0]{rows} }] }
sub last_pos { my ($s) = @_; return $s->{rows}[-1] ? $s->{rows}[-1]{pos} : 0 }

# Connect, or come back with the cursor. Dies if there is no CONNECTED.
sub open {
	my ($self, %o) = @_;
	my $host = $self->{host};
	my $ws = $host->ws;
	$ws->send_json(connect_frame($self->{key}, $host, v2 => 1,
		session_id => $self->{session_id}, %{ $o{frame} || {} },
		payload => { nonce => 'r' . $$ . $n_hellos++,
			rows => $o{rows} // $self->{cursor} }));
	my $hello = $ws->next(type => ['CONNECTED', 'ERROR'])
	    or die "no CONNECTED\n";
	die "$hello->{message}\n" if $hello->{type} eq 'ERROR';
	$self->{session_id} = $hello->{session_id};
	$self->{epoch} = $hello->{epoch};
	$self->{expected} = undef;
	$self->{cursor} = "$hello->{epoch}-$hello->{head}"
	    if !length($o{rows} // $self->{cursor});
	@$self{qw(ws hello)} = ($ws, $hello);
	return $hello;
}

sub cut { my ($self) = @_; $self->{ws}->close(how => 'cut') if $self->{ws}; delete $self->{ws} }

sub say {
	my ($self, $type, %members) = @_;
	$self->{ws}->send_json(command_frame($self->{key}, $self->{host}, $type, %members));
}

# Take a frame: a row is kept, and must be new and the next one.
sub take {
	my ($self, $f) = @_;
	if (!defined $f->{pos}) {
		push @{ $f->{type} eq 'reset' ? $self->{resets} : $self->{others} }, $f;
		$self->{may_skip} = 1 if $f->{type} eq 'reset';
		return $f;
	}
	my ($pos) = $f->{pos};
	my ($last) = $self->{cursor} =~ /-(\d+)$/;
	push @{ $self->{problems} }, "row $pos came again" if $self->{at}{$pos}++;
	push @{ $self->{problems} }, "row $pos after $last"
	    if defined $last && $pos != $last + 1 && !$self->{may_skip};
	$self->{may_skip} = 0;
	push @{ $self->{rows} }, $f;
	$self->{cursor} = "$self->{epoch}-$pos";
	return $f;
}

# Read frames up to one for which the function is true, which is returned; undef if the
# socket ends before or it does not come in time.
sub read_until {
	my ($self, $is_last, $timeout) = @_;
	my $end = time + ($timeout // $HTTP::TIMEOUT);
	while (my $f = $self->{ws}->next(timeout => $end - time)) {
		$self->take($f);
		return $f if $is_last->($f);
	}
	return undef;
}

# Read up to the end of a turn.
sub read_end {
	my ($self, $timeout) = @_;
	return $self->read_until(sub { $_[0]{type} =~ /^(done|failed)$/ }, $timeout);
}

sub read_type {
	my ($self, $type, $timeout) = @_;
	return $self->read_until(sub { $_[0]{type} eq $type }, $timeout);
}

# Take what came until the server had taken all we sent.
sub settle {
	my ($self) = @_;
	$self->take($_) for $self->{ws}->settle;
}

1;
