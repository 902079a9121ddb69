#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The disk under the directory of co-relayd is full: agents and clients do not notice, and
# what could not be written is written once there is room, by the next ANNOUNCE.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program wait_for);
use CoRelay;
use Fault;
use POSIX ();
use Test::More;

my $dir = File::Temp->newdir('corelayd-XXXXXX', TMPDIR => 1);
my $disk = Fault->new($dir);
my $relay = CoRelay->start(dir => $dir, workers => 1, clock => 1, env => { $disk->env },
	args => ['-o', 'limit_announces=0']);

sub record_of { return $relay->http(GET => "/api/agents/$_[0]")->{status} }

like qx(@{[program('co-relayd')]} -p 0 -d '$dir/relay' 2>&1), qr/error co-relayd pid=.*another co-relayd serves/,
    'a second relay on the same directory is refused, in the name of co-relayd';

$disk->fail('directory.db-wal', meta => POSIX::ENOSPC, data => POSIX::ENOSPC);
my $agent = $relay->agent;
my $client = $relay->client($agent);
is $agent->next_frame->{type}, 'CONNECT', 'an agent is reached although the disk is full';
ok wait_for(10, sub { $relay->counter('directory_errors_total') }),
    'a record that could not be written is counted as an error';
is $relay->counter('records_written_total'), 0, 'a record that could not be written is not counted as written';
is record_of($agent->address), 404, 'a record that could not be written is not told';

$disk->heal;
$relay->pass(60);
$agent->send_json($relay->announce($agent->{key}));
is $agent->next_frame->{type}, 'ANNOUNCE_OK', 'the agent announces itself again, as it was';
ok wait_for(10, sub { record_of($agent->address) == 200 }),
    'an ANNOUNCE that says nothing new writes the record that is missing';
is $relay->counter('records_written_total'), 1, 'a record that was written is counted';
$relay->stop;
done_testing;
