# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package HostRelay;

# A co-relayd as hosts and their clients need it (CoRelay is the view of the relay's own
# tests; t/lib/Relay.pm is a relay that can misbehave).
#
#   my $relay = HostRelay->start(workers => 4);
#   my $host = CoHost->start(relay => $relay->url);
#   $relay->agent($address);                 # waits until the agent is listed
#   my $ws = $relay->client($address);       # a WS whose first frame names the agent
#   my $back = $relay->client($address, session => { session_id => ... });
#   $relay->kill_all; $relay = $relay->again;
use strict;
use warnings;
use parent 'CoRelay';

use CoHost qw(wait_for);

sub start {
	my ($class, %o) = @_;
	return $class->SUPER::start(%o,
		args => ['-o', 'limit_announces=0', @{ $o{args} || [] }]);
}

sub url { return "ws://$_[0]{address}" }

sub record {
	my ($self, $address) = @_;
	return $self->http(GET => "/api/agents/$address")->{json};
}

sub is_listed {
	my ($self, $address) = @_;
	my $record = eval { $self->record($address) };
	return $record && $record->{online} && defined $record->{relay};
}

# Wait until the agent is listed, after $n ANNOUNCEs of whomever in all (0: any number).
sub agent {
	my ($self, $address, $n) = @_;
	return wait_for(20, sub { $self->counter('announces_total') >= ($n // 0)
		&& $self->is_listed($address) });
}

# A client's socket, whose first frame names the agent; with session => {...} also CONNECT
# and wait for CONNECTED, as a direct one.
sub client {
	my ($self, $address, %o) = @_;
	my $session = delete $o{session};
	my $ws = bless $self->ws(path => '/ws/input', %o), 'HostRelay::Client';
	$ws->{to} = $address;
	return $ws if !$session;
	$ws->send_json({ type => 'CONNECT', %$session });
	$ws->{connected} = $ws->next(type => 'CONNECTED') or die "no CONNECTED\n";
	return $ws;
}

# Kill it, as a relay that crashes.
sub kill_all {
	my ($self) = @_;
	my %children = $self->children;
	kill KILL => $self->pid, keys %children;
	$self->wait_exit;
}

# Start it again at the same place; %o are as for start().
sub again {
	my ($self, %o) = @_;
	return ref($self)->start(port => $self->port, dir => $self->{dir}, %o);
}

package HostRelay::Client;
use parent -norequire, 'WS';

sub send_json {
	my ($self, $frame) = @_;
	my $to = delete $self->{to};
	return $self->SUPER::send_json(defined $to ? { to => $to, %$frame } : $frame);
}

1;
