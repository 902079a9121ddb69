#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# nginx in front of co-relayd, with the configuration of the README (without its certificate).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/clients";

use Clients;
use CoHost qw(lacks read_file run source wait_for write_file);
use CoRelay;
use Test::More;

my ($nginx) = grep { -x } map { "$_/nginx" } split(/:/, $ENV{PATH}), '/usr/sbin';
lacks 'nginx is not installed' unless $nginx;

my ($block) = read_file(source('README')) =~ /^(\tserver \{\n.*?^\t\}\n)/ms;
ok $block, 'the README has a server block for the relay';
my $relay = CoRelay->start(workers => 2, args => ['-o', 'trusted_proxies=127.0.0.1',
	'-o', 'limit_lookups=3']);
my $front = '127.0.0.1:' . Clients::free_port();
my $dir = $relay->dir;
$block =~ s/listen 443 ssl;/listen $front;/;
$block =~ s/^\s*ssl_\w+ .*\n//mg;
$block =~ s{http://127\.0\.0\.1:8010}{$relay->url}e;
my $user = $> == 0 ? 'user root;' : '';
write_file("$dir/nginx.conf", "$user pid $dir/nginx.pid; error_log $dir/nginx.log; daemon on;\n"
	. "events { worker_connections 512; }\nhttp {\naccess_log off;\nclient_body_temp_path $dir/body;\n"
	. "proxy_temp_path $dir/proxy;\n$block}\n");
is run([$nginx, '-p', "$dir", '-c', "$dir/nginx.conf"])->{status}, 0, 'nginx takes the configuration';
ok wait_for(10, sub { eval { HTTP->once($front, GET => '/health')->{status} == 200 } }),
    'nginx leads to the relay';

my $agent = $relay->agent;
my $far = WS->connect($front, path => '/ws/input');
is $far->status, 101, 'a WebSocket passes through nginx';
$far->send_json({ type => 'CONNECT', to => $agent->address, n => 1 });
my $frame = $agent->next_frame;
is $frame->{n}, 1, 'a client behind nginx reaches its agent';
my $text = 'x' x 2_000_000;
$agent->answer($frame, type => 'OUTPUT', text => $text);
ok +($far->next(type => 'OUTPUT') // {})->{text} eq $text, '2 MB come back through nginx';

# Clients are told apart by X-Forwarded-For, which only nginx may say.
my $path = '/api/agents/' . $agent->address;
my @status = map { HTTP->once($front, GET => $path)->{status} } 1 .. 5;
is "@status[0 .. 4]", '200 200 200 429 429', 'limits hold for a client behind nginx';
is $relay->http(GET => $path, { 'x-forwarded-for' => '203.0.113.7' })->{status}, 200,
    'limits do not count all clients of nginx as one';

my ($pid) = read_file("$dir/nginx.pid") =~ /(\d+)/;
kill QUIT => $pid;
$far->close;
$relay->stop;
done_testing;
