# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package OnsStory;

# Real wrappers and dashboards of Onsembl while workers are killed: each dashboard runs one
# command after the other, whose lines are numbered, and comes back when its worker has died.
#
#   my $r = OnsStory::run($host, wrappers => 5, dashboards => 3, seconds => 8, kill_every => 5);
#   $r->{problems} is empty if each line came once, in order, to its dashboard only, and each
#   command ran once.
use strict;
use warnings;

use CoHost qw(read_file wait_for);
use Onsembl;
use Time::HiRes qw(sleep time);
use Wrapper;

# Options: wrappers, dashboards, seconds, kill_every, lines (of a command), line_s (between two).
sub run {
	my ($host, %o) = @_;
	my $self = bless { host => $host, lines => 20, line_s => 0.05, kill_every => 5, %o,
		problems => [], n_commands => 0, n_lines => 0, kills => 0, returns => 0 }, __PACKAGE__;
	$self->start_wrappers;
	$self->{dashes} = [map { { n => $_, done => 0 } } 1 .. $o{dashboards}];
	$self->play;
	$self->check_runs;
	$_->stop for @{ $self->{wrappers} };
	return $self;
}

sub odd { my ($self, $text) = @_; push @{ $self->{problems} }, $text; return }

sub start_wrappers {
	my ($self) = @_;
	$self->{wrappers} = [map { Wrapper->start(server => $self->{host}->url,
		token => Onsembl::token(user => 'ann'), args => ['--name', "w$_"]) } 1 .. $self->{wrappers}];
	my $all = @{ $self->{wrappers} };
	wait_for(60, sub { $self->{host}->metric('cohostd_agents_dialed_in') == $all })
	    or die "the wrappers do not dial in\n";
	return;
}

# Connect, and send the command that waits for its end once more: it is told from its start.
sub come {
	my ($self, $d) = @_;
	$d->{ws} = eval { Onsembl->dashboard($self->{host}, user => 'ann') } or return;
	my $list = eval { $d->{ws}->next('DASHBOARD_CONNECTED') } or return delete $d->{ws};
	$d->{agents} = { map { $_->{name} => $_->{agentId} } @{ $list->{payload}{agents} } };
	$self->{returns}++ if $d->{was_here}++;
	$self->request($d) if $d->{command};
	return;
}

sub request {
	my ($self, $d) = @_;
	my $c = $d->{command};
	eval { $d->{ws}->say(COMMAND_REQUEST => { commandId => $c->{id}, agentId => $c->{agent},
		command => $c->{text} }); 1 } or delete $d->{ws};
	return;
}

sub next_command {
	my ($self, $d) = @_;
	my $id = "d$d->{n}-" . ++$d->{done};
	my $wrapper = 1 + ($d->{n} + $d->{done}) % @{ $self->{wrappers} };
	my $agent = $d->{agents}{"w$wrapper"} or return;
	$self->{n_commands}++;
	push @{ $self->{ids} }, $id;
	$d->{command} = { id => $id, agent => $agent, text => '', sequence => 0, output => '',
		text => "echo $id >> ran; for i in \$(seq 1 $self->{lines}); do echo $id-\$i; "
		    . "sleep $self->{line_s}; done" };
	$self->request($d);
	return;
}

sub take {
	my ($self, $d, $f) = @_;
	my $c = $d->{command};
	my $id = $f->{payload}{commandId} // return;
	$self->odd("d$d->{n} was shown $id") if $id !~ /^d$d->{n}-/;
	return if !$c || $id ne $c->{id};
	if ($f->{type} eq 'TERMINAL_STREAM') {
		my $p = $f->{payload};
		return if $p->{sequence} <= $c->{sequence};
		$c->{sequence} = $p->{sequence};
		$c->{output} .= $p->{content};
	} elsif ($f->{type} eq 'ERROR') {
		$self->odd("$id: $f->{payload}{code} $f->{payload}{message}");
		delete $d->{command};
	} elsif ($f->{type} eq 'COMMAND_COMPLETE') {
		$self->end($d, $f->{payload});
	}
	return;
}

sub end {
	my ($self, $d, $p) = @_;
	my $c = delete $d->{command};
	my @lines = $c->{output} =~ /^($c->{id}-\d+)\r?$/mg;
	my @expected = map { "$c->{id}-$_" } 1 .. $self->{lines};
	$self->odd("$c->{id}: $p->{status} " . ($p->{error} // '')) if $p->{status} ne 'COMPLETED';
	$self->odd("$c->{id}: its lines are @lines") if "@lines" ne "@expected";
	$self->{n_lines} += @lines;
	return;
}

sub play {
	my ($self) = @_;
	my $begin = time;
	my $end = $begin + $self->{seconds};
	my $kill_at = $begin + $self->{kill_every};
	while (time < $end || grep { $_->{command} } @{ $self->{dashes} }) {
		if (time > $end + 120) {
			$self->odd("$_->{command}{id} does not end") for grep { $_->{command} } @{ $self->{dashes} };
			last;
		}
		$self->step($_, time < $end) for @{ $self->{dashes} };
		if (time > $kill_at && time < $end) {
			my @workers = $self->{host}->workers;
			$self->{host}->kill_worker($workers[$self->{kills}++ % @workers]);
			$kill_at += $self->{kill_every};
		}
		sleep 0.01;
	}
	return;
}

sub step {
	my ($self, $d, $is_on) = @_;
	$self->come($d) if !$d->{ws};
	return if !$d->{ws};
	while (my $f = $d->{ws}->ws->next(timeout => 0.001)) { $self->take($d, $f) }
	if (defined $d->{ws}->ws->{close_code}) {
		delete $d->{ws};
	} elsif (!$d->{command} && $is_on) {
		$self->next_command($d);
	}
	return;
}

sub check_runs {
	my ($self) = @_;
	my %n;
	for my $w (@{ $self->{wrappers} }) {
		$n{$_}++ for split /\n/, read_file($w->dir . '/ran');
	}
	for my $id (@{ $self->{ids} }) {
		$self->odd("$id ran " . ($n{$id} // 0) . ' times') if ($n{$id} // 0) != 1;
	}
	return;
}

1;
