#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# libcoconnect finds its agent by a relay: directly where that works, else through it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use CoRelay;
use Front;
use Sign qw(key_of key_new);
use Talker;
use Test::More;

my ($relay, $host, $address);

sub begin {
	my ($workers) = @_;
	$relay = CoRelay->start(workers => $workers, args => ['-o', 'hold_timeout=1']);
	$host = CoHost->start(workers => $workers, relay => $relay->ws_url,
		args => ['-o', 'trust=open', '-o', 'summary=translates texts']);
	$address = key_of($host)->{address};
	# Its record is written a little later.
	ok $relay->wait_agents(1) && wait_for(15, sub {
		$relay->http(GET => "/api/relay/agents/$address")->{status} == 200
	}), "-w $workers: the agent is announced";
}

sub come {
	my (%o) = @_;
	return Talker->start($address, relay => $relay->url, %o);
}

for my $workers (1, 4) {
	begin($workers);
	my $c = come();
	is $c->result('input echo direct')->{text}, 'direct', "-w $workers: a turn goes direct";
	is $c->ways, 'lookup connecting open*', "-w $workers: the direct way is taken first, sealed";
	$c->end;

	my %ways = (sealed => ['open+*'], keyless => ['open+', keyless => 1],
		clear => ['open+', seal => 'never']);
	for my $how (sort keys %ways) {
		my ($open, %o) = @{ $ways{$how} };
		$c = come(no_direct => 1, loop => 1, %o);
		my $r = $c->result('input echo by relay');
		is $r->{text}, 'by relay', "-w $workers $how: a turn goes by the relay"
		    or diag explain $c->{all};
		is $c->ways, "connecting $open", "-w $workers $how: the relay is the only way";
		$c->result('input ask Which?|red|blue');
		$c->code('answer red');
		is $c->result('wait')->{text}, 'You answered: red',
		    "-w $workers $how: a question is answered by the relay";
		like $c->result('big 2000000')->{text}, qr/2000000 bytes/,
		    "-w $workers $how: 2 MB go up by the relay";
		$c->end;
	}

	# A network could be the agent, if nothing is sealed.
	$c = come(keyless => 1);
	$c->result('input echo clear');
	is $c->ways, 'lookup connecting open+',
	    "-w $workers: an endpoint without TLS is not used in clear";
	$c->end;
	$c = come(seal => 'possible');
	$c->result('input echo clear');
	is $c->ways, 'lookup connecting open+*',
	    "-w $workers: an endpoint without TLS is not used where clear is allowed";
	$c->end;
	$host->stop;
	$relay->stop;
}

begin(2);

# ---- the environment ----

for my $url ($relay->url, $relay->ws_url, $relay->url . '/ws/announce', $relay->ws_url . '/ws',
	$relay->ws_url . '/') {
	my $c = Talker->start($address, env => { RELAY_URL => $url,
		CONNECTONION_BACKEND_URL => 'http://127.0.0.1:1' });
	is $c->result('input echo env')->{code}, 'ok', "RELAY_URL=$url names the relay";
	$c->end;
}
for my $name (qw(CONNECTONION_BACKEND_URL OPENONION_API_URL OPENONION_BASE_URL)) {
	my %env = map { $_ => '' } qw(RELAY_URL CONNECTONION_BACKEND_URL OPENONION_API_URL);
	my $c = Talker->start($address, env => { %env, $name => $relay->url });
	is $c->result('input echo env')->{code}, 'ok', "$name names the relay";
	$c->end;
}
my $c = Talker->start($address, relay => 'relay.example');
is $c->{client}{code}, 'argument', 'a relay that is no URL is refused';

# ---- questions about agents ----

$c = come();
my $r = $c->result('info');
is $r->{code}, 'ok', 'an agent is asked about' or diag explain $r;
ok $r->{json}{is_direct}, 'the answer says that it is reached directly';
is $r->{json}{where}, 'ws://' . $host->address . '/ws', 'the answer says where';
is $r->{json}{info}{address}, $address, 'the answer has what the agent says of itself';
is $r->{json}{record}{summary}, 'translates texts', 'the answer has what the relay says of it';
$r = $c->result('find translate');
is_deeply [map { $_->{address} } @{ $r->{json}{agents} }], [$address], 'an agent is found by a word';
is_deeply $c->result('find gardening')->{json}{agents}, [], 'a search for another word finds no agent';
$c->end;
$c = Talker->start('', relay => $relay->url, loop => 1);
is scalar @{ $c->result('find translates')->{json}{agents} }, 1,
    'a client without an address may search';
