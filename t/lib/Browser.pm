# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Browser;

# A page in headless Chromium, driven through chromedriver (W3C WebDriver).
#
#   my $page = Browser->open('http://127.0.0.1:8000/docs') or plan skip_all => ...;
#   $page->type('#prompt', 'echo hi'); $page->click('#send');
#   $page->wait(sub { $page->text('#answer') eq 'hi' });
#   my @bad = $page->complaints;       # errors on the console
#   $page->close;
#
# Browser->open($url, @arguments) gives more arguments to the browser.
#
#   my $site = Browser::Site->serve($html);   # a web server of another origin with one page
#   $page->go("http://localhost:$site->{port}/");
use strict;
use warnings;

use CoHost qw(wait_for);
use File::Temp ();
use HTTP;
use IO::Socket::IP;
use JSON::PP ();
use POSIX ();

# The key of an element in WebDriver's JSON.
my $ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

my @ARGUMENTS = (qw(--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run),
    qw(--disable-dev-shm-usage --disable-background-networking --disable-sync),
    qw(--disable-component-update), '--window-size=1000,1400');

sub is_there {
	return -x '/usr/bin/chromium' && -x '/usr/bin/chromedriver';
}

sub open {
	my ($class, $url, @more) = @_;
	my $self = bless { dir => File::Temp->newdir('browser-XXXXXX', TMPDIR => 1),
		tester => $$ }, $class;
	$self->start_driver;
	my $r = $self->ask(POST => '/session', { capabilities => { alwaysMatch => {
		browserName => 'chrome',
		'goog:loggingPrefs' => { browser => 'ALL' },
		'goog:chromeOptions' => { binary => '/usr/bin/chromium',
			args => [@ARGUMENTS, @more, "--user-data-dir=$self->{dir}/profile"] },
	} } });
	$self->{path} = "/session/$r->{sessionId}";
	$self->go($url);
	return $self;
}

sub go {
	my ($self, $url) = @_;
	$self->ask(POST => "$self->{path}/url", { url => $url });
}

# chromedriver tells its port on its output.
sub start_driver {
	my ($self) = @_;
	my $out = "$self->{dir}/out";
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		POSIX::setsid();
		CORE::open STDIN, '<', '/dev/null';
		CORE::open STDOUT, '>', $out;
		CORE::open STDERR, '>&', \*STDOUT;
		$ENV{HOME} = "$self->{dir}";
		exec '/usr/bin/chromedriver', '--port=0' or POSIX::_exit(127);
	}
	$self->{pid} = $pid;
	my $port = wait_for(30, sub {
		(CoHost::read_file($out) =~ /successfully on port (\d+)/)[0] })
	    or die "chromedriver did not start\n";
	$self->{address} = "127.0.0.1:$port";
}

sub ask {
	my ($self, $method, $path, $body) = @_;
	my $r = HTTP->once($self->{address}, $method, $path, {}, $body);
	my $value = $r && $r->{json} ? $r->{json}{value} : undef;
	die "browser: $path: " . ($r ? $r->{body} : 'no answer') . "\n"
	    if !$r || $r->{status} != 200;
	return $value;
}

sub find {
	my ($self, $css) = @_;
	return $self->ask(POST => "$self->{path}/element",
		{ using => 'css selector', value => $css })->{$ELEMENT};
}

sub click {
	my ($self, $css) = @_;
	$self->ask(POST => "$self->{path}/element/" . $self->find($css) . '/click', {});
}

sub type {
	my ($self, $css, $text) = @_;
	$self->ask(POST => "$self->{path}/element/" . $self->find($css) . '/value',
		{ text => $text });
}

# What the script returns, or its promise resolves to.
sub run {
	my ($self, $script, @args) = @_;
	return $self->ask(POST => "$self->{path}/execute/sync",
		{ script => $script, args => \@args });
}

sub text {
	my ($self, $css) = @_;
	return $self->run('return document.querySelector(arguments[0]).textContent', $css);
}

sub is_seen {
	my ($self, $css) = @_;
	return $self->run('const e = document.querySelector(arguments[0]);'
	    . ' return !!e && e.offsetParent !== null', $css);
}

sub wait { my ($self, $is_so) = @_; return wait_for(20, $is_so) }

# Errors that the page left on the console.
sub complaints {
	my ($self) = @_;
	my $log = $self->ask(POST => "$self->{path}/se/log", { type => 'browser' });
	return map { $_->{message} } grep { $_->{level} eq 'SEVERE' } @$log;
}

sub close {
	my ($self) = @_;
	my $pid = delete $self->{pid} or return;
	eval { HTTP->once($self->{address}, DELETE => $self->{path}) } if $self->{path};
	kill KILL => -$pid;
	waitpid $pid, 0;
}

sub DESTROY {
	my ($self) = @_;
	local ($?, $!, $@);
	$self->close if $self->{tester} == $$;
}

package Browser::Site;

# Browsers also connect without saying anything, so each connection has a process of its own.
# The server ends with its object, or after five minutes.
sub serve {
	my ($class, $html) = @_;
	my $listener = IO::Socket::IP->new(LocalHost => '127.0.0.1', LocalPort => 0, Listen => 20)
	    or die "listen: $!";
	my $pid = fork // die "fork: $!";
	return bless { pid => $pid, port => $listener->sockport, tester => $$ }, $class if $pid;
	setpgrp;
	alarm 300;
	$SIG{CHLD} = 'IGNORE';
	CORE::close $_ for \*STDOUT, \*STDERR;
	while (my $c = $listener->accept) {
		next if fork;
		alarm 60;
		sysread $c, my $request, 65536;
		print $c "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n"
		    . 'content-length: ' . length($html) . "\r\n\r\n$html";
		CORE::close $c;
		POSIX::_exit(0);
	}
	POSIX::_exit(0);
}

sub DESTROY {
	my ($self) = @_;
	local ($?, $!, $@);
	return if $self->{tester} != $$;
	kill KILL => -$self->{pid}, $self->{pid};
	waitpid $self->{pid}, 0;
}

1;
