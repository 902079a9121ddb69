#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# HUP: a new generation with new settings, while the old one ends its turns.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file);
use Test::More;

my $host = CoHost->start(yaml => "name: first\n");
my @old = $host->workers;
my $yaml = $host->dir . '/.co/host.yaml';

my $ws = $host->ws(session => { session_id => 'over-the-reload' });
$ws->send_json({ type => 'INPUT', prompt => 'stream 40 50' });
ok $ws->next(type => 'tool_call'), 'a turn runs'; # step 0

write_file($yaml, "name: second\n");
$host->signal('HUP');
ok wait_for(10, sub {
	return $host->http(GET => '/health')->{json}{agent} eq 'second';
}), 'new requests see the new name';

# Its client may be asked to come again, and finds the turn where it left it.
my ($last_id, $end);
my @i = (0);
until ($end) {
	while (my $f = $ws->next(timeout => 10)) {
		$last_id = $f->{id} if $f->{id};
		push @i, $f->{args}{i} if $f->{type} eq 'tool_call';
		$end = $f if $f->{type} =~ /OUTPUT|ERROR/;
		last if $end;
	}
	last if $end || !defined $ws->closed;
	$ws = $host->ws(session => {
		session_id => 'over-the-reload', last_msg_id => $last_id });
}
is $end->{result}, 'Streamed 40 steps.', 'the turn of the old generation ends well';
is_deeply \@i, [0 .. 39], 'no step of the turn was lost over the reload';
$ws->close;

my %old = map { $_ => 1 } @old;
ok wait_for(40, sub {
	my @now = $host->workers;
	return @now == 4 && !grep { $old{$_} } @now;
}), 'the old generation ends after its last turn';

write_file($yaml, "name: third\nport: nowhere\n");
$host->signal('HUP');
ok wait_for(10, sub { $host->words =~ /host\.yaml.*2.*port/ }),
    'wrong settings are told in the log';
is $host->http(GET => '/health')->{json}{agent}, 'second',
    'wrong settings in a reload change nothing';
is scalar($host->workers), 4, 'the running generation survives wrong settings';

write_file($yaml, "name: fourth\nagent: 'exec: '\n");
$host->signal('HUP');
ok wait_for(10, sub { $host->words =~ /reload: .*agent must be demo, exec:/ }),
    'an invalid agent in a reload is reported in the log';
is $host->http(GET => '/health')->{json}{agent}, 'second',
    'an invalid agent in a reload changes nothing';

write_file($yaml, "name: fifth\nstore_size: 128\n");
$host->signal('HUP');
ok wait_for(10, sub {
	$host->words =~ /reload: store_size cannot change while running; .* until a restart/ }),
    'a setting that only a restart changes is told as that';
$host->stop;
done_testing;