is $c->result('find ' . 'x' x 600)->{code}, 'argument', 'a search with too many words is the fault of the caller';
my @codes = map { $c->result('find translates')->{code} } 1 .. 10;
is $codes[-1], 'limit', 'searches over the limit of the relay are told as that' or diag "@codes";
is $c->result('input echo hi')->{code}, 'unreachable', 'a client without an address talks to nobody';
is $c->result('info')->{code}, 'argument', 'a client without an address asks about nobody';
$c->end;

# ---- records that are wrong ----

my $front = Front->start($relay->address);
my $other = CoHost->start(workers => 1, args => ['-o', 'trust=open']);
my $impostor = Front->start($other->address);
$impostor->answer('/info', { address => $address });
my %wrong = (
	dead => ['http://127.0.0.1:1', qr/connect/i, 'lookup rejected connecting open+*'],
	lying => [$other->url, qr/it is the agent 0x/, 'lookup rejected connecting open+*'],
	'that is no agent' => [$relay->url, qr/404/, 'lookup rejected connecting open+*'],
	'of an impostor' => [$impostor->url, qr/seal/, 'lookup connecting broken connecting open+*'],
);
for my $what (sort keys %wrong) {
	my ($endpoint, $why, $ways) = @{ $wrong{$what} };
	$front->answer("/api/agents/$address", { address => $address, online => JSON::PP::true,
		endpoints => [$endpoint] });
	$c = come(relay => $front->url);
	is $c->result('input echo all the same')->{text}, 'all the same',
	    "an endpoint $what does not keep the client from its agent";
	my ($told) = grep { length $_->{why} } @{ $c->{all} }[grep {
		($c->{all}[$_]{what} // '') eq 'way' } 0 .. $#{ $c->{all} }];
	like $told->{why}, $why, "an endpoint $what is told, and why";
	is $c->ways, $ways, "an endpoint $what leads to the relay";
	$c->end;
}
$front->answer("/api/agents/$address", { address => $address, online => JSON::PP::true,
	endpoints => ['http://127.0.0.1:1', $other->url, 'ftp://x', 7, $host->url] });
$c = come(relay => $front->url);
$c->result('input echo hi');
like $c->ways, qr/open\*$/, 'the good one among bad endpoints is used';
$c->end;
$front->answer("/api/agents/$address", { address => $address, online => JSON::PP::false,
	endpoints => [$host->url] });
$c = come(relay => $front->url);
$c->result('input echo hi');
is $c->ways, 'lookup connecting open+*', 'the endpoints of an agent that is offline are not asked';
$c->end;

# A relay that passes us to somebody else is found out by the seal.
$other->stop;
$other = CoHost->start(workers => 1, args => ['-o', 'trust=open']);
$front->to($other->address);
$c = come(relay => $front->url, direct => $front->url);
$front->answer('/info', { address => $address });
is $c->result('input echo secret')->{code}, 'seal', 'a host that cannot prove its address hears nothing';
unlike $other->words, qr/secret/, 'the secret was not said';
$c->end;
$other->stop;

# ---- an agent that is away ----

$c = Talker->start(key_new()->{address}, relay => $relay->url);
$r = $c->result('input echo hi');
is $r->{code}, 'away', 'an agent that the relay does not know is away';
like $r->{text}, qr/^Agent not connected/, 'the error of an unknown agent is that of the relay';
is $c->result('info')->{code}, 'away', 'an agent that the relay does not know is not described';
$c->end;
$host->stop;
my $gone = $relay->ws_url;
$relay->stop;

# ---- a relay that is away ----

$c = Talker->start(key_new()->{address}, relay => $gone);
$r = $c->result('input echo hi');
is $r->{code}, 'unreachable', 'a relay that is away cannot be reached';
like $r->{text}, qr/^the relay ws:\S+ cannot be reached: Connection refused/, 'a relay that is away is called the relay';
$c->end;
done_testing;
