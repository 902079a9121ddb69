# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package SIO;

# A small client of Engine.IO 4 and Socket.IO 5. It shows the packets as they are on the
# wire. Every wait has a deadline.
#
#   my $c = SIO->websocket($host, conversation_id => 'c1');   # or SIO->polling(...)
#   $c->connect;                       # sends 40, returns after 40{...}
#   $c->emit(oh_user_action => { type => 'message', message => 'hi' });
#   my $event = $c->event(sub { $_[0]{type} });   # an oh_event for which this is true
#   $c->upgrade;                       # from polling to a WebSocket
#
# Each request of a polling client has a connection of its own, and so any worker.
use strict;
use warnings;

use HTTP;
use JSON::PP ();
use Time::HiRes qw(time);
use WS;

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

sub new {
	my ($class, $host, %query) = @_;
	my $query = join '&', map { "$_=$query{$_}" } sort keys %query;
	return bless { host => $host, query => $query, in => [] }, $class;
}

sub path {
	my ($self, $transport, $more) = @_;
	my @parts = grep { length } $self->{query}, "EIO=4&transport=$transport",
	    $self->{sid} ? "sid=$self->{sid}" : '', $more // '';
	return '/socket.io/?' . join '&', @parts;
}

sub take_open {
	my ($self, $text) = @_;
	die "no open packet: $text\n" unless $text =~ /^0(\{.*)/s;
	$self->{open} = $json->decode($1);
	$self->{sid} = $self->{open}{sid};
	return $self;
}

sub websocket {
	my $self = new(@_);
	$self->{ws} = $self->{host}->ws(path => $self->path('websocket'));
	die "no WebSocket: $self->{ws}{head}{status}\n" if $self->{ws}->status != 101;
	return $self->take_open($self->{ws}->next_text);
}

sub polling {
	my $self = new(@_);
	my $r = $self->{host}->http(GET => $self->path('polling'));
	die "no handshake: $r->{status} $r->{body}\n" if $r->{status} != 200;
	return $self->take_open($r->{body});
}

sub open { return $_[0]{open} }
sub sid { return $_[0]{sid} }
sub ws { return $_[0]{ws} }

# ---- packets ----

# A GET that waits, or what is there of it.
sub begin_poll {
	my ($self) = @_;
	return if $self->{get};
	$self->{get} = HTTP->new($self->{host}->address);
	$self->{get}->send(GET => $self->path('polling'));
}

# The packets of one poll; dies unless it is answered by 200.
sub poll {
	my ($self) = @_;
	$self->begin_poll;
	my $r = delete($self->{get})->reply or die "no answer to a poll\n";
	die "poll: $r->{status} $r->{body}\n" if $r->{status} != 200;
	return split /\x1e/, $r->{body};
}

sub post {
	my ($self, @packets) = @_;
	return $self->{host}->http(POST => $self->path('polling'),
		{ 'content-type' => 'text/plain;charset=UTF-8' }, join "\x1e", @packets);
}

sub send {
	my ($self, @packets) = @_;
	if ($self->{ws}) {
		$self->{ws}->send_text($_) for @packets;
		return;
	}
	my $r = $self->post(@packets);
	die "post: $r->{status} $r->{body}\n" if $r->{status} != 200;
}

# The next packet; pings are answered. undef at the deadline, or when it is closed.
sub next {
	my ($self, $timeout) = @_;
	my $end = time + ($timeout // $HTTP::TIMEOUT);
	while (time < $end) {
		while (defined(my $packet = shift @{ $self->{in} })) {
			$self->send('3') if $packet eq '2';
			return $packet unless $packet =~ /^[26]$/;
		}
		push @{ $self->{in} }, $self->{ws} ? $self->{ws}->next_text($end - time) : $self->poll;
		return undef unless defined $self->{in}[-1];
	}
	return undef;
}

# Wait for the server to close the WebSocket; its code, undef if it does not.
sub wait_close {
	my ($self, $timeout) = @_;
	my $end = time + ($timeout // $HTTP::TIMEOUT);
	1 while defined $self->{ws}->next_text($end - time);
	return $self->{ws}->closed;
}

# ---- Socket.IO ----

# Connect; returns the packet that answers.
sub connect {
	my ($self, $auth) = @_;
	$self->send('40' . ($auth ? $json->encode($auth) : ''));
	return $self->next;
}

sub emit {
	my ($self, @event) = @_;
	$self->send('42' . $json->encode(\@event));
}

# The next oh_event for which the test is true; dies if there is none.
sub event {
	my ($self, $is_it, $timeout) = @_;
	my $end = time + ($timeout // $HTTP::TIMEOUT);
	while (defined(my $packet = $self->next($end - time))) {
		next unless $packet =~ /^42(\[.*)/s;
		my $event = $json->decode($1)->[1];
		push @{ $self->{events} }, $event;
		return $event if $is_it->($event);
	}
	die "the event did not come\n";
}

# All events so far.
sub events { return @{ $_[0]{events} || [] } }

# ---- the upgrade ----

sub probe {
	my ($self) = @_;
	my $ws = $self->{host}->ws(path => $self->path('websocket'));
	die "no WebSocket: $ws->{head}{status}\n" if $ws->status != 101;
	$ws->send_text('2probe');
	my $answer = $ws->next_text // 'nothing';
	die "no 3probe: $answer\n" if $answer ne '3probe';
	return $ws;
}

sub upgrade {
	my ($self) = @_;
	my $ws = $self->probe;
	push @{ $self->{in} }, $self->poll if $self->{get};
	$ws->send_text('5');
	$self->{ws} = $ws;
}

1;
