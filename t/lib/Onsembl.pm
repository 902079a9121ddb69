# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Onsembl;

# Clients of Onsembl, written from its protocol.
#
#   local $ENV{ONSEMBL_JWT_SECRET} = $Onsembl::SECRET;
#   my $host = CoHost->start(workers => 4);
#   my $d = Onsembl->dashboard($host, user => 'ann');
#   my $ack = $d->ask(COMMAND_REQUEST => { agentId => $id, command => 'hi' });
#   my @frames = $d->until('COMMAND_COMPLETE');
use strict;
use warnings;

use Digest::SHA qw(hmac_sha256);
use JSON::PP ();
use MIME::Base64 qw(encode_base64url);
use Time::HiRes qw(time);

our $SECRET = 'a secret of more than thirty-two bytes';

my $json = JSON::PP->new->utf8->canonical;

# A token; user, and any claims.
sub token {
	my (%o) = @_;
	my $secret = delete $o{secret} // $SECRET;
	my $header = delete $o{header} // { alg => 'HS256', typ => 'JWT' };
	my $sub = delete $o{user};
	my %claims = (exp => int(time) + 3600, defined $sub ? (sub => $sub) : (), %o);
	my $text = join '.', map { encode_base64url($json->encode($_)) } $header, \%claims;
	return $text . '.' . encode_base64url(hmac_sha256($text, $secret));
}

# Open /ws/dashboard. user => NAME makes a token in the query; token => TEXT is used as it
# is; header => TEXT is the Authorization.
sub dashboard {
	my ($class, $host, %o) = @_;
	my $token = $o{token} // (defined $o{user} ? token(user => $o{user}) : undef);
	my $path = '/ws/dashboard' . (defined $token ? "?token=$token" : '');
	my %headers = defined $o{header} ? (authorization => $o{header}) : ();
	return bless { ws => $host->ws(path => $path, headers => \%headers,
		$o{sockopts} ? (sockopts => $o{sockopts}) : ()), n => 0 }, $class;
}

sub ws { return $_[0]{ws} }
sub send_text { return $_[0]{ws}->send_text($_[1]) }

# Send a message; its id.
sub say {
	my ($self, $type, $payload, %more) = @_;
	my $id = $more{id} // 'm' . ++$self->{n};
	$self->{ws}->send_json({ type => $type, id => $id, timestamp => int(time * 1000),
		payload => $payload // {}, %more });
	return $id;
}

# The next message of one of these types, others being kept in 'seen'.
sub next {
	my ($self, @types) = @_;
	my $f = $self->{ws}->next(type => \@types);
	push @{ $self->{seen} }, $f if $f;
	return $f;
}

# Everything up to a message of this type, which is the last.
sub until {
	my ($self, @types) = @_;
	return $self->{ws}->all_until(@types);
}

# Send a message, and what answers it: its ACK or an ERROR.
sub ask {
	my ($self, @message) = @_;
	my $id = $self->say(@message);
	while (my $f = $self->next('ACK', 'ERROR')) {
		return $f if $f->{type} eq 'ERROR' || $f->{payload}{messageId} eq $id;
	}
	return undef;
}

# What came until our PING was answered.
sub settle {
	my ($self) = @_;
	$self->say(PING => { timestamp => 1 });
	my @all = $self->{ws}->all_until('PONG');
	pop @all;
	return @all;
}

sub closed { my ($self, $timeout) = @_; return $self->{ws}->wait_close($timeout) }

# The output of a command in some messages, and its states.
sub output {
	my ($command, @frames) = @_;
	return join '', map { $_->{payload}{content} }
	    grep { $_->{type} eq 'TERMINAL_STREAM' && $_->{payload}{commandId} eq $command } @frames;
}

sub states {
	my ($command, @frames) = @_;
	return map { $_->{payload}{status} }
	    grep { $_->{type} eq 'COMMAND_STATUS' && $_->{payload}{commandId} eq $command } @frames;
}

1;
