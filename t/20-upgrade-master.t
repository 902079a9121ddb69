#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# USR2: the program that is on disk takes over with a new master, on the same listener and
# with the same sessions. No connection is refused, no event is lost, and a program that
# does not serve changes nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(copy_programs program read_file wait_for write_file);
use File::Copy qw(copy);
use Test::More;

my $dir = CoHost::directory(yaml => "drain_timeout: 20\n");
my $bin = "$dir/bin";
mkdir $bin or die "$bin: $!";
copy_programs($bin);
my $yaml = "$dir/.co/host.yaml";
my $pid_file = "$dir/pid";

# Put a program in the place of $bin/co-hostd, as an upgrade does.
sub install {
	my ($from) = @_;
	copy($from, "$bin/co-hostd.new") or die "$from: $!";
	chmod 0755, "$bin/co-hostd.new" or die "$bin/co-hostd.new: $!";
	rename "$bin/co-hostd.new", "$bin/co-hostd" or die "$bin/co-hostd: $!";
}

sub pid_in { return read_file($_[0]) =~ /^(\d+)\n\z/ ? $1 : '' }

my $good = program('co-hostd');
local $ENV{TOP_BUILDDIR} = $bin;
my $host = CoHost->start(dir => "$dir", workers => 4, args => ['--pid-file', $pid_file]);
my $first = $host->pid;
my @old = $host->workers;
is pid_in($pid_file), $first, 'the pid file names the master';

# ---- a program that does not serve ----

write_file("$bin/broken", "#!/bin/sh\nexit 3\n");
install("$bin/broken");
$host->signal('USR2');
ok wait_for(20, sub { $host->words =~ /upgrade: \S+ did not take over \(exit 3\); still serving/ }),
    'a program that ends at once is reported, with its status';
is pid_in($pid_file), $first, 'the pid file names the old master again after a failed upgrade';
ok !-e "$pid_file.oldbin", 'a failed upgrade leaves no second pid file';
is_deeply [sort $host->workers], [sort @old], 'a failed upgrade leaves the workers alone';

install($good);
write_file($yaml, "port: nowhere\n");
$host->signal('USR2');
ok wait_for(20, sub { $host->words =~ /did not take over \(.*host\.yaml line 1: port.*\); still/ }),
    'wrong settings of an upgrade are reported with their line';
is $host->http(GET => '/health')->{status}, 200, 'the server goes on after upgrades that failed';

# ---- a stop meanwhile ----

{
	my $slow = CoHost->start(workers => 1);
	write_file("$bin/slow", "#!/bin/sh\nexec sleep 600\n");
	install("$bin/slow");
	$slow->signal('USR2');
	ok wait_for(20, sub { $slow->words =~ /upgrade: started/ }), 'a program that never serves is started';
	my ($heir) = $slow->words =~ /upgrade: started \S+ as process (\d+)/;
	$slow->stop('QUIT');
	ok !kill(0, $heir), 'a server that stops during an upgrade leaves no process of the new program';
	install($good);
}

# ---- one that does ----

write_file($yaml, "drain_timeout: 20\nname: second\nmax_sessions: 500\n");
my @streams = map {
	{ id => "upgrade-$_", i => [] }
} 1 .. 8;

# Connect, or connect again with what was seen last.
sub come {
	my ($s) = @_;
	my %hello = (session_id => $s->{id});
	$hello{last_msg_id} = $s->{seen} if $s->{seen};
	$s->{ws} = $host->ws(session => \%hello);
	return;
}

for my $s (@streams) {
	come($s);
	$s->{ws}->send_json({ type => 'INPUT', prompt => 'stream 60 50' });
}
my $step = $streams[0]{ws}->next(type => 'tool_call');
ok $step, 'a turn runs';
$streams[0]{seen} = $step->{id};
push @{ $streams[0]{i} }, $step->{args}{i};

$host->signal('USR2');
ok wait_for(10, sub { $host->words =~ /upgrade: started/ }), 'the new program is started';
ok wait_for(10, sub { -e "$pid_file.oldbin" }), 'the pid file of the old master is put aside';
kill USR2 => $first;
ok wait_for(10, sub { $host->words =~ /upgrade: refused: / }),
    'a second upgrade at the same time is refused';
