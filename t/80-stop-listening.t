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
use Time::HiRes qw(time);

sub is_refused {
	my ($host) = @_;
	return !IO::Socket::UNIX->new(Peer => $1) if $host->address =~ /^unix:(.*)/;
	return !IO::Socket::IP->new(PeerAddr => $host->address, Timeout => 1);
}

sub run_long {
	my ($host) = @_;
	my $c = $host->client;
	$c->send(POST => '/input', {}, { prompt => 'sleep 4000' });
	wait_for(5, sub { $host->metric('cohostd_runs') == 1 }) or die 'no turn runs';
	return $c;
}

my $dir = CoHost::directory();
for my $case (['TERM', '127.0.0.1', 0], ['INT', '127.0.0.1', 0],
	['TERM', "unix:$dir/socket", 0], ['TERM', '127.0.0.1', 1]) {
	my ($signal, $bind, $is_hung) = @$case;
	my $title = "$signal" . ($bind =~ /^unix/ ? ', unix socket' : '')
	    . ($is_hung ? ', the keeper hangs' : '');
	my $host = CoHost->start(workers => 3, bind => $bind);
	my $c = run_long($host);
	my ($stopped) = $is_hung ? $host->keepers : ();
	kill STOP => $stopped if $stopped;
	my $start = time;
	$host->signal($signal);
	ok wait_for(2, sub { is_refused($host) }), "$title: connections are refused";
	cmp_ok time - $start, '<', 3, "$title: while the turn goes on";
	is $c->reply->{json}{result}, 'Slept 4000 ms.', "$title: which has its end";
	kill CONT => $stopped if $stopped;
	is $host->wait_exit, 0, "$title: then the server ends well";
}

my $host = CoHost->start(workers => 2);
run_long($host);
$host->signal('INT');
ok wait_for(5, sub { $host->words =~ /leaving: turns have/ }), 'INT waits for the turn';
my $start = time;
$host->signal('INT');
is $host->wait_exit, 0, 'INT again ends it';
cmp_ok time - $start, '<', 3, 'at once';

# A worker that is stopped cannot close the listener.
$host = CoHost->start(workers => 2);
my ($victim) = $host->workers;
kill STOP => $victim;
$host->signal('TERM');
ok wait_for(3, sub { is_refused($host) }), 'a worker that hangs does not keep it open';
kill CONT => $victim;
is $host->wait_exit, 0, 'and leaves when it wakes';

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
	my $start = time;
	$host->signal('TERM');
	is $host->wait_exit, 0, "$title: the server ends well";
	cmp_ok time - $start, '<', 3.5, "$title: soon after drain_timeout";
	ok defined $ws->wait_close(2), "$title: its client is told";
}
done_testing;
