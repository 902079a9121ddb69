#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The access log, and the form and level of the log.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for);
use JSON::PP ();
use Sign qw(:all);
use Test::More;

my $host = CoHost->start(workers => 2, args => ['-o', 'access_log=access.log'],
	yaml => "name: clerk\ntrust: open\n");
my $dir = $host->dir;
my $log = "$dir/access.log";
my $key = key_new();

# The lines that match, once there are so many of them.
sub lines {
	my ($re, $n, $file) = @_;
	my @found;
	wait_for(5, sub {
		@found = grep { $_ =~ $re } split /\n/, read_file($file // $log);
		return @found >= ($n // 1);
	});
	return @found;
}

# ---- lines ----

$host->http(GET => '/health?key=hidden-query');
my ($line) = lines(qr{ /health });
like $line, qr{^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z 127\.0\.0\.1 - GET /health 200 in=0 out=\d+ ms=\d+\.\d{3} route=/health worker=\d id=-$},
    'a request is a line with its time, peer, path, status, bytes and duration';
$host->http(POST => '/input', {}, { prompt => 'echo hidden-prompt' });
($line) = lines(qr{ POST /input });
like $line, qr/ 200 in=[1-9]\d+ out=[1-9]\d+ /, 'bodies are counted in both directions';
$host->http(GET => '/nowhere%20at"all');
($line) = lines(qr{ /nowhere});
like $line, qr{ GET /nowhere%20at%22all 404 .* route=- }, 'a path is escaped, and may match no route';

my $trace = '0af7651916cd43dd8448eb211c80319c';
$host->http(GET => '/health', { traceparent => "00-$trace-b7ad6b7169203331-01" });
ok lines(qr/ id=$trace$/), 'the trace id of a traceparent is the id of the line';
$host->http(GET => '/health', { 'x-request-id' => 'nginx-17' });
ok lines(qr/ id=nginx-17$/), 'the request id of a proxy is the id of the line';
$host->http(GET => '/livez', { traceparent => "00-$trace-x", 'x-request-id' => 'a b' });
like((lines(qr{ /livez }))[0], qr/ id=-$/, 'an id that is none is left out');

my $sign = signed_body($key, { prompt => 'echo x' });
$host->http(POST => '/input', {}, $sign);
ok lines(qr{ $key->{address} POST /input }), 'a caller that has signed is named';

my $ws = $host->ws(session => {});
$ws->send_json({ type => 'INPUT', prompt => 'echo through the socket' });
ok lines(qr{ GET /ws 101 }), 'the upgrade of a WebSocket is a line';
$ws->close;
($line) = lines(qr{ SOCKET /ws 101 });
like $line, qr/ in=[1-9]\d+ out=[1-9]\d+ ms=\d/, 'the life of a WebSocket is a line with its bytes';

my $text = read_file($log);
unlike $text, qr/hidden/, 'no query and no prompt is in the log';
is sprintf('%o', (stat $log)[2] & 0777), '640', 'other users cannot read the access log';
cmp_ok $host->metric('cohostd_access_lines_total'), '>=', 8, 'lines are counted';
is $host->metric('cohostd_access_lines_lost_total'), 0, 'no line was lost';

# ---- rotation ----

my $served = 0;
for my $round (1 .. 3) {
	$host->http(GET => '/livez', { 'x-request-id' => 'r' . $served++ }) for 1 .. 20;
	rename $log, "$log.$round" or die;
	$host->signal('USR1');
	$host->http(GET => '/livez', { 'x-request-id' => 'r' . $served++ }) for 1 .. 20;
	ok wait_for(5, sub { -e $log }), "rotation $round: the file is made again";
}
my %seen;
wait_for(5, sub {
	%seen = ();
	$seen{$_}++ for join('', map { read_file($_) } $log, map { "$log.$_" } 1 .. 3) =~ / id=(r\d+)$/gm;
	return keys %seen == $served;
});
is scalar(keys %seen), $served, 'no line is lost by rotation';
is_deeply [grep { $_ != 1 } values %seen], [], 'no line is written twice';
$host->stop;

# ---- JSON, and a level ----

my $other = CoHost->start(workers => 1, args => [map { ('-o', $_) }
		"access_log=$dir/json.log", 'log_format=json', 'log_level=warn'],
	yaml => "trust: open\nname: clerk\nunknown_key: 1\n");
$other->http(GET => '/health');
($line) = lines(qr/health/, 1, "$dir/json.log");
my $object = eval { JSON::PP->new->decode($line) };
is_deeply [@$object{qw(peer who method path status route id)}],
    ['127.0.0.1', '-', 'GET', '/health', 200, '/health', '-'], 'with log_format: json, a line is an object';
my ($pid) = $other->workers;
kill KILL => $pid;
my @json;
ok wait_for(5, sub {
	@json = map { eval { JSON::PP->new->decode($_) } // () } split /\n/, $other->words;
	return grep { ($_->{text} // '') =~ /Killed/ } @json;
}), 'with log_format: json, lines of the log are objects' or diag $other->words;
ok !(grep { $_->{level} eq 'info' } @json), 'with log_level: warn, no line of the level info is logged';
$other->stop;

# ---- a file that cannot be written ----

my $full = CoHost->start(workers => 1, yaml => "trust: open\n",
	args => ['-o', 'access_log=/dev/full']);
is $full->http(GET => '/health')->{status}, 200, 'a server goes on while the disk of the log is full'
    for 1 .. 5;
ok wait_for(5, sub { $full->metric('cohostd_access_lines_lost_total') >= 5 }),
    'lines that cannot be written are counted';
$full->stop;
my $gone = CoHost->start(workers => 1, yaml => "trust: open\n",
	args => ['-o', "access_log=$dir/gone/access.log"]);
is $gone->http(GET => '/health')->{status}, 200, 'a server goes on without the folder of the log';
ok wait_for(5, sub {
	$gone->words =~ m{access_log=\S+/gone/access\.log: cannot be opened: No such file};
}), 'a log that cannot be opened is told';
mkdir "$dir/gone";
$gone->signal('USR1');
ok wait_for(5, sub {
	$gone->http(GET => '/health');
	return -s "$dir/gone/access.log";
}), 'the log is opened again when its folder is there';
$gone->stop;
done_testing;
