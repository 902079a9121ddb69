#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# agent_processes holds, and fails nobody below it: with control groups, for root without
# them, and for root without them and without the capabilities that containers lack. Where
# nothing can hold it, the start says so. The agent stops by itself far below what could
# hurt the machine.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program wait_for write_file read_file);
use Test::More;

my $LIMIT = 40;
my $TRIES = 150;
my $MARK = '86417.97';

# The environments: this test runs itself in each.
my %wrap = (
	groups => [],
	'no groups' => ['sh', '-c', 'if [ -e /sys/fs/cgroup ]; then '
		. 'mount -t tmpfs -o ro none /sys/fs/cgroup || exit 1; fi; exec "$@"', 'sh'],
);
$wrap{'no groups, no capabilities'} = [@{ $wrap{'no groups'} }, 'setpriv',
	'--bounding-set', '-sys_admin,-sys_resource',
	'--inh-caps', '-sys_admin,-sys_resource'];

# The kernel has one such filter in a tree: behind that of a co-turn there is no other.
my $fifo = File::Temp->newdir(TMPDIR => 1);
$wrap{nothing} = [@{ $wrap{'no groups'} }, 'sh', '-c', "mkfifo $fifo/3; exec 3<>$fifo/3; "
	. 'exec ' . program('co-turn') . ' $PPID 0 0 2000 - "$@"', 'sh'];

if (!@ARGV) {
	plan skip_all => 'only root can be what these limits are for' if $> != 0;
	for my $name (sort keys %wrap) {
		my @way = @{ $wrap{$name} };
		my @own = @way ? ('unshare', '--mount') : ();
		my $r = CoHost::run([@own, @way, $^X, $0, $name], timeout => 60);
		if (@way && $r->{out} !~ /^1\.\.\d+$/m && $r->{out} =~ /unshare|mount|setpriv/) {
			note "$name cannot be made here: $r->{out}";
			next;
		}
		print map { "    $_\n" } split /\n/, $r->{out};
		ok !$r->{status} && $r->{out} !~ /^not ok/m && $r->{out} =~ /^1\.\.\d+$/m,
		    "agents of root with $name";
	}
	done_testing;
	exit;
}

my ($name) = @ARGV;
my $dir = CoHost::directory();
write_file("$dir/agent.pl", <<"END");
\$| = 1;
my \$n = 0;
for (1 .. $TRIES) {
	my \$pid = fork;
	next if !defined \$pid;
	\$n++;
	if (!\$pid) {
		# Half of them lose their parent, and have another session.
		if (\$n % 2) { defined(my \$p = fork) or exit; exit if \$p; setpgrp }
		exec 'sleep', '$MARK';
	}
}
sleep 1;
print qq({"type":"OUTPUT","result":"\$n"}\\n);
END
write_file("$dir/agent.sh", <<"END");
read -r line
case \$line in *many*) exec perl $dir/agent.pl ;; esac
# The shell has a handler for the end of each of these, and forks the next just then.
i=0 bad=0
while [ \$i -lt 200 ]; do
	i=\$((i + 1))
	[ "\$(printf %s abc | tr a b | cat)" = bbc ] || bad=\$((bad + 1))
done
echo '{"type":"OUTPUT","result":"'\$bad'"}'
END
my $host = CoHost->start(dir => $dir, workers => 1, agent => "exec:sh $dir/agent.sh",
	yaml => "agent_processes: $LIMIT\n");

sub marked {
	return grep { read_file($_) =~ /^sleep\x00\Q$MARK\E/ } glob '/proc/[0-9]*/cmdline';
}

if ($name eq 'nothing') {
	like $host->words, qr/warn .*agent_processes cannot be enforced here: .*Serve as another user/,
	    "$name: the log warns, and says what would help";
	is $host->input('pipes')->{json}{result}, 0, "$name: an agent does its turn";
	$host->stop;
	done_testing;
	exit;
}
my $has_groups = $host->words =~ /enforced by control groups/; # some machines have none
my $by = $name eq 'groups' ? qr/control groups|a seccomp filter/ : qr/a seccomp filter/;
like $host->words, qr/agent_processes is enforced by $by/, "$name: the log says what holds";
my $most = 0;
my $ws = $host->ws(session => {});
is +($ws->turn('pipes'))[-1]{result}, 0, "$name: an agent can fork within the limit";
$ws->send_json({ type => 'INPUT', prompt => 'many' });
wait_for(1, sub { my $n = marked(); $most = $n if $n > $most; 0 });
my ($end) = grep { $_->{type} =~ /OUTPUT|ERROR/ } $ws->all_until('OUTPUT', 'ERROR');
cmp_ok $most, '<=', $LIMIT, "$name: there are no more processes than agent_processes";
if ($has_groups) {
	cmp_ok $most, '>=', $LIMIT / 2, "$name: up to the limit there are";
	cmp_ok $end->{result}, '<', $TRIES, "$name: the agent cannot fork above the limit";
} else {
	is $end->{reason}, 'killed', "$name: an agent that has more is killed";
}
ok wait_for(10, sub { !marked() }), "$name: no process is left";
is $host->input('pipes')->{json}{result}, 0, "$name: the next turn has room";
$host->stop;
done_testing;
