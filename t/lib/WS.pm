# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package WS;

# A small RFC 6455 client that speaks the ConnectOnion protocol. It is not clever: it
# shows the test what came. Every wait has a deadline.
#
#   my $ws = WS->connect($address);
#   $ws->send_json({ type => 'CONNECT' });
#   my $connected = $ws->next(type => 'CONNECTED');
#   $ws->send_json({ type => 'INPUT', prompt => 'hi' });
#   my @frames = $ws->all_until('OUTPUT');
#
# WS->roam() does one turn on a line that breaks at random moments.
use strict;
use warnings;

use Digest::SHA qw(sha1_base64);
use HTTP;
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Time::HiRes qw(time);

use constant { TEXT => 1, BINARY => 2, CLOSE => 8, PING => 9, PONG => 10 };

my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my $GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

# Frames that come on their own and that few tests want to see.
my %is_aside = map { $_ => 1 } qw(PING AGENT_PROFILE DASHBOARD_SNAPSHOT);

# ---- bytes ----

# One frame. fin, mask, rsv and len (a lie about the length) may be given.
sub frame {
	my ($op, $data, %o) = @_;
	my $len = $o{len} // length $data;
	my $mask = $o{mask} // 1;
	my $f = pack 'C', (($o{fin} // 1) << 7) | (($o{rsv} // 0) << 4) | $op;
	my $m = $mask ? 128 : 0;
	$f .= $len < 126 ? pack('C', $m | $len)
	    : $len < 65536 ? pack('Cn', $m | 126, $len)
	    : pack('CQ>', $m | 127, $len);
	return $f . $data unless $mask;
	my $key = pack 'N', int rand 2**32;
	my $n = length $data;
	my $pad = substr $key x (int($n / 4) + 1), 0, $n;
	return $f . $key . ($data ^ $pad);
}

# Take one frame off the front of a buffer: (fin, op, data), or nothing.
sub take_frame {
	my ($in) = @_;
	return if length $$in < 2;
	my ($a, $b) = unpack 'CC', $$in;
	my ($at, $len) = (2, $b & 127);
	if ($len == 126) {
		return if length $$in < 4;
		($at, $len) = (4, unpack 'x2n', $$in);
	} elsif ($len == 127) {
		return if length $$in < 10;
		($at, $len) = (10, unpack 'x2Q>', $$in);
	}
	die "the server masked a frame" if $b & 128;
	return if length $$in < $at + $len;
	my $data = substr $$in, $at, $len;
	substr $$in, 0, $at + $len, '';
	return ($a >> 7, $a & 15, $data);
}

sub handshake_text {
	my (%o) = @_;
	my $key = encode_base64(join('', map { chr int rand 256 } 1 .. 16), '');
	my $text = HTTP::request_text('GET', $o{path} // '/ws', {
		upgrade => 'websocket', connection => 'Upgrade',
		'sec-websocket-key' => $key, 'sec-websocket-version' => 13,
		%{ $o{headers} || {} } });
	return ($text, sha1_base64($key . $GUID) . '=');
}

# ---- a connection ----

# Open a socket; with session => {...} also CONNECT and wait for CONNECTED.
sub connect {
	my ($class, $address, %o) = @_;
	my $http = HTTP->new($address,
		$o{sockopts} ? (sockopts => $o{sockopts}) : ());
	my ($text, $accept) = handshake_text(%o);
	$http->write($text);
	my $head = $http->head or die "no answer to the handshake\n";
	my $self = bless {
		http => $http, head => $head, status => $head->{status},
		parts => '', raw => [], pongs => [],
	}, $class;
	return $self if $head->{status} != 101;
	die "wrong sec-websocket-accept\n"
	    if $head->{header}{'sec-websocket-accept'} ne $accept;
	if ($o{session}) {
		$self->send_json({ type => 'CONNECT', %{ $o{session} } });
		$self->{connected} = $self->next(type => 'CONNECTED')
		    or die "no CONNECTED\n";
	}
	return $self;
}

sub status { return $_[0]{status} }
sub connected { return $_[0]{connected} }
sub session_id { return $_[0]{connected}{session_id} }
sub socket { return $_[0]{http}{socket} }
sub pongs { return $_[0]{pongs} }

# Send bytes that may or may not be a frame.
sub send_raw { my ($self, @a) = @_; return $self->{http}->write(@a) }

sub send_frame {
	my ($self, @frame) = @_;
	return $self->send_raw(frame(@frame));
}

# Text that is already UTF-8.
sub send_text { my ($self, $t) = @_; return $self->send_frame(TEXT, $t) }
sub send_json { my ($self, $j) = @_; return $self->send_text($json->encode($j)) }

# Close properly; with how => 'cut', as a broken line would.
sub close {
	my ($self, %o) = @_;
	if (($o{how} // '') ne 'cut') {
		$self->send_frame(CLOSE, pack 'n', $o{code} // 1000);
	}
	$self->{http}{socket}->close;
	$self->{http}{is_eof} = 1;
}

# The code the server closed with, 1006 for a close without one; undef while open.
sub closed { return $_[0]{close_code} }

# The next text frame as JSON, of a type if one is named, others being skipped; undef
# when none came in time or the socket is closed. Text that is not JSON dies.
sub next {
	my ($self, %o) = @_;
	my $end = time + ($o{timeout} // $HTTP::TIMEOUT);
	my %want = map { $_ => 1 } ref $o{type} ? @{ $o{type} } : $o{type} // ();
	while (defined(my $text = $self->next_text($end - time))) {
		my $f = $json->decode($text);
		my $type = $f->{type} // '';
		next if %want ? !$want{$type} : $is_aside{$type};
		return $f;
	}
	return undef;
}

# The next text frame as it is.
sub next_text {
	my ($self, $timeout) = @_;
	my $end = time + ($timeout // $HTTP::TIMEOUT);
	while (1) {
		while (my ($fin, $op, $data) = take_frame(\$self->{http}{in})) {
			my $text = $self->message($fin, $op, $data);
			return $text if defined $text;
		}
		return undef if defined $self->{close_code};
		next if $self->{http}->fill($end);
		$self->{close_code} //= 1006 if $self->{http}{is_eof};
		return undef;
	}
}

# A frame becomes a message, or is answered.
sub message {
	my ($self, $fin, $op, $data) = @_;
	if ($op == PING) { $self->send_frame(PONG, $data); return undef }
	if ($op == PONG) { push @{ $self->{pongs} }, $data; return undef }
	if ($op == CLOSE) {
		$self->{close_code} //= length $data >= 2 ? unpack 'n', $data : 1005;
		return undef;
	}
	$self->{parts} .= $data;
	return undef unless $fin;
	my $text = $self->{parts};
	$self->{parts} = '';
	return $text;
}

# All frames up to one of these types, which is the last. Dies when it does not come.
sub all_until {
	my ($self, @types) = @_;
	my $timeout = ref $types[-1] ? pop(@types)->{timeout} : $HTTP::TIMEOUT;
	my $end = time + $timeout;
	my %is_last = map { $_ => 1 } @types;
	my @all;
	while (my $f = $self->next(timeout => $end - time)) {
		push @all, $f;
		return @all if $is_last{ $f->{type} // '' };
	}
	die "no @types after " . join(' ', map { $_->{type} // '?' } @all)
	    . (defined $self->{close_code} ? " (closed $self->{close_code})" : '')
	    . "\n";
}

# What came until the server had taken all we sent: our PING is answered in its turn.
sub settle {
	my ($self) = @_;
	$self->send_json({ type => 'PING' });
	my @all = $self->all_until('PONG');
	pop @all;
	return @all;
}

# Wait for the server to close; its code, undef if it does not.
sub wait_close {
	my ($self, $timeout) = @_;
	my $end = time + ($timeout // $HTTP::TIMEOUT);
	1 while !defined $self->{close_code}
	    && $self->next(timeout => $end - time);
	return $self->{close_code};
}

# A prompt and everything up to its OUTPUT or ERROR.
sub turn {
	my ($self, $prompt, %more) = @_;
	$self->send_json({ type => 'INPUT', prompt => $prompt, %more });
	return $self->all_until('OUTPUT', 'ERROR');
}

# ---- a turn on a bad line ----

# Do one turn, and break the line about 'cuts' times while it lasts, each time coming
# back with session_id and last_msg_id. Returns {events, end, cuts, problems}: events
# without the repeated ones; problems is a list of what the protocol forbids.
sub roam {
	my ($class, $address, %o) = @_;
	my $seed = $o{seed} // $ENV{TEST_SEED} // int rand 2**31;
	srand $seed;
	my $t = {
		seed => $seed, events => [], cuts => 0, problems => [], seen => {},
		session_id => $o{session_id} // "roam-$$-" . int rand 2**31,
		input_id => $o{input_id} // "input-$$-" . int rand 2**31,
	};
	my $chance = ($o{cuts} // 5) / ($o{frames} // 100);
	my $end = time + ($o{timeout} // 3 * $HTTP::TIMEOUT);
	until ($t->{end}) {
		if (time > $end) { push @{ $t->{problems} }, 'no end came'; last }
		my $ws = eval { roam_open($class, $address, $t) };
		if (!$ws) { select undef, undef, undef, 0.05; next }
		roam_input($ws, $t, \%o);
		roam_read($ws, $t, $chance, $end);
		$ws->close(how => rand() < 0.5 ? 'cut' : 'well');
	}
	return $t;
}

# Open or open again.
sub roam_open {
	my ($class, $address, $t) = @_;
	my %connect = (session_id => $t->{session_id});
	$connect{last_msg_id} = $t->{last_id} if defined $t->{last_id};
	return $class->connect($address, session => \%connect);
}

# Say the prompt until it was surely heard; afterwards the end is owed to us.
sub roam_input {
	my ($ws, $t, $o) = @_;
	return if $ws->connected->{status} eq 'running' || defined $t->{last_id};
	$ws->send_json({ type => 'INPUT', prompt => $o->{prompt},
		input_id => $t->{input_id} });
}

sub roam_read {
	my ($ws, $t, $chance, $end) = @_;
	$t->{fresh} = 1;
	while (my $f = $ws->next(timeout => $end - time)) {
		if ($f->{type} eq 'OUTPUT' || $f->{type} eq 'ERROR') {
			$t->{end} = $f;
			push @{ $t->{problems} }, map { "$_->{type} after the end" }
			    $ws->settle;
			return;
		}
		roam_note($t, $f);
		next if rand() >= $chance;
		$t->{cuts}++;
		return;
	}
}

# An event that was seen before may come again only right after we came back.
sub roam_note {
	my ($t, $f) = @_;
	my $id = $f->{id} // '';
	my $key = "$f->{type} $id";
	if ($t->{seen}{$key}++) {
		push @{ $t->{problems} }, "$key came again" unless $t->{fresh};
		return;
	}
	$t->{fresh} = 0;
	$t->{last_id} = $id;
	push @{ $t->{events} }, $f;
}

1;
