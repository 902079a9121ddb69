# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package HTTP;

# A small HTTP/1.1 client. Every wait has a deadline.
#
#   my $r = HTTP->once($address, 'POST', '/input', {}, '{"prompt":"hi"}');
#   print $r->{status}, $r->{header}{'content-type'}, $r->{body}, $r->{json};
#
#   my $c = HTTP->new($address);           # keeps its connection
#   $c->send('GET', '/health'); my $r = $c->reply;
#   my $s = HTTP->new($address); $s->send(...); $s->head; while (my $e = $s->event) {...}
#
# An address is "127.0.0.1:8000", "[::1]:8000" or "unix:/path".
use strict;
use warnings;

use IO::Select;
use IO::Socket::IP;
use IO::Socket::UNIX;
use JSON::PP ();
use Socket qw(SOCK_STREAM);
use Time::HiRes qw(time);

our $TIMEOUT = 20 * ($ENV{TEST_PATIENCE} || 1);

my $json = JSON::PP->new->utf8->allow_nonref->allow_bignum(0);

# A connected socket, or undef with $@.
sub connect_to {
	my ($address, %opt) = @_;
	if ($address =~ /^unix:(.*)/s) {
		return IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $1);
	}
	my ($host, $port) = $address =~ /^\[?(.*?)\]?:(\d+)$/
	    or die "not an address: $address";
	return IO::Socket::IP->new(
		PeerHost => $host, PeerPort => $port, Type => SOCK_STREAM,
		Timeout => $TIMEOUT,
		$opt{sockopts} ? (Sockopts => $opt{sockopts}) : ());
}

