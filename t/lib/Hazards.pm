# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Hazards;

# Servers with t/agents/hazards.py, and the process that its agent talks to.
#
#   my $hazards = Hazards->new;
#   my $host = $hazards->start('isolated', 4, ['client', 'file'], env => { WHEN => 'turn' });
#   Hazards::are_answered($host, 'made in a turn', 'client', 'file');
use strict;
use warnings;

use CoHost qw(source);
use File::Temp ();
use POSIX ();
use PyAgent;
use Test::More ();

use constant { CLIENTS => 8, ROUNDS => 2 };

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

# All clients ask at once, and each gets the answer to what it has asked.
sub are_answered {
	my ($host, $title, @things) = @_;
	my @ws = map { $host->ws(session => {}) } 1 .. CLIENTS;
	my (%numbers, $n);
	for my $thing (@things) {
		my @wrong;
		for my $round (1 .. ROUNDS) {
			$ws[$_]->send_json({ type => 'INPUT', prompt => "$thing $thing-$_-$round" })
			    for 0 .. $#ws;
			for (0 .. $#ws) {
				my $end = $ws[$_]->next(type => ['OUTPUT', 'ERROR']) // {};
				my $answer = $end->{result} // $end->{reason} // 'nothing';
				my ($text, $number) = $answer =~ /^(\w+-\d+-\d+)(?:-(\d+))?$/;
				$n++;
				$numbers{$number // $n}++;
				push @wrong, "$thing-$_-$round got $answer"
				    if ($text // '') ne "$thing-$_-$round";
			}
		}
		Test::More::is "@wrong", '', "$title: each turn gets its own answer from the $thing";
	}
	Test::More::is scalar keys %numbers, $n, "$title: no two turns draw the same random number";
	$_->close for @ws;
}

sub DESTROY {
	my ($self) = @_;
	return if $self->{tester} != $$;
	local $?;
	kill KILL => $self->{pid};
	waitpid $self->{pid}, 0;
}

1;
