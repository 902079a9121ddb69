# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package KillStory;

# Many sessions stream while workers are killed with SIGKILL at random, and with
# stop_every => SECONDS also stopped, workers and the keeper, wherever they are: the
# server must notice within its hang_timeout (hang_s => SECONDS). Half of the
# clients say their inputs by POST, half by WebSocket, each input under a name of its
# own; when a line breaks they come back and say it again. Beside each client a watcher
# reads the session's journal as an event stream, and resumes it with Last-Event-ID.
#
#   my $report = KillStory->new($host, sessions => 200, seconds => 30)->run;
#
# On a slow machine little may happen in that time: with least_inputs => N and
# least_kills => N the story goes on until so many inputs were answered and so many workers
# killed, but no longer than 200 s.
#
# With disk => Fault->new(...), which the server was started with, the disk fails now and
# then (every fault_every seconds) in the moment that makes a commit valid, so that nobody
# knows whether it is; whoever meets that ends at once.
#
# The report counts what must be nought: lost (an accepted input without an end),
# doubled (two ends, or two runs), gaps (journal positions or steps out of order), stuck
# (sessions left running), failed (ends in error; the demo agent goes on instead), and
# 'problems', a list of sentences.
#
# All of it is one process and one select loop.
use strict;
use warnings;

use CoHost ();
use HTTP;
use JSON::PP ();
use POSIX ();
use Socket;
use Time::HiRes qw(time);
use WS;

my $json = JSON::PP->new->utf8->canonical;
my $PROBLEMS_MAX = 20;
my $RETRY_S = 0.1;
my $OWED_S = 60; # how long a promised end may take to be replayed
my $LIMIT_S = 200;

sub new {
	my ($class, $host, %o) = @_;
	my $self = bless {
		host => $host, seconds => 30, sessions => 200, steps => 300,
		step_ms => 20, kill_every => 0.5, seed => int rand 2**31,
		fault_every => 5, faults => 0, tail => 300, conns => {}, problems => [], kills => [],
		takeovers => [], stops => [], hang_s => 30, n => {},
		least_inputs => 0, least_kills => 0, %o,
	}, $class;
	srand $self->{seed};
	my ($ip, $port) = $host->address =~ /^(.*):(\d+)$/;
	$self->{peer} = pack_sockaddr_in $port, inet_aton $ip;
	$self->{all} = [map { new_session($_) } 1 .. $self->{sessions}];
	return $self;
}

sub new_session {
	my ($k) = @_;
	return {
		k => $k, id => "kill-$$-$k", turn => 0, seq => 0,
		is_post => $k % 2, inputs => {}, is_idle => 1,
	};
}

sub problem {
	my ($self, $s, $text) = @_;
	$self->{n}{problems}++;
	push @{ $self->{problems} }, "session $s->{k}: $text"
	    if @{ $self->{problems} } < $PROBLEMS_MAX;
}

# ---- the loop ----

