# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package FramesAgent;

# Servers with t/agents/frames.py, a program in persistent mode, which does the steps of a
# prompt.
#
#   my $host = FramesAgent->start(1, yaml => "...\n", options => ['slow']);
#   my $ws = $host->begun;            # a turn that has begun, and goes on
#   is ending($ws), 'interrupted';    # its result, or the reason why it has none
use strict;
use warnings;

use CoHost qw(source wait_for read_file);
use Exporter qw(import);
use JSON::PP;

our @ISA = ('CoHost');
our @EXPORT_OK = qw(ask ending is_gone told);

my $json = JSON::PP->new->canonical->allow_nonref;
my $FOREVER = ['until', '/nonexistent'];

# An option NAME makes the program look at a file of this name in $host->place.
sub start {
	my ($class, $workers, %o) = @_;
	my $place = File::Temp->newdir(TMPDIR => 1);
	my $options = join ' ', "--mark $place/marks",
	    map { "--$_ $place/$_" } @{ $o{options} || [] };
	my $self = $class->SUPER::start(workers => $workers,
		agent => 'exec:exec python3 ' . source('t/agents/frames.py') . " $options",
		yaml => "agent_persistent: true\ninterrupt_grace: 1\n" . ($o{yaml} // ''));
	$self->{place} = $place;
	return $self;
}

sub place { return "$_[0]{place}" }

# What the processes have noted: "start", "drain" or "end", each with a process id.
sub marks {
	my ($self, $word) = @_;
	my @pids = read_file($self->place . '/marks') =~ /^$word (\d+)$/mg;
	return @pids;
}

sub has_mark {
	my ($self, $word, $pid) = @_;
	return wait_for(20, sub { grep { $_ == $pid } $self->marks($word) });
}

# A step in the words of a title.
sub told { return $json->encode($_[0]) =~ s/\\n//r }

sub ask {
	my ($ws, @steps) = @_;
	$ws->send_json({ type => 'INPUT', prompt => $json->encode(\@steps) });
	return $ws;
}

sub begun {
	my ($self, @steps) = @_;
	my $ws = ask($self->ws(session => {}), @steps, { type => 'begun' }, $FOREVER);
	$ws->next(type => 'begun');
	return $ws;
}

# A turn that need not come to its end.
sub ask_forever { my ($self, @steps) = @_; return ask($self->ws(session => {}), @steps, $FOREVER) }

sub ending {
	my ($ws) = @_;
	my $end = $ws->next(type => ['OUTPUT', 'ERROR']);
	return $end->{result} // $end->{reason};
}

# The process that runs the next turn; 0 if the turn fails.
sub runner_pid {
	my ($self) = @_;
	return ($self->input('pid')->{json}{result} // '') =~ /(\d+)$/ ? $1 : 0;
}

sub is_gone { my ($pid) = @_; return wait_for(10, sub { !kill 0, $pid }) }

sub log_has {
	my ($self, $pattern) = @_;
	return wait_for(10, sub { read_file($self->log) =~ $pattern });
}

1;
