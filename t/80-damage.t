#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Bits of the store change while the server is stopped: each damaged row costs itself
# only, and clients are told what cannot be read.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for write_file);
use Test::More;

my $host = CoHost->start;
my %first;

sub play {
	my ($id, $prompt) = @_;
	my $ws = $host->ws(session => { session_id => $id });
	my @all = $ws->turn($prompt);
	is $all[-1]{type}, 'OUTPUT', "$id: its turn ends";
	($first{$id}) = grep { $_->{id} } @all;
}
play('middle', 'stream 7 1');
play('ending', 'echo needle-ending');
play('next', 'echo needle-next');
play('next', 'echo second');
play('needle-id', 'echo mine');
play('other', 'echo not-yours');
is $host->input('echo named', input_id => 'n', session => { session_id => 'named' })->{status},
    200, 'an input with a name has run';
my ($epoch) = $host->http(GET => '/sessions/middle/events?from=0')->{body} =~ /^id: (\d+)-/m;
$host->stop;

# Change what matches the pattern: the code is given each match and returns another.
sub change {
	my ($file, $what, $pattern, $other) = @_;
	my $path = $host->dir . "/.co/store/$file";
	my $text = read_file($path);
	my $n = $text =~ s/$pattern/$other->()/ges;
	ok $n, "a bit changes in $what";
	write_file($path, $text);
}
change('journal.mdb', 'an event', qr/"i":4\b/, sub { '"i":5' });
change('journal.mdb', 'the end of a turn', qr/"result":"needle-ending/,
	sub { '"result":"needle-endinG' });
change('journal.mdb', 'the end of a turn that is not the last', qr/"result":"needle-next/,
	sub { '"result":"needle-nexT' });
change('facts.mdb', 'an id', qr/needle-id(\0{7})(.)/,
	sub { "needle-id$1" . chr(ord($2) ^ 3) });

# While the server has it open, which sees it at once.
sub change_in_place {
	my ($path, $from, $to) = @_;
	my $text = read_file($path);
	open my $f, '+<', $path or die "$path: $!";
	my $n = 0;
	for (my $at = 0; ($at = index($text, $from, $at)) >= 0; $at++) {
		sysseek $f, $at, 0 or die "$path: $!";
		syswrite($f, $to) == length $to or die "$path: $!";
		$n++;
	}
	close $f or die "$path: $!";
	ok $n, "$from changes while the server runs";
	return;
}

# All pages with this text become zeros, in place.
sub zero_pages {
	my ($path, $what) = @_;
	my $text = read_file($path);
	open my $f, '+<', $path or die "$path: $!";
	for (my $at = 2 * 4096; $at < length $text; $at += 4096) {
		next if substr($text, $at, 4096) !~ /\Q$what\E/;
		sysseek $f, $at, 0 or die "$path: $!";
		syswrite($f, "\0" x 4096) == 4096 or die "$path: $!";
	}
	close $f or die "$path: $!";
	return;
}

my $next = CoHost->start(dir => $host->dir);

# All events of a stream.
sub events {
	my ($id, $from) = @_;
	my $c = $next->client;
	$c->send(GET => "/sessions/$id/events?from=$from");
	is $c->head->{status}, 200, "$id: events are served";
	my @all;
	while (my $e = $c->event) { push @all, $e }
	return @all;
}

