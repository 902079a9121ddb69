#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A server that leaves is deaf at once: nobody connects and then waits until the last
# turn has ended. A second INT does not wait for turns, and no question holds it up.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file);
use IO::Socket::IP;
use IO::Socket::UNIX;
use Test::More;

sub is_refused {
	my ($host) = @_;
	return !IO::Socket::UNIX->new(Peer => $1) if $host->address =~ /^unix:(.*)/;
	return !IO::Socket::IP->new(PeerAddr => $host->address, Timeout => 1);
}

# A turn that goes on until it is answered.
sub run_long {
	my ($host) = @_;
	my $ws = WS->connect($host->address, session => { session_id => 'long' });
	$ws->send_json({ type => 'INPUT', prompt => 'ask Well?' });
	$ws->next(type => 'ask_user') or die "no turn runs\n";
	return $ws;
}

my $dir = CoHost::directory();
for my $case (['TERM', '127.0.0.1', 0], ['INT', '127.0.0.1', 0],
	['TERM', "unix:$dir/socket", 0], ['TERM', '127.0.0.1', 1]) {
	my ($signal, $bind, $is_hung) = @$case;
	my $title = "$signal" . ($bind =~ /^unix/ ? ', unix socket' : '')
	    . ($is_hung ? ', the keeper hangs' : '');
	my $host = CoHost->start(workers => 3, bind => $bind);
	my $ws = run_long($host);
	my ($stopped) = $is_hung ? $host->keepers : ();
	kill STOP => $stopped if $stopped;
	$host->signal($signal);
	ok wait_for(2, sub { is_refused($host) }), "$title: connections are refused";
	$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => 'well' });
	is $ws->next(type => ['OUTPUT', 'ERROR'])->{result}, 'You answered: well',
	    "$title: while the turn goes on, which has its end";
	kill CONT => $stopped if $stopped;
	is $host->wait_exit, 0, "$title: the server ends with status 0";
}

my $host = CoHost->start(workers => 2, args => ['-o', 'drain_timeout=3600']);
my $long = run_long($host);
$host->signal('INT');
ok wait_for(5, sub { $host->words =~ /draining: turns have/ }), 'INT waits for the turn';
$host->signal('INT');
is $host->wait_exit, 0, 'a second INT ends the server';

# A worker that is stopped cannot close the listener.
$host = CoHost->start(workers => 2);
my ($victim) = $host->workers;
kill STOP => $victim;
$host->signal('TERM');
ok wait_for(3, sub { is_refused($host) }), 'a worker that hangs does not keep the port open';
kill CONT => $victim;
is $host->wait_exit, 0, 'a worker that hung ends when it wakes up';

write_file("$dir/ask.sh", <<'END');
trap '' TERM INT HUP
read -r line
echo '{"type":"ask_user","question":"Well?"}'
read -r line
END
for my $case (['demo', 'ask Well?', 'ask_user'], ['demo', 'approve ls', 'approval_needed'],
	["exec:sh $dir/ask.sh", 'x', 'ask_user']) {
	my ($agent, $prompt, $question) = @$case;
	my $title = ($agent =~ s/:.*//r) . ", $question";
	my $host = CoHost->start(workers => 2, agent => $agent,
		args => ['-o', 'drain_timeout=1']);
	my $ws = WS->connect($host->address, session => { session_id => 'asked' });
	$ws->send_json({ type => 'INPUT', prompt => $prompt });
	ok $ws->next(type => $question), "$title: a question waits";
	$host->signal('TERM');
	is $host->wait_exit, 0, "$title: the server ends well after drain_timeout";
	ok defined $ws->wait_close(2), "$title: its client is told";
}
done_testing;
