#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What admins watch over HTTP: snapshots once a second, and the lines of the log.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Sign qw(:all);
use Test::More;

my $host = CoHost->start(workers => 2, yaml => "name: clerk\ntrust: open\n",
	args => ['-o', 'drain_timeout=1']);
my $own = key_of($host);
my $stranger = key_new();
# A signature of a path and a second counts once: each gets an older second.
my $signed_at = now();

# Opens a stream as this key; returns the client and the head of the reply.
sub watch {
	my ($key, $target, %headers) = @_;
	my $timeout = delete $headers{timeout} // 5;
	my $path = $target =~ s/\?.*//r;
	my $client = $host->client;
	$client->send(GET => $target,
		{ %headers, %{ signed_get_headers($key, $path, timestamp => $signed_at--) } });
	return ($client, $client->head($timeout));
}

# ---- who may watch ----

is $host->http(GET => '/admin/live')->{status}, 401, 'a request without a signature sees nothing';
is $host->http(GET => '/admin/live', { authorization => 'Bearer any' })->{status}, 401,
    'a bearer token opens no stream';
my (undef, $refused) = watch($stranger, '/admin/live');
is $refused->{status}, 403, 'a caller that is no admin sees no snapshot';
(undef, $refused) = watch($stranger, '/admin/logs/tail');
is $refused->{status}, 403, 'a caller that is no admin sees no log';

# ---- snapshots ----

my $ws = $host->ws(session => {});
$ws->send_json({ type => 'INPUT', prompt => 'sleep 60000' });
ok wait_for(5, sub { $host->metric('cohostd_inputs_accepted_total') == 1 }), 'a turn runs';

my ($live, $head) = watch($own, '/admin/live');
is $head->{status}, 200, 'the owner of the server sees snapshots';
like $head->{header}{'content-type'}, qr{^text/event-stream}, 'snapshots are an event stream';
my $first = $live->event(5);
is $first->{type}, 'snapshot', 'the first snapshot comes at once';
my $s = $first->{json};
is $s->{version}, 1, 'a snapshot has the version of its form';
is $s->{server}{state}, 'ok', 'a server whose processes all move is ok'
    or diag explain $s->{server};
is $s->{server}{pid}, $host->pid, 'a snapshot names the master';
my @workers = grep { $_->{kind} eq 'worker' } @{ $s->{processes} };
is_deeply [sort map { $_->{pid} } @workers], [sort $host->workers],
    'a snapshot has all workers';
is scalar(grep { $_->{state} eq 'serving' && $_->{health} eq 'ok' } @workers), 2,
    'workers that serve are told as serving';
cmp_ok $_->{memory_bytes}, '>', 1e6, 'the memory of a worker is told' for @workers;
my ($running) = @{ $s->{sessions}{list} };
is $running->{state}, 'running', 'a session with a turn is running'
    or diag explain $s->{sessions};
my ($owner) = grep { $_->{slot} == $running->{worker} } @workers;
is $owner->{turns}, 1, 'a session names the worker that runs its turn';
is $s->{totals}{inputs_accepted_total}, 1, 'counters are summed over all workers';
ok $running->{last_event}, 'a session names its last event';

my $second = $live->event(5);
cmp_ok $second->{json}{taken_ms}, '>', $s->{taken_ms}, 'a later snapshot follows by itself';

# ---- a worker that is stopped ----

my $held = $owner->{pid};
kill STOP => $held;
ok wait_for(10, sub {
	# One that the stopped worker has accepted is not answered.
	my ($client, $h) = watch($own, '/admin/live', timeout => 0.3);
	return 0 unless $h && $h->{status} == 200;
	my $e = $client->event(3) or return 0;
	my ($p) = grep { $_->{pid} == $held } @{ $e->{json}{processes} };
	return $p->{health} eq 'stopped' && $e->{json}{server}{state} eq 'degraded';
}), 'another worker tells that one is stopped';
kill CONT => $held;

# ---- the log ----

my ($tail, $tail_head) = watch($own, '/admin/logs/tail');
is $tail_head->{status}, 200, 'the owner of the server sees the log';
my $line = $tail->event(5);
is $line->{type}, 'log', 'the lines before the present come first';
like $line->{json}{level}, qr/^(?:info|warn)$/, 'a line has a level';
ok defined $line->{json}{text} && $line->{json}{process} && $line->{json}{pid},
    'a line has a text, the name of its process and its pid';
my @seen = $line->{json}{text};
$host->signal('USR1');
ok wait_for(5, sub {
	my $e = $tail->event(3) or return 0;
	push @seen, $e->{json}{text};
	return $e->{json}{text} =~ /logs reopened/;
}), 'a line that is logged meanwhile follows' or diag join "\n", @seen;
my (undef, $bad) = watch($own, '/admin/logs/tail?level=loud');
is $bad->{status}, 400, 'a level that does not exist is refused';
my ($resumed) = watch($own, '/admin/logs/tail', 'last-event-id' => $line->{id});
is $resumed->event(5)->{json}{number}, $line->{json}{number} + 1,
    'a client that comes back goes on after the last line it has';

# ---- settings ----

my $settings = $host->http(GET => '/admin/settings',
	signed_get_headers($own, '/admin/settings', timestamp => $signed_at--));
is $settings->{status}, 200, 'the owner of the server sees its settings';
is $settings->{json}{file}, "$host->{dir}/.co/host.yaml", 'the settings name their file';
my %setting = map { $_->{key} => $_ } @{ $settings->{json}{settings} };
is_deeply [@{ $setting{name} }{qw(value origin)}], ['clerk', 'file'],
    'a setting of host.yaml is told as one';
like $setting{name}{where}, qr/host\.yaml line 1$/, 'the line of a setting is told';
is_deeply [@{ $setting{drain_timeout} }{qw(value default origin where)}],
    [1, 30, 'option', 'option -o'], 'a setting of an option is told as one';
is $setting{max_runs}{origin}, 'default', 'a default is told as one';

# ---- limits ----

my @many;
while (@many < 40) {
	my ($client, $h) = watch($own, '/admin/live');
	push @many, $client;
	last if $h->{status} == 503;
}
cmp_ok scalar(@many), '<=', 33, 'a worker has 16 streams at most';
@many = ();
$host->stop;
done_testing;
