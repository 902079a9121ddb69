# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Backend;

# The server side of /ws/agent, for tests of wrappers: it accepts, welcomes, acknowledges, and
# keeps what came. It is the test that says what else it does.
#
#   my $b = Backend->new(token => 'secret');
#   my $agent = $b->agent;                    # waits for the next AGENT_CONNECT
#   $agent->send('COMMAND_REQUEST', { commandId => 'c1', command => 'ls' });
#   my $m = $agent->next('COMMAND_COMPLETE');
#   $agent->cut;
use strict;
use warnings;

use Digest::SHA qw(sha1_base64);
use IO::Select;
use IO::Socket::IP;
use JSON::PP ();
use Time::HiRes qw(time sleep);
use WS;

my $PATIENCE = $ENV{TEST_PATIENCE} || 1;
my $json = JSON::PP->new->utf8->canonical;

# token: the only one that is accepted; events: AGENT_EVENT is taken; mute: acknowledges nothing
# but AGENT_CONNECT; port: where to listen; posts: for a path of HTTP, a function that gets the
# body of a POST and gives the status and the answer, both JSON.
sub new {
	my ($class, %o) = @_;
	my $self = bless { %o, agents => [], all => [], waiting => [], tries => [],
		posted => [] }, $class;
	$self->listen;
	return $self;
}

