#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The page in a real browser: files that are sent, images that come, and other names of the server.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(write_file);
use Page;
use Test::More;

Page::needs_browser();

my $home = CoHost::directory();
my $dot = 'data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';
write_file("$home/agent.sh", <<"END");
read task
echo '{"type":"agent_image","image":"http://127.0.0.1:9/seen.png"}'
echo '{"type":"agent_image","image":"$dot"}'
echo '{"type":"agent_image","image":"data:text/html,x"}'
echo '{"type":"OUTPUT","result":"looked"}'
END
my $host = CoHost->start(workers => 2, yaml => "max_file_size: 1\n");

sub serve {
	my $port = $host->port;
	$host->stop;
	$host = CoHost->start(dir => $home, workers => 1, port => $port, agent => "exec:sh $home/agent.sh");
	return 1;
}

Page::story('files', $host, serve => \&serve);
$host->stop;

$host = CoHost->start(workers => 2, yaml => "allowed_hosts: agent.test\n");
Page::story('names', $host);
$host->stop;
done_testing;
