#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A project that the Python host served goes on with its results, and results move between
# projects by export and import.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for read_file write_file run program);
use JSON::PP qw(decode_json encode_json);
use Test::More;

my $now = time;
my $address = '0x' . 'ab' x 32;
sub line {
	my ($id, $status, %more) = @_;
	return encode_json({ session_id => $id, status => $status, prompt => "about $id",
		result => undef, session => undef, created => $now - 100.25,
		expires => $now + 1000, duration_ms => undef, revision => 2, %more }) . "\n";
}

my $talk = { session_id => 'done', turn => 2, iteration => 3, updated => $now,
	messages => [{ role => 'user', content => 'Hi' }, { role => 'assistant', content => 'Ho' }] };
my $left = line('done', 'running') . line('ran', 'running') .
    line('asked', 'waiting_approval', expires => $now + 86400) .
    line('old', 'done', result => 'x', expires => $now - 10) .
    line('owned', 'done', result => 'mine',
	session => { session_id => 'owned', requester => { address => $address } }) .
    line('failed', 'failed') . "{\"torn\n" .
    line('done', 'done', result => 'Ho', duration_ms => 7, session => $talk);

# ---- the first start ----

my $dir = CoHost::directory();
write_file("$dir/.co/session_results.jsonl", $left);
my $host = CoHost->start(dir => $dir, workers => 2, args => ['--trust', 'open']);
sub session { return $host->http(GET => "/sessions/$_[0]")->{json} }

is session('done')->{result}, 'Ho', 'a result written by the Python host is read';
is session('done')->{duration_ms}, 7, 'a result written by the Python host has its duration';
is session($_)->{status}, 'interrupted', "'$_' is read as interrupted" for qw(ran asked);
is session('failed')->{status}, 'failed', 'a failed result is read as failed';
is $host->http(GET => '/sessions/old')->{status}, 404, 'an expired result is not read';
isnt $host->http(GET => '/sessions/owned')->{status}, 200,
    'a result with an owner is hidden from others';
my $ws = $host->ws(session => { session_id => 'done' });
is $ws->connected->{session}{turn} // $ws->connected->{server_session}{turn} // 2, 2,
    'a conversation written by the Python host is read';
my $end = ($ws->turn('echo on'))[-1];
is $end->{result}, 'on', 'a session of the Python host takes an input';
is scalar(grep { ($_->{content} // '') =~ /^(?:Hi|Ho|echo on|on)$/ }
	@{ $end->{session}{messages} }), 4, 'a session of the Python host keeps its messages';
ok wait_for(10, sub {
	read_file("$dir/.co/session_results.jsonl") =~ /"ran","status":"interrupted"/;
}), 'sessions that were running are written as interrupted';

# ---- export ----

my $hostd = program('co-hostd');
my $out = run([$hostd, 'export', '-d', "$dir"]);
is $out->{status}, 0, 'export works while the server runs';
my %exported = map { my $r = decode_json($_); $r->{session_id} => $r } split /\n/, $out->{out};
is_deeply [sort keys %exported], [qw(asked done failed owned ran)], 'export writes all sessions';
is $exported{owned}{session}{requester}{address}, $address,
    'export writes the owners of sessions';
is run([$hostd, 'export', '-d', "$dir", "$dir/out.jsonl"])->{status}, 0,
    'export can write to a file';
is read_file("$dir/out.jsonl"), $out->{out}, 'export writes the same to a file';
is sprintf('%o', (stat "$dir/out.jsonl")[2] & 0777), '600', 'a file written by export is private';
my $refused = run([$hostd, 'import', '-d', "$dir", "$dir/out.jsonl"]);
isnt $refused->{status}, 0, 'import is refused while a server runs';
like $refused->{out}, qr/serves \S+ already/, 'the refusal of import names the running server';
$host->stop;

# ---- import ----

my $other = CoHost::directory();
my $in = run([$hostd, 'import', '-d', "$other", "$dir/out.jsonl"]);
is $in->{out}, "5 sessions added, 0 kept as they were, 0 expired\n",
    'import adds exported sessions';
$in = run([$hostd, 'import', '-d', "$other", "$dir/out.jsonl"]);
is $in->{out}, "0 sessions added, 5 kept as they were, 0 expired\n",
    'a second import adds nothing';
$host = CoHost->start(dir => $other, workers => 1, args => ['--trust', 'open']);
is session('done')->{result}, 'on', 'imported results can be read';
ok wait_for(10, sub { read_file("$other/.co/session_results.jsonl") =~ /"owned"/ }),
    'imported results are in the results file of the new project';
$host->stop;

# ---- lines that are no records ----

my $torn = read_file("$dir/out.jsonl");
my @lines = split /^/, $torn;
my $third = CoHost::directory();
write_file("$dir/torn.jsonl", join '', $lines[0], "\n", "not JSON\n", $lines[1],
	qq({"status":"done"}\n), qq({"session_id":"a\\u0000b","status":"done","created":9e9}\n),
	@lines[2 .. 3], substr $lines[4], 0, 30);
$in = run([$hostd, 'import', '-d', "$third", "$dir/torn.jsonl"]);
is $in->{status}, 1, 'an import that leaves lines out fails';
like $in->{out}, qr/^4 sessions added, /m, 'an import takes the good lines of a damaged file';
is_deeply [sort { $a <=> $b } $in->{out} =~ /line (\d+) is left out: it/g], [3, 5, 6, 9],
    'an import names each damaged line' or diag $in->{out};
like $in->{out}, qr/^co-hostd: \S+torn\.jsonl: 4 lines were left out/m,
    'an import counts the damaged lines';

for my $case (['import'], ['import', "$dir/none.jsonl"], ['import', 'a', 'b'],
	['export', 'a', 'b'], ['export', "$dir/none/x"]) {
	my $r = run([$hostd, @$case, '-d', "$other"]);
	isnt $r->{status}, 0, "'@$case' is refused";
	like $r->{out}, qr/^co-hostd: \S/, "the refusal of '@$case' has its reason";
}
done_testing;
