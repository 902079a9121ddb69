#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Each line of shell that the host() document gives for session_results.jsonl, as it stands
# there, in the project's folder of a server that runs.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for read_file run);
use JSON::PP qw(decode_json);
use Test::More;

my $host = CoHost->start(workers => 2);
my $file = $host->dir . '/.co/session_results.jsonl';
my $id = '550e8400-e29b-41d4-a716-446655440000';

sub shell { return run(['sh', '-c', $_[0]], dir => $host->dir) }
sub lines { return split /\n/, $_[0] }
sub has_line { my ($re) = @_; return wait_for(10, sub { read_file($file) =~ $re }) }

my $long = $host->ws(session => { session_id => 'sleeper' });
$long->send_json({ type => 'INPUT', prompt => 'sleep 60000' });
$long->next(type => 'user_input');
is $host->input('echo Hola', session => { session_id => $id })->{json}{result}, 'Hola',
    'a session ends before the results are searched';
ok has_line(qr/"session_id":"$id","status":"done"/), 'a done session has a line in the results';
ok has_line(qr/"session_id":"sleeper","status":"running"/),
    'a running session has a line in the results';

# See all results
my $r = shell('cat .co/session_results.jsonl');
is $r->{status}, 0, 'cat reads the results';
my @all = map { decode_json($_) } lines($r->{out});
is scalar(@all), 3, 'the results have a line for each change';
is_deeply [sort keys %$_],
    [qw(created duration_ms expires prompt result session session_id status)],
    'each line of the results has the fields of the document' for @all;
my ($begun, $done) = grep { $_->{session_id} eq $id } @all;
is "$begun->{status} $done->{status}", 'running done',
    'a session has lines for its start and its end';
is $begun->{$_}, $done->{$_},
    "both lines of a session have the same $_" for qw(created expires prompt);
cmp_ok abs($done->{expires} - $done->{created} - 86400), '<', 0.001,
    'a result expires after result_ttl';

# Find specific session
$r = shell('grep "550e8400" .co/session_results.jsonl | tail -1');
is decode_json($r->{out})->{result}, 'Hola',
    'grep for the id with tail -1 prints the last line of a session';
$r = shell('grep "550e8400" .co/session_results.jsonl');
is scalar(lines($r->{out})), 2, 'grep for the id finds both lines of a session';

# See running sessions
$r = shell(q{grep '"status":"running"' .co/session_results.jsonl});
is_deeply [map { decode_json($_)->{session_id} } lines($r->{out})], ['sleeper', $id],
    'grep for the status finds the running sessions';

# Pretty print
SKIP: {
	skip 'no jq here', 3 if run(['jq', '--version'])->{status} != 0;
	$r = shell('cat .co/session_results.jsonl | jq .');
	is $r->{status}, 0, 'jq reads the results';
	like $r->{out}, qr/^\s+"result": "Hola",$/m, 'jq prints a result';
	$r = shell(q{jq -r 'select(.status=="done") | .session_id' .co/session_results.jsonl});
	is $r->{out}, "$id\n", 'jq can choose';
}

is sprintf('%o', (stat $file)[2] & 0777), '600', 'the file is for its owner alone';
$long->close;
$host->stop('QUIT');
done_testing;