sub listen {
	my ($self) = @_;
	$self->{listener} = IO::Socket::IP->new(LocalHost => '127.0.0.1', Listen => 64,
		ReuseAddr => 1, LocalPort => $self->{port} // 0) or die "listen: $@\n";
	$self->{port} = $self->{listener}->sockport;
}

sub url { return "ws://127.0.0.1:$_[0]{port}" }

# Nobody listens any more; the connections that are open stay.
sub deaf { my ($self) = @_; close delete $self->{listener} }

# The times at which somebody connected.
sub tries { return @{ $_[0]{tries} } }

# The requests that were posted: [path, body].
sub posted { return @{ $_[0]{posted} } }

# Read what there is, for at most so many seconds.
sub turn {
	my ($self, $timeout) = @_;
	my %of = map { fileno $_->{socket} => $_ } grep { $_->{socket} } @{ $self->{all} };
	my $select = IO::Select->new(grep { $_ } $self->{listener}, map { $_->{socket} } values %of);
	for my $fh ($select->can_read($timeout)) {
		if ($self->{listener} && $fh == $self->{listener}) {
			my $socket = $fh->accept or next;
			push @{ $self->{tries} }, time;
			push @{ $self->{all} }, bless { backend => $self, socket => $socket, in => '',
				parts => '', messages => [], got => [] }, 'Backend::Agent';
		} elsif ($of{ fileno $fh } && !$of{ fileno $fh }{is_paused}) {
			$of{ fileno $fh }->read_more;
		}
	}
}

sub until {
	my ($self, $timeout, $is_so) = @_;
	my $end = time + $timeout * $PATIENCE;
	while (1) {
		my $answer = $is_so->();
		return $answer if $answer || time > $end;
		$self->turn(0.05);
	}
}

# The next agent that was welcomed; undef when none came in time.
sub agent {
	my ($self, %o) = @_;
	return $self->until($o{timeout} // 10, sub { shift @{ $self->{waiting} } });
}

package Backend::Agent;

use Time::HiRes qw(time);

sub read_more {
	my ($self) = @_;
	my $n = sysread $self->{socket}, $self->{in}, 65536, length $self->{in};
	return $self->gone unless $n;
	return if !$self->{head} && !$self->shake_hands;
	$self->{in} ne '' or return;
	while ($self->{socket} and my ($fin, $op, $data) = take(\$self->{in})) {
		$self->frame($fin, $op, $data);
	}
}

# Clients mask.
sub take {
	my ($in) = @_;
	return if length $$in < 2;
	my ($a, $b) = unpack 'CC', $$in;
	die "a client must mask\n" unless $b & 128;
	my ($at, $len) = (2, $b & 127);
	($at, $len) = (4, unpack 'x2n', $$in) if $len == 126 && length $$in >= 4;
	($at, $len) = (10, unpack 'x2Q>', $$in) if $len == 127 && length $$in >= 10;
	return if length $$in < $at + 4 + $len || ($len > 125 && $at == 2);
	my $key = substr $$in, $at, 4;
	my $data = substr $$in, $at + 4, $len;
	substr $$in, 0, $at + 4 + $len, '';
	$data ^= substr $key x (int($len / 4) + 1), 0, $len;
	return ($a >> 7, $a & 15, $data);
}

# Whether a request of HTTP is whole; then it is answered.
sub answer_post {
	my ($self) = @_;
	my ($path, $head, $body) = $self->{in} =~ m{\APOST (\S+) HTTP.*?\r\n(.*?\r\n)\r\n(.*)}s or return;
	my ($len) = $head =~ /^content-length: (\d+)/mi;
	return if length $body < ($len // 0);
	push @{ $self->{backend}{posted} }, [$path, $json->decode($body)];
	my $answer = $self->{backend}{posts}{$path};
	my ($status, $value) = $answer ? $answer->($self->{backend}{posted}[-1][1]) : (404, {});
	my $text = $json->encode($value);
	$self->write("HTTP/1.1 $status X\r\nContent-Type: application/json\r\nContent-Length: "
		. length($text) . "\r\nConnection: close\r\n\r\n$text");
	$self->gone;
}

sub shake_hands {
	my ($self) = @_;
	return $self->answer_post if $self->{in} =~ /\APOST/;
	$self->{in} =~ s/\A(.*?\r\n)\r\n//s or return 0;
	$self->{head} = $1;
	my ($key) = $self->{head} =~ /^Sec-WebSocket-Key: (\S+)/mi or die "no handshake\n";
	my $accept = Digest::SHA::sha1_base64($key . '258EAFA5-E914-47DA-95CA-C5AB0DC85B11') . '=';
	$self->write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		. "Connection: Upgrade\r\nSec-WebSocket-Accept: $accept\r\n\r\n");
	return 1;
}

sub write {
	my ($self, $bytes) = @_;
	local $SIG{PIPE} = 'IGNORE';
	while ($self->{socket} && length $bytes) {
		my $n = syswrite $self->{socket}, $bytes;
		return $self->gone unless $n;
		substr $bytes, 0, $n, '';
	}
}

sub frame {
	my ($self, $fin, $op, $data) = @_;
	if ($op == 8) {
		$self->{close_code} = length $data >= 2 ? unpack 'n', $data : 1005;
		$self->write(WS::frame(8, substr($data, 0, 2), mask => 0));
		$self->gone;
	} elsif ($op == 9) {
		$self->write(WS::frame(10, $data, mask => 0));
	} elsif ($op < 8) {
		$self->{parts} .= $data;
		$self->message(delete $self->{parts}), $self->{parts} = '' if $fin;
	}
}

sub message {
	my ($self, $text) = @_;
	my $m = $json->decode($text);
	$m->{came} = time;
	$self->{longest} = length $text if length $text > ($self->{longest} // 0);
	push @{ $self->{got} }, $m;
	push @{ $self->{messages} }, $m;
	my $b = $self->{backend};
	if ($m->{type} eq 'AGENT_CONNECT') {
		$self->welcome($m);
	} elsif (!$b->{mute} && $m->{type} !~ /^(?:PONG|AGENT_HEARTBEAT)$/) {
		$self->send('ACK', { messageId => $m->{id}, success => JSON::PP::true });
	}
}

# The size of the longest message that came.
sub longest { return $_[0]{longest} }

sub welcome {
	my ($self, $m) = @_;
	my $b = $self->{backend};
	my ($token) = $self->{head} =~ /^Authorization: Bearer (\S+)/mi;
	if (defined $b->{token} && ($token // '') ne $b->{token}) {
		return $self->send('ERROR',
			{ code => 'UNAUTHORIZED', message => 'Invalid authentication token' });
	}
	$self->{connect} = $m->{payload};
	return if $b->{unwelcoming};
	$self->send('ACK', { messageId => $m->{id}, success => JSON::PP::true,
		connectionId => 'agent-1-abcdefghi', agentId => $m->{payload}{agentId},
		authenticated => JSON::PP::true, $b->{events} ? (events => JSON::PP::true) : () });
	push @{ $b->{waiting} }, $self;
}

sub send {
	my ($self, $type, $payload) = @_;
	$self->write(WS::frame(1, $json->encode({ type => $type, id => 'msg-' . ++$self->{n},
		timestamp => int(time * 1000), payload => $payload }), mask => 0));
}

sub run {
	my ($self, $id, $command, %more) = @_;
	$self->send('COMMAND_REQUEST', { commandId => $id, command => $command, %more });
}

# The next message of a type, of a command if one is named; others are skipped.
sub next {
	my ($self, $type, $id, %o) = @_;
	return $self->{backend}->until($o{timeout} // 10, sub {
		while (my $m = shift @{ $self->{messages} }) {
			return $m if $m->{type} =~ /^(?:$type)$/ &&
			    (!defined $id || $m->{payload}{commandId} eq $id);
		}
		return undef;
	});
}

# All output of a command so far: of one stream, or of both.
sub output {
	my ($self, $id, $stream) = @_;
	return join '', map { $_->{payload}{content} }
	    grep { $_->{type} eq 'TERMINAL_OUTPUT' && $_->{payload}{commandId} eq $id &&
		    (!$stream || $_->{payload}{streamType} eq $stream) } @{ $self->{got} };
}

sub got { my ($self, $type) = @_; return grep { $_->{type} eq $type } @{ $self->{got} } }
sub connected { return $_[0]{connect} }
sub head { return $_[0]{head} }
sub close_code { return $_[0]{close_code} }
sub is_open { return defined $_[0]{socket} }
sub pause { my ($self, $is_paused) = @_; $self->{is_paused} = $is_paused }

sub close {
	my ($self, $code) = @_;
	$self->write(WS::frame(8, pack('n', $code), mask => 0));
}

# As a broken line does.
sub cut { my ($self) = @_; $self->gone }

sub gone {
	my ($self) = @_;
	CORE::close $self->{socket} if $self->{socket};
	$self->{socket} = undef;
	return;
}

1;
