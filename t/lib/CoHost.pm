# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package CoHost;

# One running co-hostd in a directory of its own, on a port of its own.
#
#   my $host = CoHost->start(yaml => "name: x\n", args => ['-o', 'idle_timeout=5']);
#   my $r = $host->http(GET => '/health');
#   my $ws = $host->ws(session => {});
#   $host->stop;                       # TERM; fails the test unless it ends well
#
# The program is $TOP_BUILDDIR/co-hostd, the sources are in $TOP_SRCDIR.
# No server of a test may look for its relay outside of this machine: CoHost->start()
# gives it none unless relay => URL names one (relay => undef: host.yaml does), and the
# environment of all others names a port where nobody listens.
# TEST_PATIENCE=N makes every deadline N times as long (for slow machines).
# What it starts ends with the test, see Lifeline.pm.
# TEST_COMPLETE=1 fails a test that lacks a tool or a client, instead of skipping it.
use strict;
use warnings;

use Lifeline; # before Test::More

use Cwd qw(abs_path);
use Exporter qw(import);
use Fcntl qw(F_SETFD);
use File::Temp ();
use HTTP;
use JSON::PP ();
use POSIX qw(WNOHANG);
use Scalar::Util qw(weaken);
use Test::More ();
use Time::HiRes qw(time sleep);
use WS;

our @EXPORT_OK = qw(copy_programs lacks lacks_here memory_kb wait_for read_file write_file run program source);

binmode Test::More->builder->$_, ':utf8'
    for qw(output failure_output todo_output);

$ENV{CONNECTONION_BACKEND_URL} //= 'http://127.0.0.1:1';

my $PATIENCE = $ENV{TEST_PATIENCE} || 1;

# ---- places and small tools ----

