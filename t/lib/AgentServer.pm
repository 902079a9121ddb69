# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package AgentServer;

# A small client of the agent server's protocol. Each request has a connection of its own, and
# so any worker. Every wait has a deadline.
#
#   my $c = AgentServer->create($host);          # or AgentServer->known($host, $uuid)
#   $c->socket;                                  # /sockets/events, or socket('session', query)
#   $c->say('hello'); $c->run;                   # replies
#   my $e = $c->event(sub { $_[0]{kind} eq 'MessageEvent' });
#   $c->until_status('finished');                # by the full state
use strict;
use warnings;

use HTTP;
use Time::HiRes qw(time);
use WS;

sub known {
	my ($class, $host, $id, %o) = @_;
	return bless { host => $host, id => $id, key => $o{key}, events => [] }, $class;
}

sub create {
	my ($class, $host, %o) = @_;
	my $self = $class->known($host, undef, %o);
	my $r = $self->api(POST => '', { agent => { kind => 'Agent' }, workspace => { working_dir => 'x' },
		$o{id} ? (conversation_id => $o{id}) : () });
	die "not created: $r->{status} $r->{body}\n" unless $r->{status} =~ /^20[01]$/;
	$self->{id} = $r->{json}{id};
	return $self;
}

sub id { return $_[0]{id} }
sub ws { return $_[0]{ws} }
sub events { return @{ $_[0]{events} } }
sub frames { return @{ $_[0]{frames} } }

# A request; a path that begins with a slash is below the conversation.
sub api {
	my ($self, $method, $path, $body) = @_;
	my $one = $path =~ m{^/} || $method eq 'GET' ? '/' . $self->{id} : '';
	my %header = (defined $self->{key} ? ('x-session-api-key' => $self->{key}) : ());
	return $self->{host}->http($method => "/api/conversations$one$path", \%header, $body);
}

sub content { return [map { +{ type => 'text', text => $_ } } @_] }

sub say {
	my ($self, $text, %o) = @_;
	return $self->api(POST => '/events', { role => 'user', content => content($text),
		run => $o{run} ? JSON::PP::true : JSON::PP::false });
}

sub run { return $_[0]->api(POST => '/run') }
sub status { return $_[0]->api(GET => '')->{json}{execution_status} }

# All stored events, by pages of so many.
sub pages {
	my ($self, $limit) = @_;
	my (@all, $page);
	do {
		my $r = $self->api(GET => "/events/search?limit=$limit" . ($page ? "&page_id=$page" : ''));
		die "no page: $r->{status} $r->{body}\n" if $r->{status} != 200;
		push @all, @{ $r->{json}{items} };
		$page = $r->{json}{next_page_id};
	} while ($page);
	return @all;
}

# ---- a WebSocket ----

sub socket {
	my ($self, $form, $query, %o) = @_;
	$self->{form} = $form // 'events';
	my $path = "/sockets/$self->{form}/$self->{id}" . (length($query // '') ? "?$query" : '');
	$self->{ws} = $self->{host}->ws(path => $path, %o);
	return $self;
}

# The next frame, and the event in it.
sub next {
	my ($self, $timeout) = @_;
	my $text = $self->{ws}->next_text($timeout) // return;
	my $f = JSON::PP->new->utf8->decode($text);
	my $event = $self->{form} eq 'session' ? $f->{event} : $f;
	push @{ $self->{frames} }, $f;
	push @{ $self->{events} }, $event if $event;
	return $f;
}

# An event that fits; dies if none comes.
sub event {
	my ($self, $fits) = @_;
	my $end = time + $HTTP::TIMEOUT;
	while (my $f = $self->next($end - time)) {
		my $event = $self->{form} eq 'session' ? $f->{event} : $f;
		return $event if $event && $fits->($event);
	}
	die 'no such event after ' . join(' ', map { my $v = $_->{value};
		$_->{kind} . ($v ? ':' . (ref $v ? $v->{execution_status} // $v->{type} : $v) : '') } $self->events) . "\n";
}

# Wait for a full state with this status.
sub until_status {
	my ($self, $status) = @_;
	return $self->event(sub { ($_[0]{key} // '') eq 'full_state'
		&& $_[0]{value}{execution_status} eq $status });
}

# A message, its run and its end.
sub turn {
	my ($self, $text) = @_;
	for my $r ($self->say($text), $self->run) {
		die "refused: $r->{status} $r->{body}\n" if $r->{status} != 200;
	}
	return $self->until_status('finished');
}

# The texts of messages of a source among events.
sub texts {
	my ($source, @events) = @_;
	return map { map { $_->{text} } @{ $_->{llm_message}{content} } }
	    grep { $_->{kind} eq 'MessageEvent' && $_->{source} eq $source } @events;
}

1;
