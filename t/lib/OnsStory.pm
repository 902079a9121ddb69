# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package OnsStory;

# Real wrappers and dashboards of Onsembl while workers are killed, or stopped: each dashboard runs
# one command after the other, whose lines are numbered, and comes back when its connection is lost.
#
#   my $r = OnsStory::run($host, wrappers => 5, dashboards => 3, seconds => 8, kill_every => 5);
#
# What must be 0 afterwards: lost, doubled, reordered (lines), foreign (messages about a command of
# another dashboard) and failed (commands that did not complete, or did not run exactly once).
# $r->{problems} has a text for each of the first ones. OnsStory::table($r) is for people.
use strict;
use warnings;

use CoHost qw(memory_kb read_file wait_for);
use IO::Select;
use JSON::PP ();
use Onsembl;
use Time::HiRes qw(sleep time);
use Wrapper;

our @NOUGHT = qw(lost doubled reordered foreign failed);

my $MAX_PROBLEMS = 50;
my $SILENCE_S = 35; # a dashboard that hears nothing for so long connects again
my $DIAL_S = 5;
my $END_S = 120; # the time for the last commands to end

my $json = JSON::PP->new->utf8;

# Options: wrappers, dashboards, seconds, kill_every; stop_every and stop_s (SIGSTOP, then SIGCONT,
# to one worker); lines (of a command), line_s (between two); env (of the wrappers); trouble_s: the
# network is cut for so long in the story, so that commands may take longer to end.
sub run {
	my ($host, %o) = @_;
	my $self = bless { host => $host, lines => 20, line_s => 0.05, trouble_s => 0, env => {}, %o,
		problems => [], refused => {}, map { $_ => 0 } @NOUGHT, qw(commands shown kills stops returns) }, __PACKAGE__;
	$self->start_wrappers($o{wrappers});
	$self->{dashes} = [map { { n => $_, done => 0 } } 1 .. $o{dashboards}];
	$self->{kb_begin} = $host->memory_kb;
	$self->play;
	$self->check_runs;
	$self->{kb_end} = $host->memory_kb;
	$self->{wrapper_kb_end} = memory_kb(map { $_->pid } @{ $self->{wrappers} });
	$self->{dialed} = $host->metric('cohostd_agents_dialed_in_total');
	$self->{repeated} = $host->metric('cohostd_output_repeated_total');
	$_->stop for @{ $self->{wrappers} };
	return $self;
}

# ---- what is judged ----

sub odd {
	my ($self, $kind, $text, $n) = @_;
	$self->{$kind} += $n // 1;
	push @{ $self->{problems} }, "$kind: $text" if @{ $self->{problems} } < $MAX_PROBLEMS;
	return;
}

# What is wrong with the output of a command, whose lines are "ID-1" to "ID-N"; unless it is whole,
# the rest is not missing. Strange are lines of any other form.
sub judge {
	my ($id, $n, $text, $is_whole) = @_;
	my %wrong = (lost => [], doubled => [], reordered => [], strange => []);
	my (%seen, @strange);
	my $top = 0;
	$text =~ s/[^\n]*\z// if !$is_whole;
	for my $line (split /\r?\n/, $text) {
		my ($k) = $line =~ /^\Q$id\E-(\d+)\z/;
		if (!$k || $k > $n) { push @{ $wrong{strange} }, $line; next }
		if ($seen{$k}++) { push @{ $wrong{doubled} }, $k }
		elsif ($k < $top) { push @{ $wrong{reordered} }, $k }
		$top = $k if $k > $top;
	}
	$wrong{lost} = [grep { !$seen{$_} } 1 .. ($is_whole ? $n : $top)];
	return \%wrong;
}

# A connection has shown this of a command, from its first line on.
sub look {
	my ($self, $c, $is_whole) = @_;
	my $wrong = judge($c->{id}, $self->{lines}, $c->{output}, $is_whole);
	$self->odd($_, "of $c->{id}: @{ $wrong->{$_} }", scalar @{ $wrong->{$_} })
	    for grep { @{ $wrong->{$_} } } qw(lost doubled reordered);
	$self->odd('failed', "$c->{id} has the line $_") for @{ $wrong->{strange} };
	$self->{shown} += () = $c->{output} =~ /\n/g;
	$c->{output} = '';
	return;
}

