#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Behind a real nginx with conf/nginx.conf: HTTP, WebSocket, event streams, uploads.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(lacks read_file run source wait_for write_file);
use IO::Socket::IP;
use MIME::Base64 qw(encode_base64);
use Test::More;

my ($nginx) = grep { -x } map { "$_/nginx" } split(/:/, $ENV{PATH}), '/usr/sbin';
lacks 'nginx is not installed' unless $nginx;

my $host = CoHost->start(args => ['-o', 'trusted_proxies=127.0.0.1']);
my $dir = $host->dir . '/nginx';
mkdir $dir;

# The file as it is shipped, with our ports.
my $listen = IO::Socket::IP->new(LocalHost => '127.0.0.1', Listen => 1, ReuseAddr => 1) or die $@;
my $front = '127.0.0.1:' . $listen->sockport;
close $listen;
my $conf = read_file(source('conf/nginx.conf'));
$conf =~ s/127\.0\.0\.1:8000/$host->address/ge or die 'conf/nginx.conf has no 127.0.0.1:8000';
$conf =~ s/^(\s*listen\s+)\[::\]:.*$//mg;
$conf =~ s/^(\s*listen\s+)[^;]+;/$1$front;/mg;
$conf = "events { worker_connections 512; }\nhttp {\n$conf\n}\n" unless $conf =~ /^\s*http\s*\{/m;
my $user = $> == 0 ? "user root;\n" : '';
$conf =~ s/^\s*(?:user|pid|error_log)\s[^;]*;//mg;
$conf =~ s/^\s*access_log\s[^;]*;//mg;
$conf =~ s/^(\s*http\s*\{)/$1\naccess_log off; client_body_temp_path $dir\/body; proxy_temp_path $dir\/proxy;/m;
write_file("$dir/nginx.conf", "$user pid $dir/pid; error_log $dir/error.log; daemon on;\n$conf");
my $r = run([$nginx, '-p', $dir, '-c', "$dir/nginx.conf"]);
is $r->{status}, 0, 'nginx accepts conf/nginx.conf' or diag $r->{out};
ok wait_for(5, sub { eval { HTTP->once($front, GET => '/health'); 1 } }),
    'nginx serves with conf/nginx.conf';
my ($pid) = read_file("$dir/pid") =~ /(\d+)/;
END { kill QUIT => $pid if $pid }

is(HTTP->once($front, GET => '/health')->{json}{status}, 'healthy', 'GET passes through nginx');
is(HTTP->once($front, GET => '/sessions')->{status}, 401,
    'an unsigned peer behind nginx is not taken for loopback');
$r = HTTP->once($front, POST => '/input', {}, { prompt => 'echo through' });
is $r->{json}{result}, 'through', 'POST passes through nginx';
$r = HTTP->once($front, POST => '/input', {}, { prompt => 'look',
	files => [{ name => 'big', data => encode_base64('x' x (9 * 2**20), '') }] });
is $r->{status}, 200, 'a file of 9 MB passes through nginx';

my $ws = WS->connect($front, session => { session_id => 'proxied' });
is +($ws->turn('stream 100'))[-1]{result}, 'Streamed 100 steps.',
    'a WebSocket passes through nginx';
my $t = WS->roam($front, prompt => 'stream 60 10', cuts => 5, frames => 122);
is $t->{end}{result}, 'Streamed 60 steps.',
    "a turn through nginx ends well over a line cut $t->{cuts} times";
is_deeply $t->{problems}, [], 'replays through nginx keep to the protocol';

my $c = HTTP->new($front);
$c->send(POST => '/input', { accept => 'text/event-stream' }, { prompt => 'stream 3 700' });
is $c->head->{status}, 200, 'an event stream passes through nginx';
ok $c->event(2), 'nginx passes the first event on at once';
my $n = 1;
$n++ while $c->event;
cmp_ok $n, q(>=), 9, 'nginx passes all events on';
$ws->close;
$host->stop;
done_testing;
