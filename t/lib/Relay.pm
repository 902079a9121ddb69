# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Relay;

# A small relay in a process of its own, for one test. It checks nothing, writes down
# everything, and can be told to misbehave.
#
#   my $relay = Relay->start(routes => 'session', quiet => 1);
#   my $host = CoHost->start(relay => $relay->url);
#   my $announce = $relay->agent($address);         # waits for the ANNOUNCE
#   my $ws = $relay->client($address);              # a WS that goes to that agent
#   $relay->tell_agents('{"type":"nonsense"}');
#   $relay->cut_agents; $relay->stop; $relay->again;
#
# routes => 'session': clients are told apart by session id, as by older relays.
# quiet => 1: no ANNOUNCE_OK. error => TEXT: an ERROR instead of it. proxy => 1: it is an
# HTTP proxy as well, whose tunnels all lead to itself.
use strict;
use warnings;

use CoHost qw(read_file wait_for write_file);
use Digest::SHA qw(sha1_base64);
use File::Temp ();
use IO::Select;
use IO::Socket::IP;
use JSON::PP ();
use POSIX qw(WNOHANG);
use Time::HiRes qw(time);
use WS;

my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my $GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

# ---- the test's side ----

sub start {
	my ($class, %o) = @_;
	my $self = bless { %o, dir => File::Temp->newdir('relay-XXXXXX', TMPDIR => 1),
		tester => $$, n_read => 0 }, $class;
	$self->{log} = "$self->{dir}/log";
	write_file($self->{log}, '');
	$self->again;
	return $self;
}

# Start, or start again at the same port.
sub again {
	my ($self) = @_;
	my $listener = wait_for(5, sub {
		IO::Socket::IP->new(LocalHost => '127.0.0.1', LocalPort => $self->{port} // 0,
			Listen => 64, ReuseAddr => 1) }) or die "relay: $@\n";
	$self->{port} = $listener->sockport;
	pipe my $commands, my $say or die "pipe: $!";
	$say->autoflush;
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		close $say;
		eval { $self->serve($listener, $commands); 1 } or warn "relay: $@";
		POSIX::_exit(0);
	}
	@$self{qw(pid say)} = ($pid, $say);
}

sub url { return "ws://127.0.0.1:$_[0]{port}" }
sub address { return "127.0.0.1:$_[0]{port}" }

# Kill it, as a relay that crashes.
sub stop {
	my ($self) = @_;
	my $pid = delete $self->{pid} or return;
	kill KILL => $pid;
	waitpid $pid, 0;
}

sub DESTROY {
	my ($self) = @_;
	local ($?, $!, $@);
	$self->stop if $self->{tester} == $$;
}

# All it wrote down: [{what, ...}, ...].
sub story {
	my ($self) = @_;
	return map { $json->decode($_) } split /\n/, read_file($self->{log});
}