sub check_runs {
	my ($self) = @_;
	my %n;
	for my $w (@{ $self->{wrappers} }) {
		$n{$_}++ for split /\n/, read_file($w->dir . '/ran');
	}
	for my $id (@{ $self->{ids} }) {
		my $times = delete $n{$id} // 0;
		my $expected = $self->{refused}{$id} ? 0 : 1;
		$self->odd('failed', "$id ran $times times, not $expected") if $times != $expected;
	}
	$self->odd('failed', "$_ ran, and nobody asked for it") for sort keys %n;
	return;
}

# ---- wrappers and dashboards ----

sub start_wrappers {
	my ($self, $n) = @_;
	$self->{wrappers} = [map { Wrapper->start(server => $self->{host}->url, env => $self->{env},
		token => Onsembl::token(user => 'ann'), args => ['--name', "w$_"]) } 1 .. $n];
	wait_for(60, sub { $self->{host}->metric('cohostd_agents_dialed_in') == $n })
	    or die "the wrappers do not dial in\n";
	return;
}

# Connect, and send the command that waits for its end once more: it is told from its start.
sub come {
	my ($self, $d) = @_;
	local $HTTP::TIMEOUT = $DIAL_S;
	my $client = eval { Onsembl->dashboard($self->{host}, user => 'ann') } or return;
	my $list = eval { $client->next('DASHBOARD_CONNECTED') } or return;
	$d->{agents} = { map { $_->{name} => $_->{agentId} } @{ $list->{payload}{agents} } };
	@$d{qw(client heard)} = ($client, time);
	$self->{returns}++ if $d->{was_here}++;
	$self->request($d) if $d->{command};
	return;
}

sub leave {
	my ($self, $d) = @_;
	my $client = delete $d->{client} or return;
	$client->ws->socket->close;
	$self->look($d->{command}, 0) if $d->{command};
	return;
}

sub request {
	my ($self, $d) = @_;
	my $c = $d->{command};
	eval { $d->{client}->say(COMMAND_REQUEST => { commandId => $c->{id}, agentId => $c->{agent},
		command => $c->{text} }); 1 } or $self->leave($d);
	return;
}

sub next_command {
	my ($self, $d) = @_;
	my $id = "d$d->{n}-" . ++$d->{done};
	my $wrapper = 1 + ($d->{n} + $d->{done}) % @{ $self->{wrappers} };
	my $agent = $d->{agents}{"w$wrapper"} or return;
	$self->{commands}++;
	push @{ $self->{ids} }, $id;
	my $script = "\$| = 1; for (1 .. $self->{lines}) { print qq($id-\$_\\n); "
	    . "select undef, undef, undef, $self->{line_s} }";
	$d->{command} = { id => $id, agent => $agent, output => '',
		text => "echo $id >> ran; exec $^X -e '$script'" };
	$self->request($d);
	return;
}