# A file of the sources.
sub source {
	my ($path) = @_;
	return abs_path($ENV{TOP_SRCDIR} // '.') . "/$path";
}

# A program that was built.
sub program {
	my ($name) = @_;
	my $dir = $ENV{TOP_BUILDDIR} // (-x './co-hostd' ? '.' : 'build');
	my $path = (abs_path($dir) // $dir) . "/$name";
	die "$path is not there: build first, or set TOP_BUILDDIR\n"
	    unless -x $path;
	return $path;
}

# Copies all that a server needs into a folder; returns what run() does.
sub copy_programs {
	my ($dir) = @_;
	return run(['cp', '-r', (map { program($_) } qw(co-hostd co-turn co-agent-c co-nest.so co-mux.so
		co-agent-python co_agent_python)), "$dir"]);
}

# The machine lacks what the whole file needs: skip it, or fail where nothing may be skipped.
sub lacks {
	my ($why) = @_;
	Test::More::plan(skip_all => $why) unless $ENV{TEST_COMPLETE};
	Test::More::plan(tests => 1);
	Test::More::fail($why);
	exit 1;
}

# The same for what follows in a block SKIP, which has so many tests.
sub lacks_here {
	my ($why, $n) = @_;
	Test::More::skip($why, $n) unless $ENV{TEST_COMPLETE};
	Test::More::fail($why);
	no warnings 'exiting';
	last SKIP;
}

sub read_file {
	my ($path) = @_;
	open my $f, '<:raw', $path or return '';
	local $/;
	return scalar(<$f>) // '';
}

sub write_file {
	my ($path, $text) = @_;
	open my $f, '>:raw', $path or die "$path: $!\n";
	print $f $text;
	close $f or die "$path: $!\n";
}

# Ask again and again until the answer is true; the last answer is returned.
sub wait_for {
	my ($timeout, $is_so) = @_;
	my $end = time + $timeout * $PATIENCE;
	while (1) {
		my $answer = $is_so->();
		return $answer if $answer || time > $end;
		sleep 0.01;
	}
}

# Run a program to its end: {status, out}, out being both of its outputs. A program that
# does not end in time is killed and has status -1.
sub run {
	my ($argv, %o) = @_;
	my $out = File::Temp->new;
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		open STDIN, '<', '/dev/null';
		open STDOUT, '>&', $out;
		open STDERR, '>&', $out;
		%ENV = (%ENV, %{ $o{env} || {} });
		delete @ENV{ grep { !defined $ENV{$_} } keys %ENV };
		chdir $o{dir} if $o{dir};
		exec @$argv or POSIX::_exit(127);
	}
	my $done = wait_for($o{timeout} // 20, sub { waitpid($pid, WNOHANG) });
	my $status = $? >> 8 || ($? & 127 ? 128 + ($? & 127) : 0);
	if ($done != $pid) {
		kill KILL => $pid;
		waitpid $pid, 0;
		$status = -1;
	}
	return { status => $status, out => read_file($out->filename) };
}

# ---- start ----

# A directory for a project, without a server.
sub directory {
	my (%o) = @_;
	my $dir = $o{dir} // File::Temp->newdir('cohostd-XXXXXX', TMPDIR => 1);
	mkdir "$dir/.co", 0700;
	mkdir "$dir/home", 0700;
	write_file("$dir/.co/host.yaml", $o{yaml}) if defined $o{yaml};
	return $dir;
}

# workers, agent, bind, relay, yaml, args, env, dir, clock (true: ->pass() works) and prefix (a
# command that runs it) may be given; fails => 1 returns a server that need not become ready.
sub start {
	my ($class, %o) = @_;
	my $dir = directory(%o);
	my $self = bless {
		dir => $dir, log => "$dir/log", out => "$dir/out",
		started => time,
	}, $class;
	my @argv = (program('co-hostd'), '-w', $o{workers} // 4, '-p', $o{port} // 0,
		'-d', "$dir", '-l', $self->{log});
	push @argv, '-a', $o{agent} if $o{agent};
	push @argv, '-b', $o{bind} // '127.0.0.1';
	push @argv, '-o', 'relay_url=' . ($o{relay} // '') unless exists $o{relay} && !defined $o{relay};
	return $self->begin(\@argv, \%o);
}

# Start a program with the options that all programs have, and wait until it serves.
sub begin {
	my ($self, $argv, $o) = @_;
	if ($o->{clock}) {
		$self->{clock} = $self->dir . '/clock';
		$self->{moved_ms} = 0;
		write_file($self->{clock}, pack 'qq', 0, 1000 * ($o->{ahead} || 0));
		push @$argv, '--test-clock', $self->{clock};
	}
	$self->spawn([@$argv, @{ $o->{args} || [] }], $o);
	return $self if $o->{fails};
	$self->read_ready(20) or die "it did not start:\n" . $self->words;
	return $self;
}

sub spawn {
	my ($self, $argv, $o) = @_;
	pipe my $ready, my $tell or die "pipe: $!";
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		close $ready;
		open STDIN, '<', '/dev/null';
		open STDOUT, '>>', $self->{out};
		open STDERR, '>&', \*STDOUT;
		fcntl $tell, F_SETFD, 0;
		%ENV = (%ENV, HOME => "$self->{dir}/home", %{ $o->{env} || {} });
		exec @{ $o->{prefix} || [] }, @$argv, '--ready-fd', fileno $tell
		    or POSIX::_exit(127);
	}
	close $tell;
	@$self{qw(pid ready tester)} = ($pid, $ready, $$);
}

# Wait for the line that says where it serves.
sub read_ready {
	my ($self, $timeout) = @_;
	my $end = time + $timeout * $PATIENCE;
	my $line = '';
	my $select = IO::Select->new($self->{ready});
	while ($line !~ /\n/ && $select->can_read($end - time > 0 ? $end - time : 0)) {
		sysread($self->{ready}, $line, 4096, length $line) or last;
	}
	return 0 unless $line =~ /^(.+)\n/;
	$self->{ready_s} = time - $self->{started};
	$self->{address} = tidy_address($1);
	return 1;
}

# ADDR:PORT as we write it: IPv6 in brackets, "unix:" without a port.
sub tidy_address {
	my ($text) = @_;
	return $text if $text =~ /^unix:/;
	my ($host, $port) = $text =~ /^\[?(.*?)\]?:(\d+)$/ or return $text;
	return $host =~ /:/ ? "[$host]:$port" : "$host:$port";
}

# ---- what it is ----

sub address { return $_[0]{address} }
sub url { return "http://$_[0]{address}" }
sub port { return ($_[0]{address} =~ /:(\d+)$/)[0] }
sub dir { return "$_[0]{dir}" }
sub log { return $_[0]{log} }
sub pid { return $_[0]{pid} }

# Everything it said, in its log and on its output.
sub words {
	my ($self) = @_;
	my $words = read_file($self->{out}) . read_file($self->{log});
	utf8::decode($words);
	return $words;
}

# Living children: pid => command line.
sub children {
	my ($self) = @_;
	my %found;
	for my $stat (glob '/proc/[0-9]*/stat') {
		my ($pid) = $stat =~ /(\d+)/;
		my ($state, $parent) = read_file($stat) =~ /\) (\S) (\d+) / or next;
		next if $parent != $self->{pid} || $state eq 'Z';
		$found{$pid} = read_file("/proc/$pid/cmdline") =~ tr/\0/ /r;
	}
	return %found;
}

sub children_of_kind {
	my ($self, $kind) = @_;
	my %all = $self->children;
	my @pids = grep { $all{$_} =~ /--child[ =]$kind/ } keys %all;
	return sort { $a <=> $b } @pids if wantarray;
	return scalar @pids;
}

sub workers { return $_[0]->children_of_kind('worker') }
sub keepers { return $_[0]->children_of_kind('keeper') }

# Memory of these processes, or of all of a server, in kB: shared pages count once, and the pages of
# files, which the kernel may drop, do not count.
sub memory_kb {
	my @pids = map { ref $_ ? ($_->pid, keys %{ { $_->children } }) : $_ } @_;
	my $sum = 0;
	for my $pid (@pids) {
		my $text = read_file("/proc/$pid/smaps_rollup");
		$sum += $1 while $text =~ /^Pss_(?:Anon|Shmem): +(\d+)/mg;
	}
	return $sum;
}

# Kill one worker at random (or the named one) with SIGKILL; its pid.
sub kill_worker {
	my ($self, $pid) = @_;
	my @workers = $self->workers;
	$pid //= $workers[rand @workers];
	kill KILL => $pid;
	return $pid;
}

# ---- talking to it ----

# One request on a fresh connection.
sub http {
	my ($self, @request) = @_;
	return HTTP->once($self->{address}, @request);
}

# A client that keeps its connection.
sub client { my ($self, @o) = @_; return HTTP->new($self->{address}, @o) }

# A WebSocket, which stop() will close if it is still open.
sub ws {
	my ($self, @o) = @_;
	my $ws = WS->connect($self->{address}, @o);
	weaken($self->{sockets}[@{ $self->{sockets} || [] }] = $ws);
	return $ws;
}

# POST /input; more members of the body and 'header' may be given.
sub input {
	my ($self, $prompt, %more) = @_;
	my $header = delete $more{header};
	return $self->http(POST => '/input', $header, { prompt => $prompt, %more });
}

# The value of a metric, all its labels added up.
sub metric {
	my ($self, $name) = @_;
	my $sum = 0;
	for (split /\n/, $self->http(GET => '/metrics')->{body}) {
		$sum += $1 if /^\Q$name\E(?:\{[^}]*\})? (\S+)/;
	}
	return $sum;
}