my @all = events('middle', 0);
my @types = map { $_->{type} } @all;
is scalar(grep { $_ eq 'reset' } @types), 1, 'a stream tells of the damaged event, once';
is $types[-1], 'done', 'a stream with a damaged event goes on to the end' or diag "@types";
my @ids = map { $_->{id} // () } @all;
is $ids[0], "$epoch-1", 'a stream with a damaged event stays in its epoch';
my $n_damaged = ($ids[-1] =~ /-(\d+)$/)[0] - @ids;

@all = events('ending', 0);
is scalar(grep { $_->{type} eq 'reset' } @all), 1, 'a damaged end is told in a stream';
is $all[-1]{json}{result} // $all[-1]{data}, 'needle-ending', 'a stream with a damaged end has the stored result';

sub come_back {
	my ($id) = @_;
	my $ws = $next->ws(session => { session_id => $id, last_msg_id => $first{$id}{id} });
	return $ws->settle;
}
@all = come_back('middle');
my ($reset) = grep { $_->{type} eq 'reset' } @all;
is $reset->{recovered}, JSON::PP::false, 'a WebSocket is told of a damaged event';
is $reset->{missed}, $n_damaged, 'a WebSocket is told how many events are damaged';
is $all[-1]{type}, 'OUTPUT', 'a WebSocket with a damaged event goes on to the end';
@all = come_back('ending');
is scalar(grep { $_->{type} eq 'reset' } @all), 1, 'a WebSocket is told of a damaged end';
is $all[-1]{type}, 'OUTPUT', 'a WebSocket with a damaged end gets an OUTPUT';
is $all[-1]{result}, 'needle-ending', 'a WebSocket with a damaged end gets the stored result';
my @again = grep { $_->{type} eq 'OUTPUT' } @all;
is scalar(@again), 1, 'a WebSocket with a damaged end gets one OUTPUT';
@all = events('next', 0);
is scalar(grep { $_->{type} eq 'reset' } @all), 1, 'a damaged end of an earlier turn is told';
is $all[-1]{json}{result} // $all[-1]{data}, 'second', 'the latest turn is whole';

# The damaged id: refused until the keeper has mended it, and never another's.
my %status;
my $mine = wait_for(20, sub {
	my $r = $next->http(GET => '/sessions/needle-id');
	$status{ $r->{status} }++;
	return $r->{status} == 200 && $r;
});
is_deeply [grep { $_ != 500 && $_ != 200 } keys %status], [],
    'a damaged id is an error, not another session';
is $mine && $mine->{json}{result}, 'mine', 'the keeper finds its session again';
is $next->http(GET => '/sessions/other')->{json}{result}, 'not-yours',
    'another session is not changed by damage';
is $next->input('echo named', input_id => 'n',
	session => { session_id => 'named' })->{json}{result}, 'named', 'names are remembered';
cmp_ok $next->metric('cohostd_corrupt_records_total'), '>=', 3, 'damage is counted';
like $next->words, qr/error .*damaged/, 'damage is logged as an error';
$next->stop;

# ---- the record of a session whose turn runs ----

$host = CoHost->start(workers => 1);
my $joins = $host->ws(session => { session_id => 'joins' });
$joins->send_json({ type => 'INPUT', prompt => 'ask needle-running' });
$joins->next(type => 'ask_user');
change_in_place($host->dir . '/.co/store/facts.mdb', 'needle-running', 'needle-runninG');
$joins->send_json({ type => 'INPUT', prompt => 'more' });
like $joins->next(type => 'ERROR')->{message}, qr/damaged/,
    'a prompt into a turn whose record is damaged is refused';
$joins->send_json({ type => 'ASK_USER_RESPONSE', answer => 'yes' });
is $joins->next(type => 'OUTPUT')->{result}, 'You answered: yes',
    'a turn with a damaged record goes on';
$host->stop;

# ---- a page of events while turns run ----

$host = CoHost->start(workers => 2);
$host->input("stream 60 1", session => { session_id => "page$_" }) for 1 .. 8;
$host->input('echo needle-live', session => { session_id => 'live' });
$host->input("stream 60 1", session => { session_id => "page$_" }) for 9 .. 12;
my @live = map { $host->ws(session => { session_id => 'live' }) } 1 .. 4;
my $sound = $host->ws(session => { session_id => 'page1' });
$live[0]->send_json({ type => 'INPUT', prompt => 'sleep 1500' });
$_->next(type => 'user_input') for @live;
$sound->send_json({ type => 'INPUT', prompt => 'sleep 1500' });
$sound->next(type => 'user_input');
zero_pages($host->dir . '/.co/store/journal.mdb', 'needle-live');
for my $n (0 .. $#live) {
	my ($reset, $end) = map { $live[$n]->next(type => $_, timeout => 10) } 'reset', 'OUTPUT';
	is $reset && $reset->{recovered}, JSON::PP::false, "client $n is told that events are lost";
	like $end && $end->{result}, qr/1500/,
	    "client $n gets the result of a turn with lost events";
}
like $sound->next(type => 'OUTPUT')->{result}, qr/1500/, 'turns without damage end as usual';
is $host->http(GET => '/sessions/live')->{json}{status}, 'done',
    'a turn with lost events does not run for ever';
$host->stop;

# ---- a whole page of events ----

$host = CoHost->start;
$host->input("stream 60 1", session => { session_id => "page$_" }) for 1 .. 8;
$host->input('echo needle-page', session => { session_id => 'torn' });
$host->input('echo sound', session => { session_id => 'sound' });
$host->input("stream 60 1", session => { session_id => "after$_" }) for 1 .. 4;
$host->stop;
zero_pages($host->dir . '/.co/store/journal.mdb', 'needle-page');
$next = CoHost->start(dir => $host->dir);
@all = events('torn', 0);
is scalar(grep { $_->{type} eq 'reset' } @all), 1, 'a stream tells of events in a page that is lost';
is $all[-1]{json}{result} // $all[-1]{data}, 'needle-page',
    'a stream with a lost page ends with the stored result';
my $ws = $next->ws(session => { session_id => 'torn', last_msg_id => 'unknown' });
@all = $ws->settle;
cmp_ok scalar(@all), '<', 10, 'a WebSocket is not kept reading';
is $next->http(GET => '/sessions/sound')->{json}{result}, 'sound',
    'other sessions are served beside a lost page';
my @told = $next->words =~ /journal\.mdb: MDB_CORRUPTED/g;
cmp_ok scalar(@told), '<', 50, 'the log is not flooded by a lost page';

# Nothing more can be written beside what is lost: the next start mends that.
for my $n (1, 2) {
	my $r = $next->input('echo more', session => { session_id => 'torn' });
	is $r->{status}, 500, "input $n beside what is lost is told that it failed";
	like $r->{body}, qr/is damaged/,
	    "input $n beside what is lost is told that the session is damaged";
}
ok wait_for(20, sub { $next->http(GET => '/sessions/torn')->{json}{status} ne 'running' }),
    'no turn runs for ever beside what is lost';
ok wait_for(20, sub { $next->words =~ /new journal begins with the next start/ }),
    'the log says how a journal with a lost page is mended';
is $next->input('echo new')->{json}{result}, 'new', 'new sessions are served meanwhile';
$next->stop('QUIT');
$next = CoHost->start(dir => $host->dir);
my $r = $next->input('echo again', session => { session_id => 'torn' });
is $r->{json}{result}, 'again', 'a session with a lost page takes inputs after a restart';
like $r->{body}, qr/needle-page.*again/, 'a session with a lost page keeps its conversation';
is_deeply [glob $host->dir . '/.co/store/*damaged*'], [], 'a restart leaves no damaged file behind';
$next->stop;
done_testing;
