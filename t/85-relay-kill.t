#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Workers of a relay die, or hang: their agents and clients are disconnected and come again,
# those of other workers notice nothing, and nobody gets a frame that is not for him.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use CoRelay;
use IO::Select;
use Sign qw(key_new);
use Test::More;

# An agent with a client: {key, agent, client, frame}.
sub pair {
	my ($relay, $n) = @_;
	my %p = (n => $n, key => key_new());
	return join_pair($relay, \%p);
}

sub join_pair {
	my ($relay, $p) = @_;
	$p->{agent} = $relay->agent(key => $p->{key}, summary => 'pair ' . rand);
	$p->{client} = $relay->client($p->{agent}, n => $p->{n});
	$p->{frame} = $p->{agent}->next_frame // {};
	return $p;
}

# Whether a frame goes there and back, with the right number.
sub talks {
	my ($p, $word) = @_;
	$p->{client}->send_json({ type => 'INPUT', n => $p->{n}, word => $word });
	my $frame = $p->{agent}->next_frame // {};
	return 0 if ($frame->{n} // '') ne $p->{n} || $frame->{word} ne $word
	    || $frame->{conn_id} ne $p->{frame}{conn_id};
	$p->{agent}->answer($frame, type => 'OUTPUT', n => $p->{n}, word => $word);
	my $answer = $p->{client}->next_frame // {};
	return ($answer->{n} // '') eq $p->{n} && $answer->{word} eq $word;
}

sub is_cut {
	my ($p) = @_;
	return IO::Select->new($p->{agent}->socket)->can_read(0)
	    && !defined $p->{agent}->next_text(1) && defined $p->{agent}->closed;
}

for my $workers (1, 4) {
	my $relay = CoRelay->start(workers => $workers, args => ['-o', 'limit_announces=1000']);
	my @pairs = map { pair($relay, $_) } 1 .. 12;
	is_deeply [map { $_->{frame}{n} } @pairs], [1 .. 12], "-w $workers: each client gets to its agent";
	for my $round (1 .. 3) {
		my $restarts = $relay->counter('restarts_total');
		$relay->kill_worker;
		ok wait_for(10, sub { eval { $relay->counter('restarts_total') } > $restarts }),
		    "-w $workers, round $round: a worker that was killed is replaced";
		my @cut = grep { is_cut($_) } @pairs;
		my %is_cut = map { $_->{n} => 1 } @cut;
		my @rest = grep { !$is_cut{ $_->{n} } } @pairs;
		ok wait_for(10, sub { $relay->health->{agents} == @rest }),
		    "-w $workers, round $round: agents of the dead worker are not listed any more";
		is scalar(grep { $_->{client}->wait_close // 0 } @cut), scalar @cut,
		    "-w $workers, round $round: their clients are disconnected";
		is scalar(grep { talks($_, "round $round") } @rest), scalar @rest,
		    "-w $workers, round $round: agents and clients of other workers go on";
		join_pair($relay, $_) for @cut;
		is scalar(grep { $_->{frame}{n} == $_->{n} && talks($_, "again $round") } @pairs), 12,
		    "-w $workers, round $round: all find each other again";
	}
	is $relay->counter('stray_frames_total'), 0, "-w $workers: no frame went astray";
	is $relay->http(GET => '/api/agents/' . $_->{key}{address})->{json}{online}, JSON::PP::true,
	    "-w $workers: the directory survives the death of workers" for $pairs[0];
	$relay->stop;
}

# One that hangs: those at other workers are served, and it is killed in the end.
my $relay = CoRelay->start(workers => 4, args => ['-o', 'hang_timeout=3']);
my ($stopped) = $relay->workers;
kill STOP => $stopped;
ok wait_for(20, sub { !kill 0, $stopped }), 'a worker that hangs is killed';
ok wait_for(10, sub { $relay->workers == 4 }), 'a worker that hung is replaced';
ok talks(pair($relay, 1), 'x'), 'the relay serves after a worker hung';
$relay->stop;
done_testing;
