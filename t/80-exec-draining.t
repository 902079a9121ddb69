#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A server that waits for its turns to end begins no call of a tool any more.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file);
use Sign qw(:all);
use Test::More;

my $anna = key_new();
my $host = CoHost->start(workers => 1,
	yaml => "permissions:\n  calculate: {allowed: true}\n");
write_file($host->dir . '/.co/contacts.txt', "$anna->{address}\n");
my $ws = $host->ws;
$ws->send_json(connect_frame($anna, $host));
is $ws->next(type => 'CONNECTED')->{type}, 'CONNECTED', 'a contact connects';

sub calculate {
	$ws->send_json({ type => 'EXEC', exec_id => 'x', tool => 'calculate',
		args => { expression => '6*7' } });
	my $r = $ws->next(type => ['EXEC_RESULT', 'ERROR']);
	return $r->{error} // $r->{result} // $r->{message};
}
is calculate(), '42', 'a tool is called';
$ws->send_json({ type => 'INPUT', prompt => 'sleep 2500' });
ok $ws->next(type => 'user_input'), 'a turn runs';
$host->signal('TERM');
ok wait_for(5, sub { !eval { $host->http(GET => '/health'); 1 } }), 'the server drains';
is calculate(), 'server is restarting; retry', 'no tool is called while the server drains';
is $ws->next(type => 'OUTPUT')->{result}, 'Slept 2500 ms.',
    'a turn ends well while the server drains';
$host->stop;
done_testing;
