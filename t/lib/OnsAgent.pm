# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package OnsAgent;

# An agent of Onsembl that dials in, written from its protocol.
#
#   local $ENV{ONSEMBL_JWT_SECRET} = $OnsAgent::SECRET;
#   my $host = CoHost->start(args => ['-w', 4, '-a', 'onsembl:mock-1']);
#   my $a = OnsAgent->new($host, id => 'mock-1', user => 'ann');
#   my $c = $a->command;                   # the payload of the next COMMAND_REQUEST
#   $a->output($c->{commandId}, "text\n");
#   $a->complete($c->{commandId}, exitCode => 0);
use strict;
use warnings;

use Onsembl;
use Time::HiRes qw(time);

our $SECRET = $Onsembl::SECRET;

# A token of a user; further claims replace the usual ones.
sub token {
	my ($user, %more) = @_;
	return Onsembl::token(user => $user, %more);
}

# Open /ws/agent and say AGENT_CONNECT; silent => 1 leaves that out. token => TEXT or user =>
# NAME; where => 'header', 'query' (the usual one) or 'payload'; says => {...} adds to the
# payload of AGENT_CONNECT.
sub new {
	my ($class, $host, %o) = @_;
	my $token = $o{token} // (defined $o{user} ? token($o{user}) : undef);
	my $where = $o{where} // 'query';
	my $path = '/ws/agent?agentId=' . ($o{id} // 'x');
	$path .= "&token=$token" if defined $token && $where eq 'query';
	my %headers = defined $token && $where eq 'header'
	    ? (authorization => "Bearer $token") : ();
	my $self = bless { id => $o{id}, n => 0, sequence => {}, commands => [],
		ws => $host->ws(path => $path, headers => \%headers,
			$o{sockopts} ? (sockopts => $o{sockopts}) : ()) }, $class;
	return $self if $o{silent};
	$self->{welcome} = $self->connect(%{ $o{says} // {} },
		defined $token && $where eq 'payload' ? (token => $token) : ());
	return $self;
}

sub ws { return $_[0]{ws} }

# Send a message; returns its id.
sub say {
	my ($self, $type, $payload, %more) = @_;
	my $id = $more{id} // 'm' . ++$self->{n};
	$self->{ws}->send_json({ type => $type, id => $id, timestamp => int(time * 1000),
		payload => $payload, %more });
	return $id;
}

# The next message of one of these types.
sub next { my ($self, @types) = @_; return $self->{ws}->next(type => \@types) }

# Send a message, and what answers it: its ACK, or an ERROR.
sub ask {
	my ($self, @message) = @_;
	my $id = $self->say(@message);
	while (my $f = $self->next('ACK', 'ERROR', 'COMMAND_REQUEST')) {
		push @{ $self->{commands} }, $f if $f->{type} eq 'COMMAND_REQUEST';
		next if $f->{type} eq 'COMMAND_REQUEST';
		return $f if $f->{type} eq 'ERROR' || $f->{payload}{messageId} eq $id;
	}
	return undef;
}

# Say who we are; the answer.
sub connect {
	my ($self, %more) = @_;
	return $self->ask(AGENT_CONNECT => { agentId => $self->{id}, agentType => 'mock',
		version => '1.0', hostMachine => 'test', capabilities => { commands => \1 }, %more });
}

# The payload of the next command.
sub command {
	my ($self) = @_;
	my $f = shift @{ $self->{commands} } // $self->next('COMMAND_REQUEST');
	return $f ? $f->{payload} : undef;
}

# Send a piece of output, with the next sequence unless one is given.
sub output {
	my ($self, $command, $content, %more) = @_;
	my $sequence = $more{sequence} // ++$self->{sequence}{$command};
	return $self->say(TERMINAL_OUTPUT => { commandId => $command, agentId => $self->{id},
		content => $content, streamType => 'STDOUT', %more, sequence => $sequence });
}

# Report the end of a command; the answer.
sub complete {
	my ($self, $command, %more) = @_;
	return $self->ask(COMMAND_COMPLETE => { commandId => $command, agentId => $self->{id},
		status => 'COMPLETED', exitCode => 0, duration => 5, %more });
}

# End the connection without a word.
sub vanish { my ($self) = @_; $self->{ws}->close(how => 'cut'); return }

1;
