#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# agent_pool keeps processes warm: a turn gets one that has started already, one process
# does one turn, and each is replaced.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file read_file);
use Test::More;

my $dir = File::Temp->newdir(TMPDIR => 1);
write_file("$dir/agent.sh", <<"END");
sleep 1
echo \$\$ >>$dir/pids
read -r line
echo '{"type":"OUTPUT","result":"'\$\$'"}'
END
my $host = CoHost->start(workers => 1, agent => "exec:sh $dir/agent.sh",
	yaml => "agent_pool: 2\n");

sub pids { return split /\n/, read_file("$dir/pids") }

ok wait_for(10, sub { pids() >= 2 }), 'two processes start before the first turn';
my @used = map { $host->input('hi')->{json}{result} } 1 .. 2;
is_deeply [sort @used], [sort +(pids())[0, 1]],
    'each process of the pool did one turn, which did not wait for a new one';
ok wait_for(10, sub { pids() >= 4 }), 'each used process of the pool is replaced';

my @warm = (pids())[-2, -1];
kill KILL => @warm;
ok wait_for(10, sub { pids() >= 6 }), 'killed processes of the pool are replaced';
like $host->input('hi')->{json}{result}, qr/^\d+$/, 'turns run after the pool was killed';
$host->stop;
ok wait_for(10, sub { !grep { kill 0, $_ } pids() }),
    'no process of the pool is left after a stop';
done_testing;
