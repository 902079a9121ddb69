#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The console by the conformance checklist: a line for each thing that clients do, in the
# words of the document, and what agents say of their failures here and nowhere else.
use strict;
use utf8;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for write_file);
use JSON::PP;
use Sign qw(:all);
use Test::More;

my ($anna, $bert) = (key_new(), key_new());
my $hers = 'identity=' . substr($anna->{address}, 0, 6) . '... session=shar...';
my $his = 'identity=' . substr($bert->{address}, 0, 6) . '...';

# The console lines of a server. Those of several workers may cross each other.
sub lines {
	my ($host) = @_;
	my $text = read_file($host->{out});
	utf8::decode($text);
	$text =~ s/.*^Waiting for tasks\.\.\.\n//ms;
	return split /\n/, $text;
}

my $n_hellos = 0;
sub hello {
	my ($host, $key, %o) = @_;
	my $ws = $host->ws;
	$ws->send_json(connect_frame($key, $host, session_id => 'shared',
		payload => { nonce => $n_hellos++ }, %o));
	return ($ws, $ws->next(type => 'CONNECTED'));
}

# ---- what clients do ----

my $host = CoHost->start(args => ['--trust', 'open']);
my ($ws) = hello($host, $anna);
$ws->turn("echo one\n✓ CONNECT identity=forged\e[2J", images => ['eA=='],
	files => [{ name => 'a', data => 'eA==' }]);
$ws->turn('echo ' . 'x' x 100);
my ($again, $hi) = hello($host, $anna, session => { session_id => 'shared', iteration => 0,
	messages => [map +{ role => 'user', content => $_ }, 1 .. 4] });
ok $hi->{server_newer}, 'an older conversation came';
my ($other, $foreign) = hello($host, $bert);
$again->send_json({ type => 'INPUT', prompt => 'ask Well?' });
$again->next(type => 'ask_user');
my ($third) = hello($host, $anna);
$third->next(type => 'ask_user');
$third->send_json({ type => 'INPUT', prompt => 'yes' });
$third->all_until('OUTPUT');
$third->send_json(connect_frame($anna, $host, session_id => 'shared', session => undef,
	payload => { nonce => $n_hellos++ }));
$third->next(type => 'CONNECTED');
my $early = $host->ws;
$early->send_json({ type => 'CONNECT', protocol => { name => 'oip', version => '9' } });
$early->next(type => 'ERROR');
$early->send_json({ type => 'CONNECT', protocol => { name => 'oip', version => '0.1' } });
$early->next(type => 'CONNECTED');
my $wrong = $host->ws;
$wrong->send_json({ type => 'CONNECT', payload => {}, from => $anna->{address},
	signature => '00' });
$wrong->next(type => 'ERROR');
$_->close for $ws, $again, $other, $third, $early, $wrong;

my @want = (
	map({ "⚡ ws+ 127.0.0.1 ($_ active)" } 0, 1, 1, 2, 2, 3),
	('OIP_COMPAT transport=direct peer=legacy outcome=accepted') x 4,
	'OIP_COMPAT transport=direct peer=unsupported outcome=rejected',
	'OIP_COMPAT transport=direct peer=oip/0.1 outcome=accepted',
	"✓ CONNECT $hers status=new",
	"✓ CONNECT $hers status=connected (server_newer)",
	"✓ CONNECT $his session=" . substr($foreign->{session_id}, 0, 4) . '... status=new',
	"✓ CONNECT $hers status=running (server_newer)",
	'✓ CONNECT identity=anonymous session=... status=new',
	'  ↑ client session: 4 messages',
	'  ↕ merged sessions (server newer)',
	'  ↩ session shar... belongs to another caller — starting a new one',
	'  ↻ reattaching to running agent',
	"✓ INPUT $hers prompt=echo one\\n✓ CONNECT identity=forged\\x1b[2J...",
	'  ↑ 1 images, 1 files',
	"✓ INPUT $hers prompt=echo " . 'x' x 45 . '...',
	"✓ INPUT $hers prompt=ask Well?...",
	'↳ RUNTIME_INPUT session=shar... prompt=yes...',
	"↻ REATTACH $hers status=connected (server_newer)",
	'✗ CONNECT auth error: unauthorized: timestamp required in payload',
	('⚡ ws- (N active)') x 6,
);
ok wait_for(10, sub { lines($host) >= @want }), 'there are as many lines';
my @got = map { s/ws- \(\d+ active\)/ws- (N active)/r } lines($host);
@got = map { s/(identity=anonymous session=)[0-9a-f]{4}/$1/r } @got;
is_deeply [sort @got], [sort @want],
    "the console has a line in the document's words for each thing clients do";
$host->stop;

# ---- what agents say of their failures ----

my $secret = 'ValueError: no such key: sk-4711';
my $dir = CoHost::directory();
write_file("$dir/agent.sh", <<"END");
read -r line
case \$line in
*'"prompt":"say"'*) echo '{"type":"ERROR","message":"$secret"}' ;;
*'"prompt":"print"'*) echo 'Traceback (most recent call last): $secret' ;;
*) echo 'Traceback: $secret' >&2; exit 3 ;;
esac
END
my %words = (say => 'failed', print => 'garbage', leave => 'exited');
for my $agent ('demo', "exec:sh $dir/agent.sh") {
	$host = CoHost->start(agent => $agent, args => ['--trust', 'open']);
	my %case = $agent eq 'demo' ? ("fail $secret" => 'failed') : %words;
	for my $prompt (sort keys %case) {
		my $id = $prompt =~ /^(\w+)/ ? $1 : '';
		my $r = $host->input($prompt, session => { session_id => "http-$id" });
		is_deeply [$r->{status}, @{ $r->{json} }{qw(error code reason)}],
		    [500, 'Unable to run agent', -32603, $case{$prompt}],
		    "a turn that failed ($case{$prompt}) is an error over HTTP";
		my $ws = $host->ws(session => { session_id => "ws-$id" });
		my @all = $ws->turn($prompt);
		is_deeply [@{ $all[-1] }{qw(type message code)}],
		    ['ERROR', 'Unable to run agent', -32603],
		    "a turn that failed ($case{$prompt}) is an error over WebSocket";
		my $again = $host->ws(session => { session_id => "ws-$id" });
		my @told = ($r->{body}, (map { JSON::PP->new->encode($_) } @all, $again->connected,
			$again->settle), map({ $host->http(GET => $_)->{body} }
			"/sessions/ws-$id", "/sessions/http-$id", '/sessions', '/info', '/metrics'));
		# The prompt is the client's own.
		is scalar(grep { s/fail \Q$secret\E//gr =~ /sk-4711|Traceback|ValueError/ } @told), 0,
		    "no client is told what the agent said ($case{$prompt})";
	}
	ok wait_for(10, sub { grep { $_ eq "✗ agent error: $secret" } lines($host) }),
	    'the console shows what the agent said';
	$host->stop;
}
done_testing;