sub run {
	my ($self) = @_;
	my $start = time;
	$self->{next_kill} = $start + $self->{kill_every};
	$self->{next_fault} = $start + $self->{fault_every};
	$self->{next_stop} = $start + ($self->{stop_every} // 0);
	$self->{rss_start} = $self->{host}->memory_kb;
	$self->{start} = $start;
	while (1) {
		my $now = time;
		$self->{stopped} ||= $now if $self->is_told($now);
		last if $self->{stopped} && $now > $self->{stopped} + $self->{tail};
		$self->{rss_early} //= $self->{host}->memory_kb
		    if $now > $start + $self->{seconds} / 5;
		$self->do_harm($now) unless $self->{stopped};
		my $n_busy = $self->tend($now);
		last if !$n_busy && $self->{stopped};
		$self->turn_the_loop;
	}
	$self->{took} = time - $start;
	$self->{rss_end} = $self->{host}->memory_kb;
	close $_->{socket} for values %{ $self->{conns} };
	return $self->report;
}

# Whether all has happened that was wanted: then no turn begins any more.
sub is_told {
	my ($self, $now) = @_;
	my $took = $now - $self->{start};
	return 1 if $took >= $LIMIT_S && $took >= $self->{seconds};
	my $inputs = ($self->{n}{by_post} // 0) + ($self->{n}{by_ws} // 0);
	return $took >= $self->{seconds} && $inputs >= $self->{least_inputs}
	    && @{ $self->{kills} } >= $self->{least_kills};
}

sub do_harm {
	my ($self, $now) = @_;
	$self->kill_one($now) if $now >= $self->{next_kill};
	$self->fail_once($now) if $self->{disk} && $now >= $self->{next_fault};
	$self->stop_one($now) if $self->{stop_every} && $now >= $self->{next_stop};
}

sub kill_one {
	my ($self, $now) = @_;
	$self->{next_kill} = $now + $self->{kill_every} * (0.5 + rand);
	my @workers = $self->{host}->workers or return;
	push @{ $self->{kills} }, time;
	kill KILL => $workers[rand @workers];
}

# One write of a meta page fails, and maybe the one that would put it right; whether it
# was written all the same is any of both.
sub fail_once {
	my ($self, $now) = @_;
	$self->{next_fault} = $now + $self->{fault_every} * (0.5 + rand);
	$self->{faults}++;
	push @{ $self->{kills} }, time;
	$self->{disk}->fail((qw(facts.mdb journal.mdb))[rand 2],
		meta => POSIX::EIO, left => 1 + int rand 2, is_done => int rand 2);
	return;
}

# What is stopped may hold a lock that all others wait for.
sub stop_one {
	my ($self, $now) = @_;
	$self->{next_stop} = $now + $self->{stop_every} * (0.5 + rand);
	my @all = ($self->{host}->workers, $self->{host}->keepers) or return;
	push @{ $self->{stops} }, time;
	kill STOP => $all[rand @all];
}

# Start what is due; how many sessions are not at rest.
sub tend {
	my ($self, $now) = @_;
	my $n_busy = 0;
	for my $s (@{ $self->{all} }) {
		if ($s->{is_idle}) {
			$self->begin_turn($s) unless $self->{stopped};
		}
		$self->check_owed($s) if $s->{owed_at} && $now > $s->{owed_at};
		$self->drive($s) if !$s->{is_idle} && !$s->{driver}
		    && $now >= ($s->{drive_at} // 0);
		$self->watch($s) if $self->is_watchable($s)
		    && $now >= ($s->{watch_at} // 0);
		$n_busy++ if !$s->{is_idle} || $self->is_behind($s);
	}
	return $n_busy;
}

sub turn_the_loop {
	my ($self) = @_;
	my $bits = '';
	vec($bits, $_, 1) = 1 for keys %{ $self->{conns} };
	return unless select $bits, undef, undef, 0.05;
	for my $fd (keys %{ $self->{conns} }) {
		next unless vec $bits, $fd, 1;
		my $c = $self->{conns}{$fd} or next;
		my $n = sysread $c->{socket}, $c->{in}, 262144, length $c->{in};
		if ($n) { $c->{on_data}->($self, $c) }
		elsif (defined $n || !($!{EAGAIN} || $!{EINTR})) {
			$self->hang_up($c, $c->{on_end});
		}
	}
}

# A connection that has sent its request; undef when there is none to be had.
sub dial {
	my ($self, $s, $text, %on) = @_;
	socket my $socket, PF_INET, SOCK_STREAM, 0 or return undef;
	connect $socket, $self->{peer} or return undef;
	local $SIG{PIPE} = 'IGNORE';
	syswrite $socket, $text or return undef;
	$socket->blocking(0);
	my $c = { socket => $socket, in => '', s => $s, %on };
	return $self->{conns}{ fileno $socket } = $c;
}

sub hang_up {
	my ($self, $c, $then) = @_;
	delete $self->{conns}{ fileno $c->{socket} };
	close $c->{socket};
	$then->($self, $c->{s}, $c) if $then;
}

sub say_on {
	my ($c, $text) = @_;
	local $SIG{PIPE} = 'IGNORE';
	syswrite $c->{socket}, $text;
}

# ---- turns ----

sub begin_turn {
	my ($self, $s) = @_;
	$s->{turn}++;
	$s->{input_id} = "$s->{id}-t$s->{turn}";
	$s->{inputs}{ $s->{input_id} } = {};
	@$s{qw(is_idle heard last_id owed_at ws_step)} = (0, 0, undef, undef, 0);
	if ($s->{driver}) { $self->ws_input($s->{driver}) }
}

# The client has its answer.
sub end_turn {
	my ($self, $s, $word) = @_;
	my $input = $s->{inputs}{ $s->{input_id} };
	$self->{n}{failed}++ if $word eq 'failed';
	$self->{n}{ $s->{is_post} ? 'by_post' : 'by_ws' }++;
	$input->{answered}++;
	@$s{qw(is_idle owed_at)} = (1, undef);
}

sub drive {
	my ($self, $s) = @_;
	$s->{drive_at} = time + $RETRY_S;
	$s->{driver} = $s->{is_post} ? $self->post($s) : $self->ws_open($s);
}

sub drive_again {
	my ($self, $s) = @_;
	$s->{driver} = undef;
	$self->{n}{driver_lost}++ unless $s->{is_idle};
}

sub prompt { my ($self) = @_; return "stream $self->{steps} $self->{step_ms}" }

# The server asks to try again later.
sub refused {
	my ($self, $text) = @_;
	my ($why) = $text =~ /"(?:error|message)":\s*"([^"]*)"/;
	$self->{n}{refused}++;
	$self->{why}{ $why // $text }++;
}

# ---- the client that posts ----

sub post {
	my ($self, $s) = @_;
	my $text = HTTP::request_text('POST', '/input', {
		connection => 'close', 'idempotency-key' => "\"$s->{input_id}\"" },
		{ prompt => $self->prompt, session => { session_id => $s->{id} } });
	return $self->dial($s, $text, on_data => \&post_data,
		on_end => \&drive_again);
}

sub post_data {
	my ($self, $c) = @_;
	my ($head, $body) = split /\r\n\r\n/, $c->{in}, 2;
	return unless defined $body;
	my ($len) = $head =~ /^content-length: *(\d+)/mi;
	return if length $body < ($len // 0);
	my $s = $c->{s};
	my ($status) = $head =~ m{^HTTP/1.1 (\d+)};
	$s->{driver} = undef;
	$self->hang_up($c);
	if ($status == 200) { $self->end_turn($s, 'done') }
	elsif ($status == 500 && $body =~ /-32603/) { $self->end_turn($s, 'failed') }
	elsif ($status == 503 || $status == 409) { $self->refused($body) }
	else { $self->problem($s, "POST was answered $status $body") }
}

# ---- the client with a WebSocket ----

sub ws_open {
	my ($self, $s) = @_;
	my ($text) = WS::handshake_text();
	my %connect = (type => 'CONNECT', session_id => $s->{id});
	$connect{last_msg_id} = $s->{last_id} if defined $s->{last_id};
	return $self->dial($s, $text . WS::frame(WS::TEXT, $json->encode(\%connect)),
		on_data => \&ws_data, on_end => \&drive_again);
}

sub ws_input {
	my ($self, $c) = @_;
	say_on($c, WS::frame(WS::TEXT, $json->encode({
		type => 'INPUT', prompt => $self->prompt,
		input_id => $c->{s}{input_id} })));
}

sub ws_data {
	my ($self, $c) = @_;
	if (!$c->{is_open}) {
		return unless $c->{in} =~ s{^HTTP/1.1 (\d+).*?\r\n\r\n}{}s;
		return $self->hang_up($c, \&drive_again) if $1 != 101;
		$c->{is_open} = $c->{is_fresh} = 1;
	}
	while (my ($fin, $op, $text) = WS::take_frame(\$c->{in})) {
		return $self->hang_up($c, \&drive_again) if $op == WS::CLOSE;
		next if $op != WS::TEXT;
		my ($type) = $text =~ /"type":\s*"(\w+)"/;
		if ($type =~ /^tool_/) { $self->ws_step($c, \$text) }
		elsif ($type eq 'CONNECTED') { $self->ws_connected($c, $text) }
		elsif ($type eq 'OUTPUT') { $self->ws_end($c, 'done') }
		elsif ($type eq 'ERROR') { $self->ws_error($c, $text) }
		elsif ($type eq 'RUNTIME_INPUT_ACK') {
			$self->problem($c->{s}, 'a repeated input was taken as new');
		} elsif ($type =~ /^[a-z]/) { ws_heard($c->{s}, \$text) }
	}
}

sub ws_heard {
	my ($s, $text) = @_;
	($s->{last_id}) = $$text =~ /"id":\s*"([^"]*)"/ or return;
	$s->{heard} = 1;
}

# Steps come in order; what comes again does so right after we came back.
sub ws_step {
	my ($self, $c, $text) = @_;
	my $s = $c->{s};
	ws_heard($s, $text);
	my ($kind, $k) = $$text =~ /"tool_(call|result)".*"tool_id":\s*"s\d+-(\d+)"/
	    or return;
	my $at = 2 * $k + ($kind eq 'result');
	return if $at < $s->{ws_step} && $c->{is_fresh};
	$c->{is_fresh} = 0;
	$self->{n}{gaps}++, $self->problem($s,
		"WebSocket step $at came where $s->{ws_step} was due")
	    if $at != $s->{ws_step};
	$s->{ws_step} = $at + 1;
}

sub ws_connected {
	my ($self, $c, $text) = @_;
	my $s = $c->{s};
	my ($status) = $text =~ /"status":\s*"(\w+)"/;
	return if $s->{is_idle};
	return if $status eq 'running';
	if ($s->{heard}) { $s->{owed_at} = time + $OWED_S }
	else { $self->ws_input($c) }
}

sub check_owed {
	my ($self, $s) = @_;
	$s->{owed_at} = undef;
	return if $s->{is_idle};
	$self->problem($s, 'the end was not replayed to its client');
	$s->{heard} = 0;
	$self->hang_up($s->{driver}, \&drive_again) if $s->{driver};
}

sub ws_end {
	my ($self, $c, $word) = @_;
	my $s = $c->{s};
	return $self->problem($s, 'a second end on one socket') if $s->{is_idle};
	$self->problem($s, "OUTPUT came at step $s->{ws_step}")
	    if $word eq 'done' && $s->{heard}
	    && $s->{ws_step} != 2 * $self->{steps};
	$self->end_turn($s, $word);
}

sub ws_error {
	my ($self, $c, $text) = @_;
	return $self->ws_end($c, 'failed') if $text =~ /-32603/ && $text !~ /retry/;
	if ($text =~ /"retryable":\s*true/) { $self->refused($text) }
	else { $self->problem($c->{s}, "ERROR $text") }
	$self->hang_up($c, \&drive_again);
}

# ---- the watcher ----

sub is_watchable {
	my ($self, $s) = @_;
	return 0 if $s->{watcher} || !$s->{turn};
	return !$s->{is_idle} || $self->is_behind($s);
}

# Whether the journal still owes the watcher an end.
sub is_behind {
	my ($self, $s) = @_;
	return 0 unless $s->{turn};
	my $input = $s->{inputs}{ $s->{input_id} };
	return $input->{answered} && !$input->{ends};
}

sub watch {
	my ($self, $s) = @_;
	$s->{watch_at} = time + $RETRY_S;
	my %header = (accept => 'text/event-stream');
	$header{'last-event-id'} = "$s->{epoch}-$s->{seq}" if $s->{seq};
	$s->{watcher} = $self->dial($s,
		HTTP::request_text('GET', "/sessions/$s->{id}/events?from=0", \%header),
		on_data => \&watch_data, on_end => \&watch_again);
}

sub watch_again {
	my ($self, $s) = @_;
	$s->{watcher} = undef;
	$self->{n}{watcher_lost}++ unless $s->{is_idle};
}

sub watch_data {
	my ($self, $c) = @_;
	if (!$c->{is_open}) {
		return unless $c->{in} =~ s{^HTTP/1.1 (\d+)(.*?)\r\n\r\n}{}s;
		my ($status, $head) = ($1, $2);
		return $self->hang_up($c, \&watch_again) if $status != 200;
		$c->{is_open} = 1;
		$c->{is_chunked} = $head =~ /chunked/i;
		$c->{plain} = '';
	}
	my $is_last = 0;
	if ($c->{is_chunked}) {
		while ($c->{in} =~ /^([0-9a-fA-F]+)\r\n/) {
			my ($skip, $len) = ($+[0], hex $1);
			last if length $c->{in} < $skip + $len + 2;
			$is_last = 1, last if !$len;
			$c->{plain} .= substr $c->{in}, $skip, $len;
			substr $c->{in}, 0, $skip + $len + 2, '';
		}
	} else {
		$c->{plain} .= $c->{in};
		$c->{in} = '';
	}
	while ((my $at = index $c->{plain}, "\n\n") >= 0) {
		my $text = substr $c->{plain}, 0, $at + 2, '';
		$self->journal($c->{s}, \$text);
	}
	$self->hang_up($c, \&watch_again) if $is_last;
}

# One event of the journal.
sub journal {
	my ($self, $s, $text) = @_;
	my ($epoch, $seq) = $$text =~ /^id: *(\w+)-(\d+)/m or return;
	my ($type) = $$text =~ /^event: *(\w+)/m;
	$s->{epoch} //= $epoch;
	if ($epoch ne $s->{epoch} || $seq != $s->{seq} + 1) {
		$self->{n}{gaps}++;
		$self->problem($s, "position $epoch-$seq ($type) after "
		    . "$s->{epoch}-$s->{seq}");
	}
	@$s{qw(epoch seq)} = ($epoch, $seq);
	$self->{n}{events}++;
	if ($type =~ /^tool_/) { $self->journal_step($s, $text) }
	elsif ($type eq 'input') { $self->journal_input($s, $text) }
	elsif ($type =~ /^(?:done|failed)$/) {
		$self->journal_end($s, $type);
	}
}

sub journal_input {
	my ($self, $s, $text) = @_;
	my ($id) = $$text =~ /"input_id":\s*"([^"]+)"/;
	$id //= $s->{input_id};
	$self->problem($s, "$id began before the turn before it ended")
	    if $s->{open};
	$s->{inputs}{$id}{runs}++;
	@$s{qw(open step last_ts)} = ($id, 0, undef);
}

