#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# HTTP routes that a Python agent registers with host(http=...).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(write_file);
use PyAgent;
use Sign qw(:all);
use Test::More;

PyAgent->need;
my $host = PyAgent->start('routes.py', workers => 2);
my $anna = key_new();

my $r = $host->http(GET => '/public/hello/Ada%20L?a=1&a=2');
is $r->{status}, 200, 'a public route is answered';
is_deeply $r->{json}, { hello => 'Ada L', query => { a => ['1', '2'] }, identity => undef },
    'a route gets its path parameters and query';
is $r->{header}{'access-control-allow-origin'}, '*', 'a public route is open to any origin';
is_deeply $host->http(POST => '/public/echo', {}, { x => [1] })->{json}, { got => { x => [1] } },
    'a handler gets the JSON body';
$r = $host->http(POST => '/public/heads', { host => 'localhost:7' }, 'four');
is $r->{body}, 'localhost:7 4', 'a handler sees Host and Content-Length';
is $r->{header}{'content-type'}, 'text/x-heads', 'a content type among the headers counts';
is $r->{header}{'x-other'}, 'kept', 'other headers of a handler are kept';
my $head = $host->http(HEAD => '/public/hello/x');
is $head->{status}, 200, 'HEAD is answered by the handler for GET';
is $head->{header}{'content-length'}, length $host->http(GET => '/public/hello/x')->{body},
    'HEAD of a route tells the length of what GET gets';
$r = $host->http(GET => '/public/echo');
is "$r->{status} $r->{header}{allow}", '405 POST, OPTIONS',
    'a method that no route has for a path is not allowed';
$r = $host->http(POST => '/public/echo', {}, '{');
is $r->{status}, 400, 'a body that is no JSON is refused';
like $r->{json}{error}, qr/^invalid request body: /,
    'the refusal of a body that is no JSON says so in its text';
is $host->http(GET => '/public/nothing')->{status}, 204, 'a handler without an answer gives 204';
is $host->http(GET => '/public/none')->{status}, 404, 'a route that is not registered is 404';

$r = $host->http(GET => '/contacts/secret');
is $r->{status}, 401, 'an unsigned request to a route for contacts is refused';
my @ask = (GET => '/contacts/secret');
$r = $host->http(@ask, publisher_headers($anna, $host, @ask));
is $r->{status}, 403, "a stranger's request to a route for contacts is refused";
write_file($host->dir . '/.co/contacts.txt', "$anna->{address}\n");
$r = $host->http(@ask, publisher_headers($anna, $host, @ask, request_id => 'second'));
is $r->{status}, 203, "a contact's request to a route for contacts is answered";
is $r->{body}, "for $anna->{address}", 'a handler is told the address of the contact';
is $r->{header}{'x-kind'}, 'secret', 'a handler sets headers';
is +($host->ws(session => {})->turn('calculate 6*7'))[-1]{result}, '42', 'turns go on as ever';
$host->stop;
done_testing;
