# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Hazards;

# Servers with t/agents/hazards.py, and the process that its agent talks to.
#
#   my $hazards = Hazards->new;
#   my $host = $hazards->start('isolated', 4, ['client', 'file'], env => { WHEN => 'turn' });
use strict;
use warnings;

use CoHost qw(source);
use File::Temp ();
use POSIX ();
use PyAgent;

sub new {
	my ($class) = @_;
	pipe my $said, my $says or die "pipe: $!";
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		open STDOUT, '>&', $says;
		exec PyAgent::python(), source('t/agents/peer.py') or POSIX::_exit(127);
	}
	close $says;
	chomp(my $ports = <$said> // die 'peer.py did not start');
	my $temp = File::Temp->newdir(TMPDIR => 1);
	return bless { pid => $pid, ports => $ports, temp => $temp, tester => $$ }, $class;
}

sub start {
	my ($self, $state, $workers, $things, %o) = @_;
	return PyAgent->start('hazards.py', workers => $workers, %o,
		yaml => "agent_state: $state\n",
		env => { PEER => $self->{ports}, HAZARDS => "@$things", TMPDIR => "$self->{temp}",
			%{ $o{env} // {} } });
}

sub DESTROY {
	my ($self) = @_;
	return if $self->{tester} != $$;
	local $?;
	kill KILL => $self->{pid};
	waitpid $self->{pid}, 0;
}

1;