my ($asked, $failed) = (0, 0);
ok wait_for(30, sub {
	$asked++;
	my $r = eval { $host->http(GET => '/health') };
	$failed++ unless $r && $r->{status} == 200;
	return $host->words =~ /upgrade: process \d+ is the master now/;
}), 'the new program takes over';
is $failed, 0, "no request failed during the upgrade";
diag "$asked requests";
my ($second) = $host->words =~ /upgrade: process (\d+) is the master now/;
is pid_in($pid_file), $second, 'the pid file names the new master';
is pid_in("$pid_file.oldbin"), $first, 'FILE.oldbin names the old master while it drains';
is $host->http(GET => '/health')->{json}{agent}, 'second', 'the new program has the new settings';
like $host->words, qr/max_sessions cannot change while running/,
    'settings that need a restart stay over an upgrade';

for my $s (@streams) {
	until ($s->{end}) {
		while (my $f = $s->{ws}->next(timeout => 10)) {
			$s->{seen} = $f->{id} if $f->{id};
			push @{ $s->{i} }, $f->{args}{i} if $f->{type} eq 'tool_call';
			$s->{end} = $f if $f->{type} =~ /OUTPUT|ERROR/;
			last if $s->{end};
		}
		last if $s->{end} || !defined $s->{ws}->closed;
		come($s);
	}
}
is scalar(grep { ($_->{end}{result} // '') eq 'Streamed 60 steps.' } @streams), 8,
    'every turn that ran during the upgrade ends well';
is_deeply [map { "@{ $_->{i} }" } @streams], [("@{[0 .. 59]}") x 8],
    'every client gets each event of its turn once and in order over the upgrade';

$_->{ws}->close for @streams;
is $host->wait_exit(40), 0, 'the old master ends with status 0';
ok !-e "$pid_file.oldbin", 'FILE.oldbin is gone with the old master';
$host->adopt($second);
is scalar($host->workers), 4, 'the new master has its workers';
is $host->input('echo upgraded')->{json}{result}, 'upgraded', 'the new program takes inputs';

# ---- deaths while the old master drains ----

sub hold_turn {
	my ($id) = @_;
	my $ws = $host->ws(session => { session_id => $id });
	$ws->send_json({ type => 'INPUT', prompt => 'stream 60 100' });
	$ws->next(type => 'tool_call');
	return $ws;
}

sub upgrade {
	my $n = () = $host->words =~ /is the master now/g;
	$host->signal('USR2');
	my @all;
	wait_for(30, sub {
		@all = $host->words =~ /upgrade: process (\d+) is the master now/g;
		return @all > $n;
	});
	return $all[-1];
}

my $ws = hold_turn('new-dies');
my $third = upgrade();
isnt $third, $second, 'a program that came by an upgrade can be upgraded';
kill KILL => $third;
ok wait_for(20, sub { $host->words =~ /the new master ended .* this one serves again/ }),
    'the old master notices that the new one died while it drained';
ok wait_for(20, sub { pid_in($pid_file) eq $second }), 'the pid file names the old master again when the new one died';
ok wait_for(20, sub { scalar($host->workers) >= 4
	&& eval { $host->input('echo back')->{json}{result} eq 'back' } }),
    'the old master serves again when the new one died';
ok wait_for(20, sub { $host->words =~ /this one serves again(?s:.*)generation \d+ serves/ }),
    'the generation that the old master started is complete';

$ws = hold_turn('old-dies');
my $fourth = upgrade();
isnt $fourth, $third, 'the old master can be upgraded again after the new one died';
kill KILL => $second;
$host->adopt($fourth);
my $record;
ok wait_for(30, sub {
	$record = $host->http(GET => '/sessions/old-dies')->{json};
	return ($record->{status} // '') ne 'running';
}), 'a turn of the old master ends when that is killed';
is $record->{result} // $record->{status}, 'Streamed 60 steps.',
    'the new workers take over the turns of an old master that is killed';
ok wait_for(20, sub { $host->metric('cohostd_workers') == 4 }),
    'the slots of an old master that is killed are free again';
$host->stop;
ok !-e $pid_file, 'the pid file is gone with the last master';
done_testing;
