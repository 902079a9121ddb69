#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A prompt waits for its turn for longer than its session is kept: it runs, and the
# session stays its owner's.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(source wait_for write_file);
use JSON::PP;
use Sign qw(:all);
use Test::More;

my $json = JSON::PP->new->canonical;
my $dir = CoHost::directory();
my $anna = key_new();
my $ahead = 200;

# A server whose clocks are ahead by so many seconds.
sub start {
	my ($seconds) = @_;
	write_file("$dir/clocks", pack 'qq', 1000 * $seconds, 0);
	return CoHost->start(agent => 'exec:perl ' . source('t/agents/puppet.pl'), dir => $dir,
		args => ['--test-clock', "$dir/clocks", '-o', 'result_ttl=100']);
}

my $host = start(0);
my $ws = $host->ws;
$ws->send_json(connect_frame($anna, $host, session_id => 's'));
$ws->next(type => 'CONNECTED') or die "not connected\n";
$ws->send_json({ type => 'INPUT', prompt => $json->encode(
	[{ type => 'thinking', content => 'first' }, ['until', "$dir/gate"]]) });
$ws->next(type => 'thinking') or die "no turn\n";
$ws->send_json({ type => 'INPUT', prompt => 'later' });
is $ws->next(type => ['RUNTIME_INPUT_ACK', 'ERROR'])->{type}, 'RUNTIME_INPUT_ACK',
    'a prompt joins a turn';
$host->signal('TERM');
write_file("$dir/gate", '');
is $host->wait_exit, 0, 'the server leaves before the waiting input has a turn';

$host = start($ahead);
sub look { return $host->http(GET => '/sessions/s', @_) }
ok wait_for(15, sub {
	my $own = look(signed_get_headers($anna, '/sessions/s', timestamp => now() + $ahead));
	return ($own->{json}{result} // '') eq 'later';
}), 'the next server runs the waiting input in an expired session';
is look()->{status}, 404, 'the session of a waiting input is hidden from others';
$host->stop;
done_testing;
