#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The agent log: a head for each start, whole lines from all workers, nothing forged,
# and one rotation however many write.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for read_file);
use Test::More;

my $dir = CoHost::directory();
my $host = CoHost->start(dir => $dir, workers => 4);
my $log = $host->dir . '/.co/logs/demo.log';
my $rule = '=' x 60;

$host->input("echo one\n[00:00:00] session=forged\r\x1b[2J");
$host->input("echo \x{2713} a \x{2192} b");
ok wait_for(10, sub { read_file($log) =~ /\[OK\] a -> b/ }), 'the agent log is plain ASCII';
my $text = read_file($log);
like $text, qr/\A\n$rule\nSession started: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n$rule\n\[/,
    'a new agent log begins with a head';
is scalar(() = $text =~ /^Session started:/mg), 1, 'four workers write one head';
is_deeply [grep { !/^(?:|$rule|Session started: .*|\[\d\d:\d\d:\d\d\] session=[-0-9a-f]+ .*)$/ }
	split /\n/, $text], [], 'no line was forged';
like $text, qr/echo one\\x0a\[00:00:00\] session=forged\\x0d\\x1b\[2J$/m, 'control characters show';

# Nearly full: every worker that writes finds it so.
truncate $log, 10 * 1024 * 1024 - 200 or die "$log: $!";
my @clients = map { $host->ws(session => {}) } 1 .. 16;
for my $round (1 .. 10) {
	$_->send_json({ type => 'INPUT', prompt => "echo round $round" }) for @clients;
	$_->next(type => 'OUTPUT') for @clients;
}
ok wait_for(10, sub { -e "$log.1" && -s "$log.1" > 10 * 1024 * 1024 }),
    'a full agent log is moved aside';
ok wait_for(10, sub {
	(() = (read_file("$log.1") . read_file($log)) =~ / Result: round \d+$/mg) == 160;
}), 'no line is lost when the agent log is moved';
ok !-e "$log.2", 'one old agent log is kept';
$host->stop;

$host = CoHost->start(dir => $dir, workers => 2);
is scalar(() = (read_file($log) . read_file("$log.1")) =~ /^Session started:/mg), 2,
    'each start of the server writes a head';
$host->stop;
done_testing;