# A command for an agent that is away may be refused, unless it was acknowledged.
sub refused {
	my ($self, $d, $id, $p) = @_;
	my $c = $d->{command};
	my $why = "$p->{code} " . ($p->{details}{reason} // $p->{message});
	my $is_of_command = $c && ($id // '') eq $c->{id};
	if ($is_of_command && !$c->{is_taken} && $why =~ /no such agent is connected/) {
		$self->{refused}{$id} = 1;
	} else {
		$self->odd('failed', ($id // "d$d->{n}") . ": $why");
	}
	delete $d->{command} if $is_of_command;
	return;
}

sub take {
	my ($self, $d, $f) = @_;
	my $c = $d->{command};
	if ($f->{type} eq 'PING') {
		eval { $d->{client}->say(PONG => { timestamp => $f->{payload}{timestamp} }) };
		return;
	}
	my $id = $f->{payload}{commandId} // $f->{payload}{details}{commandId};
	return $self->refused($d, $id, $f->{payload}) if $f->{type} eq 'ERROR';
	return if !defined $id;
	return $self->odd('foreign', "d$d->{n} was shown $id") if $id !~ /^d$d->{n}-/;
	if (!$c || $id ne $c->{id}) {
		$self->odd('failed', "$id goes on after its end") if $f->{type} eq 'TERMINAL_STREAM';
	} elsif ($f->{type} eq 'ACK') {
		$c->{is_taken} = 1;
	} elsif ($f->{type} eq 'TERMINAL_STREAM') {
		$c->{output} .= $f->{payload}{content};
	} elsif ($f->{type} eq 'COMMAND_COMPLETE') {
		$self->odd('failed', "$id: $f->{payload}{status} " . ($f->{payload}{error} // ''))
		    if $f->{payload}{status} ne 'COMPLETED';
		$self->look(delete $d->{command}, 1);
	}
	return;
}

# ---- the loop ----

sub is_busy { return scalar grep { $_->{command} } @{ $_[0]{dashes} } }

sub play {
	my ($self) = @_;
	my $begin = time;
	my $end = $begin + $self->{seconds};
	my $limit = $end + $END_S + $self->{trouble_s};
	$self->{due}{$_} = $begin + $self->{$_} for grep { $self->{$_} } qw(kill_every stop_every);
	while (time < $end || $self->is_busy) {
		last if time > $limit;
		my $is_on = time < $end;
		$self->harm if $is_on;
		$self->come_one;
		$self->tend($_, $is_on) for grep { $_->{client} } @{ $self->{dashes} };
		$self->listen;
	}
	$self->wake;
	$self->odd('failed', "$_->{command}{id} does not end")
	    for grep { $_->{command} } @{ $self->{dashes} };
	return;
}

# Whether it is time for this again.
sub is_due {
	my ($self, $what) = @_;
	return 0 if !$self->{due}{$what} || time < $self->{due}{$what};
	$self->{due}{$what} = time + $self->{$what};
	return 1;
}

sub wake {
	my ($self) = @_;
	my $pid = delete $self->{stopped} or return;
	kill CONT => $pid;
	return;
}

# A worker, and another one each time.
sub victim {
	my ($self, $n) = @_;
	my @workers = $self->{host}->workers;
	return @workers ? $workers[$n % @workers] : undef;
}

sub harm {
	my ($self) = @_;
	$self->wake if $self->{stopped} && time > $self->{wake_at};
	if ($self->is_due('kill_every')) {
		my $pid = $self->victim($self->{kills}) or return;
		$self->{kills} += kill KILL => $pid;
	} elsif (!$self->{stopped} && $self->is_due('stop_every')) {
		my $pid = $self->victim($self->{stops}) or return;
		$self->{stops} += kill STOP => $pid;
		@$self{qw(stopped wake_at)} = ($pid, time + $self->{stop_s});
	}
	return;
}

# Each attempt may wait for the network, so there is one at a time: that which waits the longest.
sub come_one {
	my ($self) = @_;
	my ($d) = sort { ($a->{tried} // 0) <=> ($b->{tried} // 0) } grep { !$_->{client} } @{ $self->{dashes} };
	return if !$d;
	$d->{tried} = time;
	return $self->come($d);
}

# Let a dashboard have a command, and leave a connection that says nothing.
sub tend {
	my ($self, $d, $is_on) = @_;
	return $self->leave($d) if time > $d->{heard} + $SILENCE_S;
	$self->next_command($d) if !$d->{command} && $is_on;
	return;
}

sub listen {
	my ($self) = @_;
	my %by = map { ($_->{client}->ws->socket => $_) } grep { $_->{client} } @{ $self->{dashes} };
	my @ready = IO::Select->new(map { $_->{client}->ws->socket } values %by)->can_read(0.02);
	sleep 0.02 if !%by;
	$self->hear($by{$_}) for @ready;
	return;
}

sub hear {
	my ($self, $d) = @_;
	my $ws = $d->{client}->ws;
	while (defined(my $text = $ws->next_text(0.001))) {
		$d->{heard} = time;
		next if $text =~ /^\{"type":"(?:AGENT_|DASHBOARD_CONNECTED)/; # there are many, and they are long
		$self->take($d, $json->decode($text));
	}
	$self->leave($d) if defined $ws->closed;
	return;
}

# ---- for people ----

sub table {
	my ($r) = @_;
	my @rows = ((map { [$_, $r->{$_}] } qw(commands shown), @NOUGHT, qw(kills stops)),
		['refused, agent away', scalar keys %{ $r->{refused} }],
		['pieces that came again', $r->{repeated}],
		['dashboards came back', $r->{returns}],
		['wrappers came back', $r->{dialed} - @{ $r->{wrappers} }],
		['memory of the server, begin', "$r->{kb_begin} kB"],
		['memory of the server, end', "$r->{kb_end} kB"],
		['memory of all wrappers, end', "$r->{wrapper_kb_end} kB"]);
	return join '', map { sprintf "%-30s %12s\n", $_->[0] eq 'shown' ? 'lines' : $_->[0], $_->[1] } @rows;
}

1;
