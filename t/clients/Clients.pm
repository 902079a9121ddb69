# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Clients;

# Stories that published clients tell (t/clients/*.py, *.mjs), as part of a test in Perl.
#
#   my $python = Clients::python();        # or skip
#   Clients::stories([$python, $script, $url, 'talk'], $dir, { INVITE => 'x' });
use strict;
use warnings;

use CoHost qw(read_file run source wait_for write_file);
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp ();
use HTTP;
use IO::Socket::IP;
use POSIX qw(WNOHANG);
use Test::More ();

# What scripts/setup --tests made, in the build folder or in one above it.
sub installed {
	my ($what, $list, $made_from) = @_;
	$made_from //= read_file(source("t/clients/$list"));
	my $dir = abs_path($ENV{TOP_BUILDDIR} // 'build');
	while (defined $dir && $dir ne '/') {
		for my $place ("$dir/$what", "$dir/build/$what") {
			return $place if read_file("$place/made-from") eq $made_from;
		}
		$dir = dirname($dir);
	}
	return undef;
}

# The interpreter that has the Python client.
sub python {
	my $venv = installed('venv', 'requirements.txt');
	return $venv && "$venv/bin/python";
}

# The folder with the JavaScript client in its node_modules.
sub node { return installed('node', 'package-lock.json') }

# The interpreter that has an older version of the package, and one whose command co starts.
sub older { return interpreter('older') }
sub co { return interpreter('co') }

# Those that have the clients of Socket.IO.
sub socketio_python { return interpreter('socketio') }
# That with OpenHands' SDK, which only the stories of t/clients need.
sub sdk { return interpreter('sdk') }
sub socketio_node { return installed('socketio-node', 'socketio/package-lock.json') }

# More of these, and a server, which "make test-clients" and "make bench" install.
sub socketio_more { return installed('socketio-more', 'socketio-more/package-lock.json') }

# What the programs of Onsembl need, which "make test-clients" installs.
sub onsembl { return installed('onsembl', 'onsembl/package-lock.json') }

# The folder with a client of t/clients/drivers: a language, or websocat. Otherwise undef and why.
sub driver {
	my ($name) = @_;
	my $folder = source("t/clients/drivers/$name");
	my $all = join '', map { read_file($_) } sort glob "$folder/* $folder/src/*";
	my $place = installed("driver-$name", undef, $all);
	my $why = read_file(($ENV{TOP_BUILDDIR} // 'build') . "/driver-$name/left-out");
	return ($place, $why);
}

sub interpreter {
	my ($name) = @_;
	my $place = installed($name, "$name.txt");
	return $place && "$place/bin/python";
}

# The interpreters that have an early version of the package, by this version.
sub early {
	my $dir = installed('early', 'early.txt') // return;
	return map { m{([^/]+)/bin/python$} ? ($1 => $_) : () } glob "$dir/*/bin/python";
}

# Run a story-teller and take over its TAP lines. HOME is a folder of its own, and nothing
# names a server that is not ours.
sub stories {
	my ($argv, $home, $env) = @_;
	my $r = run($argv, timeout => 240, dir => $home, env => {
		HOME => $home, AGENT_CONFIG_PATH => "$home/.co", PYTHONDONTWRITEBYTECODE => 1,
		CONNECTONION_BACKEND_URL => 'http://127.0.0.1:1', CO_INVITE_CODE => undef,
		%{ $env || {} } });
	utf8::decode($r->{out});
	my $told = $r->{out} =~ /^# the end$/m && $r->{status} == 0;
	for (split /\n/, $r->{out}) {
		Test::More::ok($1 eq 'ok', $2) if /^(ok|not ok) - (.*)/;
	}
	Test::More::ok($told, 'the story came to its end') or Test::More::diag("status $r->{status}");
	Test::More::diag($r->{out}) if !$told || $r->{out} =~ /^not ok/m;
}

# A server for strangers of any kind, or with a door, as the rest of a host.yaml.
my $MAY_CALL = <<'END';
permissions:
  calculate: {allowed: true, source: config, reason: pure}
  nothing: {allowed: true, source: config, reason: not there}
  step: {allowed: true, source: config, reason: pure}
  ask_user: {allowed: true, source: config, reason: pure}
END

sub host {
	my (%o) = @_;
	my $trust = delete $o{trust} // 'open';
	# A Python agent's host() comes before host.yaml.
	return CoHost->start(agent => 'demo', %o, env => { TRUST => $trust, %{ $o{env} // {} } },
		yaml => "trust: $trust\n$MAY_CALL");
}

sub free_port {
	my $s = IO::Socket::IP->new(LocalHost => '127.0.0.1', Listen => 1) or die $@;
	return $s->sockport;
}

# The host of the Python package itself with t/clients/agent.py, in a folder of its own:
# {url, address, dir, pid}, ended by package_end().
sub package_host {
	my ($python, %env) = @_;
	my $host = { dir => File::Temp->newdir('package-XXXXXX', TMPDIR => 1), port => free_port() };
	my $dir = "$host->{dir}";
	mkdir $_ for "$dir/.co", "$dir/home";
	write_file("$dir/.co/host.yaml", "limit_requests: 0\n$MAY_CALL");
	$host->{pid} = fork // die "fork: $!";
	if (!$host->{pid}) {
		POSIX::setpgid(0, 0);
		chdir $dir;
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', "$dir/out";
		open STDERR, '>&', \*STDOUT;
		%ENV = (%ENV, HOME => "$dir/home", PORT => $host->{port}, PYTHONDONTWRITEBYTECODE => 1,
			AGENT_CONFIG_PATH => "$dir/.co", %env);
		exec $python, source('t/clients/agent.py') or POSIX::_exit(127);
	}
	$host->{url} = "http://127.0.0.1:$host->{port}";
	$host->{address} = wait_for(60, sub { eval {
		HTTP->once("127.0.0.1:$host->{port}", GET => '/info')->{json}{address} } })
	    or Test::More::diag(read_file("$dir/out"));
	return $host;
}

sub package_end {
	my ($host) = @_;
	kill TERM => -$host->{pid};
	wait_for(10, sub { waitpid($host->{pid}, WNOHANG) == $host->{pid} }) and return;
	kill KILL => -$host->{pid};
	waitpid $host->{pid}, 0;
}

# nginx with conf/nginx.conf in front of a server: its address, and its pid for the end.
sub nginx {
	my ($host) = @_;
	my ($nginx) = grep { -x } map { "$_/nginx" } split(/:/, $ENV{PATH}), '/usr/sbin';
	return unless $nginx;
	my $dir = $host->dir . '/nginx';
	mkdir $dir;
	my $listen = IO::Socket::IP->new(LocalHost => '127.0.0.1', Listen => 1, ReuseAddr => 1)
	    or die $@;
	my $front = '127.0.0.1:' . $listen->sockport;
	close $listen;
	my $conf = read_file(source('conf/nginx.conf'));
	$conf =~ s/127\.0\.0\.1:8000/$host->address/ge;
	$conf =~ s/^(\s*listen\s+)\[::\]:.*$//mg;
	$conf =~ s/^(\s*listen\s+)[^;]+;/$1$front;/mg;
	$conf =~ s/^\s*(?:user|pid|error_log|access_log)\s[^;]*;//mg;
	my $log = "access_log off; client_body_temp_path $dir/body; proxy_temp_path $dir/proxy;";
	$conf = $conf =~ /^\s*http\s*\{/m ? $conf =~ s/^(\s*http\s*\{)/$1\n$log/mr
	    : "events { worker_connections 512; }\nhttp {\n$log\n$conf\n}\n";
	my $user = $> == 0 ? 'user root;' : '';
	write_file("$dir/nginx.conf",
		"$user pid $dir/pid; error_log $dir/error.log; daemon on;\n$conf");
	my $r = run([$nginx, '-p', $dir, '-c', "$dir/nginx.conf"]);
	Test::More::is($r->{status}, 0, 'nginx takes conf/nginx.conf') or Test::More::diag($r->{out});
	Test::More::ok(wait_for(5, sub { eval { HTTP->once($front, GET => '/health'); 1 } }),
		'and serves');
	my ($pid) = read_file("$dir/pid") =~ /(\d+)/;
	return ($front, $pid);
}

1;
