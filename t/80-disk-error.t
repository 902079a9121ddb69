#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The disk fails in the moment of a commit. The worker goes at once, another takes its
# turns over, and no input is told to be tried again that was taken.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Fault;
use POSIX qw(EIO);
use SIO;
use Test::More;

my $dir = CoHost::directory();
my $disk = Fault->new($dir);
my $host = CoHost->start(dir => $dir, workers => 2, env => { $disk->env });
is $host->input('echo before')->{json}{result}, 'before', 'the disk is sound';

# One input, sent until it has an answer that is final, as a client does.
sub insist {
	my ($k, $prompt) = @_;
	my $r;
	for my $try (1 .. 200) {
		$r = eval { $host->http(POST => '/input', {}, { prompt => $prompt // "echo $k",
			input_id => $k, session => { session_id => "s-$k" } }) };
		last if $r && ($r->{status} // 0) =~ /^[245]/ && !$r->{json}{data}{retryable};
		select undef, undef, undef, 0.05;
	}
	return $r;
}

my %kinds = (
	'a meta page is not written' => { meta => EIO, left => 2 },
	'a meta page is written, and the disk says it is not' =>
	    { meta => EIO, left => 2, is_done => 1 },
	'a meta page is not written, and put right' => { meta => EIO, left => 1 },
);
my $n = 0;
for my $file (qw(facts.mdb journal.mdb)) {
	for my $kind (sort keys %kinds) {
		my $what = "$file: $kind";
		my %before = $host->children;
		my $key = 'k' . ++$n;
		$disk->fail($file, %{ $kinds{$kind} });
		my $r = insist($key);
		is $disk->left, 0, "$what: the failure happened";
		ok wait_for(10, sub {
			my %now = $host->children;
			return grep { !$now{$_} } keys %before;
		}), "$what: a process went";
		is $r->{json}{result}, $key, "$what: the input has its result";
		is scalar(ends("s-$key")), 1, "$what: its turn has one end";
	}
}

sub ends {
	my ($id) = @_;
	my $c = $host->client;
	$c->send(GET => "/sessions/$id/events?from=0");
	$c->head;
	my @ends;
	while (my $e = $c->event) {
		push @ends, $e if $e->{type} =~ /^(?:done|failed)$/;
	}
	return @ends;
}

# Data that cannot be written or synced is not there: that may be tried again.
for my $kind ({ data => EIO }, { sync => EIO }) {
	my ($word) = keys %$kind;
	my %before = $host->children;
	my $key = 'k' . ++$n;
	$disk->fail('facts.mdb', %$kind);
	my $r = $host->input("echo $key", input_id => $key, session => { session_id => $key });
	is $r->{status}, 503, "$word fails: the input is refused";
	is $r->{json}{data}{retryable}, JSON::PP::true, "$word fails: the refusal is retryable";
	is $host->http(GET => "/sessions/$key")->{status}, 404,
	    "$word fails: the input leaves no record";
	$disk->heal;
	is insist($key)->{json}{result}, $key, "$word fails: the input runs once the disk works";
	is scalar(grep { $host->{pid} && !$before{$_} } keys %{ { $host->children } }), 0,
	    "$word fails: nobody goes";
}
# What the store says of its files is for the log.
$disk->fail('facts.mdb', data => EIO);
my $c = SIO->websocket($host, conversation_id => 'socketio');
$c->connect;
$c->emit(oh_user_action => { type => 'message', message => 'echo lost' });
my $refusal = $c->event(sub { $_[0]{error} });
unlike $refusal->{message}, qr/mdb|Input\/output/, 'a client of Socket.IO is told of no file of the store';
$disk->heal;
is $host->metric('cohostd_runs'), 0, 'no turn is left running';
like $host->words, qr/a commit could not be completed on disk/,
    'the log says that a commit could not be finished';
$host->stop;
done_testing;