# Let time pass for all its processes.
sub pass {
	my ($self, $seconds) = @_;
	$self->{moved_ms} += $seconds * 1000;
	open my $f, '+<:raw', $self->{clock} or die "$self->{clock}: $!";
	syswrite $f, pack 'q', $self->{moved_ms};
}

# Set the wall clock ahead, or back, and nothing else.
sub set_clock {
	my ($self, $seconds) = @_;
	open my $f, '+<:raw', $self->{clock} or die "$self->{clock}: $!";
	seek $f, 8, 0;
	syswrite $f, pack 'q', $seconds * 1000;
}

sub signal { my ($self, $name) = @_; return kill $name => $self->{pid} }

# ---- the end ----

# From now on the master is another process, which need not be our child.
sub adopt {
	my ($self, $pid) = @_;
	@$self{qw(pid status is_adopted)} = ($pid, undef, 1);
}

# The end of such a process: it is well if that is the last it logs.
sub wait_adopted {
	my ($self, $timeout) = @_;
	return undef unless wait_for($timeout, sub { !kill 0 => $self->{pid} });
	$self->{status} = $self->words =~ /pid=$self->{pid}: stopped$/m ? 0 : 1;
	return $self->{status};
}

# Wait for the master to end: its exit status, undef when it does not.
sub wait_exit {
	my ($self, $timeout) = @_;
	return $self->{status} if defined $self->{status};
	return $self->wait_adopted($timeout // 40) if $self->{is_adopted};
	my $done = wait_for($timeout // 40,
		sub { waitpid($self->{pid}, WNOHANG) });
	return undef if $done != $self->{pid};
	$self->{status} = $? & 127 ? 128 + ($? & 127) : $? >> 8;
	return $self->{status};
}

# End it as an init script would, and look at what it left.
sub stop {
	my ($self, $signal) = @_;
	$_->close for grep { $_ && $_->socket->opened } @{ $self->{sockets} || [] };
	$self->signal($signal // 'TERM');
	my $status = $self->wait_exit;
	Test::More::is($status, 0, ($self->{program} // 'co-hostd') . ' ended well');
	return $self->check_words;
}

# Fail the test if a sanitizer or an assertion spoke.
sub check_words {
	my ($self) = @_;
	my @bad = grep { /AddressSanitizer|LeakSanitizer|runtime error:|\bpanic\b/ }
	    split /\n/, $self->words;
	Test::More::is("@bad[0 .. ($#bad > 4 ? 4 : $#bad)]", '',
		'its log has no panic and no sanitizer report');
}

sub DESTROY {
	my ($self) = @_;
	return if !$self->{pid} || $self->{tester} != $$;
	local ($?, $!, $@);
	return if defined $self->{status};
	my %children = $self->children;
	kill KILL => $self->{pid}, keys %children;
	waitpid $self->{pid}, 0;
	Test::More::diag($self->words =~ s/.*?((?:[^\n]*\n){0,30})\z/$1/sr)
	    unless Test::More->builder->is_passing;
}

1;
