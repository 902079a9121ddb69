# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Hosts;

# The hosts that bench/peers compares, each serving bench/agent.py, and how they are played.
#
# A host is {name, port, pid, address}; ->{end} ends it.
use strict;
use warnings;

use Bench qw(cpu_tree words);
use Clients;
use CoHost qw(source wait_for write_file);
use Exporter qw(import);
use File::Temp ();
use HTTP;
use IO::Socket::IP;
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(ours theirs play lines_for settle);

my $FILE = source('bench/agent.py');
my $FOLDER = source('bench');
my $work = File::Temp->newdir('peers-XXXXXX', TMPDIR => 1);
my $n_theirs = 0;

# ---- start ----

sub free_port {
	my $s = IO::Socket::IP->new(LocalHost => '127.0.0.1', Listen => 1) or die $@;
	return $s->sockport;
}

sub finish {
	my ($host) = @_;
	wait_for(60, sub { ($host->{info} = eval {
		HTTP->once("127.0.0.1:$host->{port}", GET => '/info')->{json} }) })
	    or die "$host->{name} does not answer\n";
	$host->{address} = $host->{info}{address};
	return $host;
}

# One that does not stop when told to is killed: what it still does would disturb the next.
sub end_group {
	my ($pid) = @_;
	kill TERM => -$pid;
	wait_for(5, sub { waitpid($pid, WNOHANG) == $pid }) and return;
	kill KILL => -$pid;
	waitpid $pid, 0;
}

# The host of the Python package, with so many processes.
sub theirs {
	my ($python, $workers) = @_;
	my $dir = "$work/theirs" . ++$n_theirs;
	mkdir $_ for $dir, "$dir/.co", "$dir/home";
	write_file("$dir/.co/host.yaml", "trust: open\nlimit_requests: 0\n");
	my $port = free_port();
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		POSIX::setpgid(0, 0);
		chdir $dir;
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', "$dir/out";
		open STDERR, '>&', \*STDOUT;
		%ENV = (%ENV, HOME => "$dir/home", PORT => $port, PYTHONDONTWRITEBYTECODE => 1,
			CONNECTONION_BACKEND_URL => 'http://127.0.0.1:1');
		exec $python, $FILE if $workers == 1;
		$ENV{SERVE_APP} = 1;
		exec $python, '-m', 'uvicorn', 'agent:app', '--app-dir', $FOLDER,
		    '--workers', $workers, '--port', $port, '--log-level', 'warning';
	}
	return finish({ name => 'the Python host', port => $port, pid => $pid,
		end => sub { end_group($pid) } });
}

# The co-hostd of a build folder; o: agent ("python:FILE" by default), settings.
sub ours {
	my ($build, $python, $workers, %o) = @_;
	my $agent = $o{agent} // "python:$FILE";
	my @settings = @{ $o{settings} || [] };
	unshift @settings, "python=$python" if $agent =~ /^python:/;
	local $ENV{TOP_BUILDDIR} = $build;
	my $host = CoHost->start(workers => $workers, agent => $agent,
		yaml => "trust: open\nlimit_requests: 0\ndrain_timeout: 1\n",
		args => [map { ('-o', $_) } @settings]);
	return finish({ name => "$build/co-hostd", port => $host->port, pid => $host->pid,
		end => sub { $host->stop } });
}

# ---- scenes ----

# A file of requests for a host, one a line, as bench/sign makes them; "plain": unsigned.
sub lines_for {
	my ($kind, $host, $n, @prompt) = @_;
	my $name = "$work/lines-$kind";
	if ($kind eq 'plain') {
		write_file($name, qq({"prompt":"$prompt[0]"}\n) x $n);
		return $name;
	}
	my $sign = CoHost::program('bench/sign');
	system("'$sign' $kind $host->{address} $n @{[map { qq('$_') } @prompt]} > $name") == 0
	    or die "sign failed\n";
	return $name;
}

sub play {
	my ($host, $scene, $lines, @more) = @_;
	return words(CoHost::program('bench/signed'), $scene, $host->{port}, $lines, @more);
}

# Wait until a host has nothing left to do, such as processes to prepare.
sub settle {
	my ($host) = @_;
	my $end = time + 10;
	my ($before, $now) = (0, cpu_tree($host->{pid}));
	while ($now - $before > 0.02 && time < $end) {
		sleep 0.5;
		($before, $now) = ($now, cpu_tree($host->{pid}));
	}
}

1;