sub journal_end {
	my ($self, $s, $type) = @_;
	my $id = $s->{open};
	if (!defined $id) {
		$self->{n}{doubled}++;
		return $self->problem($s, "$type at $s->{seq} ends no turn");
	}
	$s->{inputs}{$id}{ends}++;
	$s->{open} = undef;
	$self->{n}{failed_runs}++ if $type eq 'failed';
	$self->problem($s, "$id ended at step $s->{step}")
	    if $type eq 'done' && $s->{step} != 2 * $self->{steps};
}

sub journal_step {
	my ($self, $s, $text) = @_;
	my ($kind, $k) = $$text =~ /"tool_(call|result)".*"tool_id":\s*"s\d+-(\d+)"/
	    or return;
	my $at = 2 * $k + ($kind eq 'result');
	if ($at != ($s->{step} // -1)) {
		$self->{n}{gaps}++;
		$self->problem($s, "step $at at $s->{seq}, where "
		    . ($s->{step} // 'none') . ' was due');
	}
	$s->{step} = $at + 1;
	my ($ts) = $$text =~ /"ts":\s*([\d.]+)/ or return;
	$self->measure($s->{last_ts}, $ts) if $s->{last_ts};
	$s->{last_ts} = $ts;
}

# A pause in a stream that a kill fell into: how long until somebody went on.
sub measure {
	my ($self, $from, $to) = @_;
	return if $to - $from < 1.5 * $self->{step_ms} / 1000 + 0.005;
	return if grep { $_ > $from - 2 * $self->{hang_s} && $_ < $to }
	    @{ $self->{stops} };
	my ($kill) = grep { $_ > $from && $_ < $to } @{ $self->{kills} };
	push @{ $self->{takeovers} }, $to - $kill if defined $kill;
}

# ---- the sum ----

# Sessions that the server says are running.
sub stuck {
	my ($self) = @_;
	my @stuck;
	for my $s (@{ $self->{all} }) {
		my $r = $self->{host}->http(GET => "/sessions/$s->{id}");
		my $status = $r && $r->{json} ? $r->{json}{status} // '' : 'no reply';
		next if $status =~ /^(?:done|failed|interrupted)$/;
		push @stuck, "$s->{k} ($status)";
	}
	return @stuck;
}

sub percentile {
	my ($p, @all) = @_;
	return undef unless @all;
	@all = sort { $a <=> $b } @all;
	return $all[int($p * $#all + 0.5)];
}

sub report {
	my ($self) = @_;
	my %n = (accepted => 0, lost => 0, doubled => 0, gaps => 0, failed => 0,
		failed_runs => 0, %{ $self->{n} });
	for my $s (@{ $self->{all} }) {
		for my $id (sort keys %{ $s->{inputs} }) {
			my $i = $s->{inputs}{$id};
			next unless $i->{runs} || $i->{answered};
			$n{accepted}++;
			$n{lost}++, $self->problem($s, "$id: the journal has "
			    . ($i->{ends} // 0) . " ends, its client "
			    . ($i->{answered} // 0))
			    unless $i->{ends} && $i->{answered};
			$n{doubled}++, $self->problem($s, "$id ran or ended twice")
			    if ($i->{runs} // 0) > 1 || ($i->{ends} // 0) > 1;
		}
	}
	my @stuck = $self->stuck;
	$self->problem({ k => $_ }, 'is stuck') for @stuck;
	return {
		%n, stuck => scalar @stuck, kills => scalar @{ $self->{kills} },
		faults => $self->{faults},
		stops => scalar @{ $self->{stops} },
		why => $self->{why} || {}, problems => $self->{problems},
		seconds => $self->{took},
		takeover_p50 => percentile(0.5, @{ $self->{takeovers} }),
		takeover_p99 => percentile(0.99, @{ $self->{takeovers} }),
		takeovers => scalar @{ $self->{takeovers} },
		rss_start => $self->{rss_start},
		rss_early => $self->{rss_early} // $self->{rss_start}, rss_end => $self->{rss_end},
		seed => $self->{seed},
	};
}

# The report as a table for people.
sub table {
	my ($r) = @_;
	my $ms = sub { defined $_[0] ? sprintf '%.0f ms', 1000 * $_[0] : '-' };
	my @rows = (
		(map { [$_, $r->{$_} // 0] } qw(seconds kills faults stops accepted lost doubled
			gaps stuck failed events driver_lost watcher_lost refused)),
		['takeovers seen', $r->{takeovers}],
		['takeover p50', $ms->($r->{takeover_p50})],
		['takeover p99', $ms->($r->{takeover_p99})],
		['memory at start', "$r->{rss_start} kB"],
		['memory soon after', "$r->{rss_early} kB"],
		['memory at end', "$r->{rss_end} kB"],
	);
	push @rows, map { [qq("$_"), $r->{why}{$_}] } sort keys %{ $r->{why} };
	return join '', map { sprintf "%-18s %12s\n", $_->[0],
		$_->[1] =~ /^\d+\.\d/ ? sprintf('%.1f', $_->[1]) : $_->[1] } @rows;
}

1;