# The frames of agents of this type.
sub from_agents {
	my ($self, $type) = @_;
	return grep { $_->{what} eq 'agent' && ($_->{frame}{type} // '') eq $type } $self->story;
}

# Wait for the n-th ANNOUNCE of an agent (of any, without an address): the frame.
sub agent {
	my ($self, $address, $n) = @_;
	my $found = wait_for(20, sub {
		my @all = map { $_->{frame} } $self->from_agents('ANNOUNCE');
		@all = grep { $_->{address} eq $address } @all if $address;
		$all[($n // 1) - 1] });
	return $found;
}

# A client's socket, whose first frame names the agent; with session => {...} also CONNECT
# and wait for CONNECTED, as a direct one.
sub client {
	my ($self, $address, %o) = @_;
	my $session = delete $o{session};
	my $ws = RelayClient->connect($self->address, path => '/ws/input', %o);
	$ws->{to} = $address;
	return $ws if !$session;
	$ws->send_json({ type => 'CONNECT', %$session });
	$ws->{connected} = $ws->next(type => 'CONNECTED') or die "no CONNECTED\n";
	return $ws;
}

sub command { my ($self, @words) = @_; print { $self->{say} } join(' ', @words) . "\n" }
sub tell_agents { my ($self, $text) = @_; $self->command('tell', $text) }
sub cut_agents { $_[0]->command('cut') }
sub close_agents { my ($self, $code) = @_; $self->command('close', $code) }
sub stall { $_[0]->command('stall') }

# ---- the relay's side ----

sub note {
	my ($self, %what) = @_;
	open my $f, '>>', $self->{log} or die "$self->{log}: $!";
	syswrite $f, $json->encode(\%what) . "\n";
}

sub serve {
	my ($self, $listener, $commands) = @_;
	local $SIG{PIPE} = 'IGNORE';
	@$self{qw(select peers n_peers)} = (IO::Select->new($listener, $commands), {}, 0);
	while (1) {
		for my $fh ($self->{select}->can_read) {
			if ($fh == $listener) { $self->accept_peer($listener) }
			elsif ($fh == $commands) { $self->obey($commands) or return }
			else { $self->hear($fh) }
		}
	}
}

sub accept_peer {
	my ($self, $listener) = @_;
	my $socket = $listener->accept or return;
	$self->{select}->add($socket);
	my $number = ++$self->{n_peers};
	$self->{peers}{$socket} = { socket => $socket, in => '', parts => '',
		number => $number, id => "conn-$number" };
}

sub obey {
	my ($self, $commands) = @_;
	sysread $commands, $self->{words}, 65536, length($self->{words} // '') or return 0;
	while ($self->{words} =~ s/^(\w+) ?(.*)\n//) {
		my ($word, $rest) = ($1, $2);
		my @agents = grep { $_->{is_agent} } values %{ $self->{peers} };
		if ($word eq 'tell') { $self->put($_, WS::TEXT, $rest) for @agents }
		if ($word eq 'close') { $self->put($_, WS::CLOSE, pack 'n', $rest) for @agents }
		if ($word eq 'cut') { $self->drop($_) for @agents }
		if ($word eq 'stall') { $self->{select}->remove($_->{socket}) for @agents }
	}
	return 1;
}

# The other end of a tunnel, all clients of an agent.
sub drop {
	my ($self, $peer) = @_;
	return unless delete $self->{peers}{ $peer->{socket} };
	$self->{select}->remove($peer->{socket});
	close $peer->{socket};
	if ($peer->{is_agent}) {
		$self->note(what => 'agent gone');
		for (grep { ($_->{agent} // '') eq $peer } values %{ $self->{peers} }) {
			$self->put($_, WS::CLOSE, pack 'n', 1012);
			$self->drop($_);
		}
	} elsif ($peer->{agent}) {
		$self->note(what => 'client gone');
		$self->put($peer->{agent}, WS::TEXT, $json->encode($self->stamped($peer,
			{ type => 'close' })));
	}
}

sub hear {
	my ($self, $fh) = @_;
	my $peer = $self->{peers}{$fh} or return;
	sysread $fh, $peer->{in}, 1 << 20, length $peer->{in} or return $self->drop($peer);
	$self->answer($peer) unless $peer->{is_open};
	return unless $peer->{is_open};
	while (my ($fin, $op, $data) = take_frame(\$peer->{in})) {
		$self->{peers}{$fh} or return;
		if ($op == WS::PING) { $self->put($peer, WS::PONG, $data) }
		if ($op == WS::CLOSE) {
			$self->note(what => 'closed', is_agent => $peer->{is_agent} ? 1 : 0,
				code => length $data >= 2 ? unpack('n', $data) : 1005);
			$self->put($peer, WS::CLOSE, substr $data, 0, 2);
			return $self->drop($peer);
		}
		next if $op >= 8;
		$peer->{parts} .= $data;
		next unless $fin;
		my $text = $peer->{parts};
		$peer->{parts} = '';
		$self->frame($peer, $text);
	}
}

# A masked frame off the front of a buffer.
sub take_frame {
	my ($in) = @_;
	return if length $$in < 6;
	my ($a, $b) = unpack 'CC', $$in;
	my ($at, $len) = (2, $b & 127);
	if ($len == 126) { ($at, $len) = (4, unpack 'x2n', $$in) }
	elsif ($len == 127) { return if length $$in < 14; ($at, $len) = (10, unpack 'x2Q>', $$in) }
	die "a client does not mask\n" unless $b & 128;
	return if length $$in < $at + 4 + $len;
	my $key = substr $$in, $at, 4;
	my $data = substr $$in, $at + 4, $len;
	substr $$in, 0, $at + 4 + $len, '';
	$data ^= substr $key x (int($len / 4) + 1), 0, $len;
	return ($a >> 7, $a & 15, $data);
}

# The handshake, after a tunnel if it was asked to be a proxy.
sub answer {
	my ($self, $peer) = @_;
	if ($self->{proxy} && $peer->{in} =~ s/\ACONNECT (\S+) HTTP.*?\r\n\r\n//s) {
		$self->note(what => 'connect', to => $1);
		$self->write_all($peer, "HTTP/1.1 200 Connection established\r\n\r\n");
	}
	if ($peer->{in} !~ /\A(?:G|\z)/ && !($self->{proxy} && $peer->{in} =~ /\AC/)) {
		$self->write_all($peer, "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
		return $self->drop($peer);
	}
	$peer->{in} =~ s/\A(GET (\S+) HTTP.*?\r\n\r\n)//s or return;
	my ($head, $path) = ($1, $2);
	my ($key) = $head =~ /^Sec-WebSocket-Key: (\S+)/mi;
	$self->note(what => 'request', path => $path, head => $head);
	if (!$key || $path !~ m{^/ws/(announce|input)$}) {
		$self->write_all($peer, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
		return $self->drop($peer);
	}
	$peer->{is_agent} = $1 eq 'announce';
	$peer->{is_open} = 1;
	$self->write_all($peer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	    . "Connection: Upgrade\r\nSec-WebSocket-Accept: " . sha1_base64($key . $GUID)
	    . "=\r\n\r\n");
}

sub write_all {
	my ($self, $peer, $bytes) = @_;
	my $at = 0;
	return unless $self->{peers}{ $peer->{socket} };
	while ($at < length $bytes) {
		my $n = syswrite $peer->{socket}, $bytes, length($bytes) - $at, $at;
		return unless $n;
		$at += $n;
	}
}

sub put {
	my ($self, $peer, $op, $data) = @_;
	$self->write_all($peer, WS::frame($op, $data, mask => 0));
}

# What the agent gets: the client's members and the route.
sub stamped {
	my ($self, $peer, $frame) = @_;
	my %f = (%$frame, session_id => $frame->{session_id} // $peer->{session});
	$f{conn_id} = $peer->{id} if ($self->{routes} // '') ne 'session';
	return \%f;
}

sub frame {
	my ($self, $peer, $text) = @_;
	my $frame = eval { $json->decode($text) };
	return $self->note(what => 'no JSON', text => substr $text, 0, 200) unless ref $frame;
	my %short = map { $_ => $frame->{$_} } grep { !ref $frame->{$_} && length($frame->{$_} // '') < 500 }
	    keys %$frame;
	if ($peer->{is_agent}) {
		my $is_announce = ($frame->{type} // '') eq 'ANNOUNCE';
		$self->note(what => 'agent', frame => $is_announce ? $frame : \%short,
			text => $is_announce ? $text : '', at => time);
		return $self->announced($peer, $frame) if $is_announce;
		return $self->from_agent($frame, $text);
	}
	$self->note(what => 'client', frame => \%short);
	if (!$peer->{agent}) {
		my $to = $frame->{to} // '';
		# The newest connection of an agent has its new clients.
		($peer->{agent}) = sort { $b->{number} <=> $a->{number} }
		    grep { ($_->{address} // '') eq $to } values %{ $self->{peers} };
		$peer->{session} = $frame->{session_id} // "routed-$peer->{id}-$$";
		if (!$peer->{agent}) {
			my $why = "Agent not connected: $to";
			$self->put($peer, WS::TEXT,
				$json->encode({ type => 'ERROR', error => $why, message => $why }));
			return $self->drop($peer);
		}
	}
	$self->put($peer->{agent}, WS::TEXT, $json->encode($self->stamped($peer, $frame)));
}

sub announced {
	my ($self, $peer, $frame) = @_;
	$peer->{address} = $frame->{address};
	return if $self->{quiet};
	$self->put($peer, WS::TEXT, $json->encode($self->{error}
		? { type => 'ERROR', error => $self->{error}, original_type => 'ANNOUNCE' }
		: { type => 'ANNOUNCE_OK' }));
}

sub from_agent {
	my ($self, $frame, $text) = @_;
	my ($client) = grep { !$_->{is_agent} && (defined $frame->{conn_id}
		? $_->{id} eq $frame->{conn_id}
		: ($_->{session} // '') eq ($frame->{session_id} // '')) } values %{ $self->{peers} };
	return $self->note(what => 'for nobody', frame => { type => $frame->{type} }) unless $client;
	if (($frame->{type} // '') eq 'close') {
		$self->put($client, WS::CLOSE, pack 'n', $frame->{code} // 1000);
		return $self->drop($client);
	}
	$self->put($client, WS::TEXT, $text);
}

# A client that names the agent in its first frame.
package RelayClient;
use parent -norequire, 'WS';

sub send_json {
	my ($self, $frame) = @_;
	my $to = delete $self->{to};
	return $self->SUPER::send_json(defined $to ? { to => $to, %$frame } : $frame);
}

1;
