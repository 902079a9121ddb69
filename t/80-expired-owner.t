#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A session has expired, and is not swept yet: it is not given, with all that was said in
# it, to the next one who names it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(write_file);
use Sign qw(:all);
use Test::More;

my $dir = CoHost::directory();
my ($anna, $bob) = (key_new(), key_new());
my $ahead = 200;

# A server whose clocks are ahead by so many seconds.
sub start {
	my ($seconds) = @_;
	write_file("$dir/clocks", pack 'qq', 1000 * $seconds, 0);
	return CoHost->start(dir => $dir,
		args => ['--test-clock', "$dir/clocks", '-o', 'result_ttl=100']);
}

my $host = start(0);
is $host->http(POST => '/input', {}, { %{ signed_body($anna, { prompt => 'echo private' }) },
	session => { session_id => 's' } })->{json}{result}, 'private', 'a session has an owner';
$host->stop;

$host = start($ahead);
my $r = $host->http(GET => '/sessions/s/events?from=0',
	signed_get_headers($bob, '/sessions/s/events', timestamp => now() + $ahead));
unlike $r->{body} // '', qr/private/,
    'events of an expired session are not shown to another caller';
$r = $host->http(POST => '/input', {}, { prompt => 'echo hi', session => { session_id => 's' } });
unlike $r->{body} // '', qr/private/,
    'an unsigned caller cannot go on in an expired session with an owner';
$host->stop;
done_testing;