# The bytes of a request. A body that is a reference is sent as JSON.
sub request_text {
	my ($method, $path, $header, $body) = @_;
	my %h = (host => 'localhost', %{ $header || {} });
	if (ref $body) {
		$body = $json->encode($body);
		$h{'content-type'} //= 'application/json';
	}
	$h{'content-length'} //= length $body if defined $body;
	return "$method $path HTTP/1.1\r\n"
	    . join('', map { defined $h{$_} ? "$_: $h{$_}\r\n" : () } sort keys %h)
	    . "\r\n" . ($body // '');
}

sub new {
	my ($class, $address, %opt) = @_;
	my $socket = connect_to($address, %opt)
	    or die "cannot connect to $address: $@\n";
	binmode $socket;
	return bless { socket => $socket, in => '', is_eof => 0 }, $class;
}

sub once {
	my ($class, $address, @request) = @_;
	my $c = $class->new($address);
	$request[2] = { connection => 'close', %{ $request[2] || {} } };
	$c->send(@request);
	return $c->reply;
}

sub socket { return $_[0]{socket} }

# Send bytes as they are; false when the other side is gone.
sub write {
	my ($self, $bytes, $timeout) = @_;
	my $end = time + ($timeout // $TIMEOUT);
	local $SIG{PIPE} = 'IGNORE';
	my $at = 0;
	$self->{socket}->blocking(0);
	while ($at < length $bytes) {
		my $n = syswrite $self->{socket}, $bytes, 65536, $at;
		if (defined $n) { $at += $n; next }
		return 0 unless $!{EAGAIN} || $!{EINTR};
		my $left = $end - time;
		return 0 if $left <= 0;
		my $w = '';
		vec($w, fileno $self->{socket}, 1) = 1;
		select undef, $w, undef, $left;
	}
	return 1;
}

sub send {
	my ($self, @request) = @_;
	$self->{is_head} = $request[0] eq 'HEAD';
	return $self->write(request_text(@request));
}

# Read more; false at the end of the stream or the deadline.
sub fill {
	my ($self, $end) = @_;
	return 0 if $self->{is_eof};
	my $left = $end - time;
	return 0 if $left <= 0;
	return 0 unless IO::Select->new($self->{socket})->can_read($left);
	my $n = sysread $self->{socket}, $self->{in}, 262144, length $self->{in};
	return 1 if $n || (!defined $n && ($!{EAGAIN} || $!{EINTR}));
	$self->{is_eof} = 1;
	return 0;
}

# Whether the other side has closed, or does so within the time.
sub is_closed {
	my ($self, $timeout) = @_;
	my $end = time + ($timeout // 0.05);
	1 while $self->fill($end);
	return $self->{is_eof};
}

# The head of the reply; its body is still to be read. undef: none came.
sub head {
	my ($self, $timeout) = @_;
	my $end = time + ($timeout // $TIMEOUT);
	until ($self->{in} =~ /\r\n\r\n/) {
		return undef unless $self->fill($end);
	}
	my ($head, $rest) = split /\r\n\r\n/, $self->{in}, 2;
	$self->{in} = $rest;
	my ($first, @lines) = split /\r\n/, $head;
	my %header;
	for (@lines) {
		my ($k, $v) = /^([^:]+):\s*(.*)$/ or next;
		$k = lc $k;
		$header{$k} = exists $header{$k} ? "$header{$k}, $v" : $v;
	}
	my ($status) = $first =~ m{^HTTP/1\.1 (\d+)};
	$self->{is_chunked} = ($header{'transfer-encoding'} // '') =~ /chunked/i;
	@$self{qw(plain is_ended)} = ('', 0);
	return { status => $status, header => \%header };
}

# One whole reply; undef when none came in time. 100 Continue is skipped.
sub reply {
	my ($self, $timeout) = @_;
	my $end = time + ($timeout // $TIMEOUT);
	my $r;
	do { $r = $self->head($end - time) or return undef }
	    while $r->{status} == 100;
	my $want = $r->{header}{'content-length'};
	if ($r->{status} == 204 || $r->{status} == 304 || $self->{is_head}) {
		$r->{body} = '';
	} elsif ($self->{is_chunked}) {
		while (!$self->dechunk) {
			return undef unless $self->fill($end);
		}
		$r->{body} = $self->{plain};
	} elsif (defined $want) {
		while (length $self->{in} < $want) {
			return undef unless $self->fill($end);
		}
		$r->{body} = substr $self->{in}, 0, $want, '';
	} else {
		1 while $self->fill($end);
		$r->{body} = delete $self->{in};
		$self->{in} = '';
	}
	$r->{json} = eval { $json->decode($r->{body}) }
	    if ($r->{header}{'content-type'} // '') =~ /json/;
	return $r;
}

# Move whole chunks from 'in' to 'plain'; true after the last one.
sub dechunk {
	my ($self) = @_;
	while ($self->{in} =~ /^([0-9a-fA-F]+)[^\r\n]*\r\n/) {
		my ($skip, $len) = ($+[0], hex $1);
		return 0 if length $self->{in} < $skip + $len + 2;
		$self->{plain} .= substr $self->{in}, $skip, $len;
		substr $self->{in}, 0, $skip + $len + 2, '';
		return 1 if $len == 0;
	}
	return 0;
}

# The next event of an event stream, after head(): {id, event, data, json}; undef at
# its end or the deadline. Comments are skipped.
sub event {
	my ($self, $timeout) = @_;
	my $end = time + ($timeout // $TIMEOUT);
	while (1) {
		if ($self->{is_chunked}) { $self->{is_ended} ||= $self->dechunk }
		else { $self->{plain} .= $self->{in}; $self->{in} = '' }
		while ($self->{plain} =~ s/^(.*?)\n\n//s) {
			my $e = parse_event($1);
			return $e if $e;
		}
		return undef if $self->{is_ended} || !$self->fill($end);
	}
}

sub parse_event {
	my ($text) = @_;
	my %e;
	for (split /\n/, $text) {
		next unless /^(id|event|data|retry):\s?(.*)$/s;
		$e{$1} = exists $e{$1} ? "$e{$1}\n$2" : $2;
	}
	return undef unless exists $e{data};
	$e{json} = eval { $json->decode($e{data}) };
	$e{type} = $e{event} // "";
	return \%e;
}

1;
