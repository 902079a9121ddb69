# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package CoRelay;

# One running co-relayd, and the two sides that meet at it.
#
#   my $relay = CoRelay->start(workers => 4, clock => 1, args => ['-o', 'max_frame=1']);
#   my $agent = $relay->agent;                    # announced, with a key of its own
#   my $client = $relay->client($agent);          # its first frame is a CONNECT
#   my $frame = $agent->next;                     # that CONNECT, with conn_id
#   $agent->answer($frame, type => 'CONNECTED');
#   $client->next(type => 'CONNECTED');
#
# An agent routes by conn_id unless it is given features => []. $relay is a CoHost as far
# as processes, clocks and HTTP go.
use strict;
use warnings;
use parent -norequire, 'CoHost';

use CoHost qw(program wait_for write_file);
use Exporter qw(import);
use File::Temp ();
use JSON::PP ();
use Sign qw(canonical key_new sign_text);
use Test::More ();
use Time::HiRes qw(time);
use WS;

our @EXPORT_OK = qw(announce announce_text);

my $scalar = JSON::PP->new->ascii->allow_nonref;
my $json = JSON::PP->new->utf8->canonical;

sub start {
	my ($class, %o) = @_;
	my $dir = $o{dir} // File::Temp->newdir('corelayd-XXXXXX', TMPDIR => 1);
	mkdir "$dir/relay", 0700;
	mkdir "$dir/home", 0700;
	write_file("$dir/relay/relay.yaml", $o{yaml}) if defined $o{yaml};
	my $self = bless {
		dir => $dir, log => "$dir/log", out => "$dir/out", program => 'co-relayd',
		started => time,
	}, $class;
	my @argv = (program('co-relayd'), '-w', $o{workers} // 4, '-p', $o{port} // 0,
		'-b', $o{bind} // '127.0.0.1', '-d', "$dir/relay", '-l', $self->{log});
	return $self->begin(\@argv, \%o);
}

sub ws_url { return "ws://$_[0]{address}" }

# The same relay again, where it was.
sub start_again {
	my ($self, %o) = @_;
	return ref($self)->start(port => $self->port, dir => $self->{dir}, %o);
}

# ---- ANNOUNCE ----

# Python's default dump, which an ANNOUNCE is signed over.
sub spaced {
	my ($v) = @_;
	return '[' . join(', ', map { spaced($_) } @$v) . ']' if ref $v eq 'ARRAY';
	return '{' . join(', ', map { $scalar->encode("$_") . ': ' . spaced($v->{$_}) }
		sort keys %$v) . '}' if ref $v eq 'HASH';
	return $scalar->encode($v);
}

# What an agent says: a signed ANNOUNCE. Members may be replaced; undef takes away;
# profile gets its signature; features is short for relay_features.
sub announce {
	my ($self, $key, %o) = @_;
	my $features = delete $o{features} // ['conn_id'];
	my %message = (
		type => 'ANNOUNCE', address => $key->{address}, timestamp => Sign::now($self),
		summary => 'An agent', endpoints => ['http://192.168.1.5:8000'],
		relay => $self->ws_url, (@$features ? (relay_features => $features) : ()), %o);
	delete @message{ grep { !defined $message{$_} } keys %message };
	$message{profile_signature} //= sign_text($key, canonical($message{profile}))
	    if $message{profile};
	$message{signature} = sign_text($key, spaced(\%message));
	return \%message;
}

sub announce_text { return $json->encode(announce(@_)) }

# An agent: a socket that has announced itself. key, path, wait and members of the
# ANNOUNCE may be given; wait => 0 does not wait for the answer.
sub agent {
	my ($self, %o) = @_;
	my $key = delete $o{key} // key_new();
	my $wait = delete $o{wait} // 1;
	my $ws = $self->ws(path => delete $o{path} // '/ws/announce');
	bless $ws, 'CoRelay::Agent';
	$ws->{key} = $key;
	$ws->{relay} = $self;
	$ws->send_json($self->announce($key, %o));
	return $ws unless $wait;
	my $answer = $ws->next_frame;
	die 'not announced: ' . $json->encode($answer // {}) . "\n"
	    if ($answer->{type} // '') ne 'ANNOUNCE_OK';
	return $ws;
}

# ---- clients ----

# A socket of a client, which has said nothing yet.
sub input_ws {
	my ($self, %o) = @_;
	return bless $self->ws(path => '/ws/input', %o), 'CoRelay::Client';
}

# A client of an agent (or address), whose first frame is a CONNECT with these members.
sub client {
	my ($self, $agent, %o) = @_;
	my $ws = $self->input_ws;
	$ws->send_json({ type => 'CONNECT', to => address_of($agent), %o });
	return $ws;
}

sub address_of {
	my ($agent) = @_;
	return ref $agent ? $agent->{key}{address} : $agent;
}

# ---- what it counts ----

sub counter {
	my ($self, $name) = @_;
	return $self->metric("corelayd_$name");
}

sub health { return $_[0]->http(GET => '/health')->{json} }

# Wait until so many agents are there.
sub wait_agents {
	my ($self, $n) = @_;
	return wait_for(15, sub { $self->health->{agents} == $n });
}

package CoRelay::Agent;

our @ISA = 'WS';

# The next frame of any type; undef when none comes.
sub next_frame {
	my ($self, %o) = @_;
	my $text = $self->next_text($o{timeout});
	return defined $text ? $json->decode($text) : undef;
}

# Answer the client that a frame came from, as a host does.
sub answer {
	my ($self, $frame, %o) = @_;
	my %where = defined $frame->{conn_id} ? (conn_id => $frame->{conn_id}) : ();
	$self->send_json({ session_id => $frame->{session_id}, %o, %where });
	return $frame;
}

sub address { return $_[0]{key}{address} }

package CoRelay::Client;

our @ISA = 'WS';

# The next frame of any type; undef when none comes.
sub next_frame {
	my ($self, %o) = @_;
	my $text = $self->next_text($o{timeout});
	return defined $text ? $json->decode($text) : undef;
}

1;
