#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The examples of co-connect, as README prints them: agents in one terminal, use in another.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program read_file run source wait_for);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use POSIX qw(WNOHANG);
use Sign qw(key_of);
use Test::More;

my $dir = tempdir(CLEANUP => 1);
my $env = "$dir/co-examples/agents.env";
my %env = (HOME => "$dir/home", PATH => dirname(program('co-hostd')) . ":$ENV{PATH}",
	RELAY_URL => undef);
my $out = "$dir/out";

my $pid = fork // die "fork: $!";
if (!$pid) {
	open STDIN, '<', '/dev/null';
	open STDOUT, '>', $out;
	open STDERR, '>&', \*STDOUT;
	chdir $dir;
	%ENV = (%ENV, %env{qw(HOME PATH)});
	delete $ENV{RELAY_URL};
	exec source('examples/agents.sh') or POSIX::_exit(127);
}
ok wait_for(30, sub { -e $env || waitpid $pid, WNOHANG }) && -e $env, 'agents.sh starts its agents'
    or diag read_file($out);
ok wait_for(5, sub { read_file($out) =~ /^The agents are ready/m }), 'agents.sh says when they are ready';

# An example in the second terminal.
sub example {
	my ($name) = @_;
	my $path = source("examples/$name");
	my $r = run(['sh', '-c', ". co-examples/agents.env; exec $path"], dir => $dir, env => \%env);
	is $r->{status}, 0, "$name ends well" or diag $r->{out};
	return $r->{out};
}

is example('two-terminals.sh'), "The result of 42 * 17 is 714.\nWeather in Seattle: Sunny, 72°F\n"
    =~ s/°/\xc2\xb0/r, 'an agent of the other terminal answers';
is example('several-agents.sh'),
    "REPORT. Demand for AI trends grows, and prices fall.\n",
    'agents build on answers of each other';
is example('pool.sh'), join('', map { "worker$_->[0] did Task $_->[1]\n" } [1, 1], [2, 2], [3, 3], [1, 4]),
    'a pool shares the tasks';
is example('multi-turn.sh'), "The result is 150\nThe result is 300\n",
    'the agent remembers what was said in the run before';
my $text = example('workflow.sh');
like $text, qr/researcher\(.*researcher: Demand.*analyst\(.*writer\(/s, 'the client of a workflow sees who works';
like $text, qr/^REPORT\. .*Demand for AI market trends grows/m, 'a hosted agent uses three others';
is example('retry.sh'), "The result of 6 * 7 is 42.\n", 'an agent that is there is reached at once';

# An agent that comes after its client.
my ($relay) = read_file($env) =~ /RELAY_URL=(\S+)/;
my $late = CoHost->start(workers => 1, relay => $relay);
my $address = key_of($late)->{address};
$late->stop;
open my $retry, '-|', 'sh', '-c', "cd '$dir'; . co-examples/agents.env; exec '" . source('examples/retry.sh')
    . "' $address 2>&1" or die $!;
$late = CoHost->start(workers => 1, relay => $relay, dir => $late->dir);
is join('', <$retry>), "The result of 6 * 7 is 42.\n", 'an agent that comes late is waited for';
close $retry;
$late->stop;

kill TERM => $pid;
ok wait_for(30, sub { waitpid $pid, WNOHANG }), 'agents.sh stops when it is told to';
ok !-e $env, 'agents.sh takes the addresses back when it stops';
unlike read_file($out), qr/AddressSanitizer|runtime error:/, 'no sanitizer speaks in the examples';

# Each file has its line, and each line its file.
my $readme = read_file(source('README'));
for my $path (glob source('examples/*')) {
	my $name = $path =~ s{.*/}{}r;
	like $readme, qr{examples/\Q$name\E\b}, "README says what $name is for";
}
for my $name ($readme =~ m{(?<![\w-])examples/([\w.-]+\w)}g) {
	my $path = source("examples/$name");
	if ($name =~ /\.c$/) {
		ok -f $path && !-x $path, "$name of README is there to be compiled";
	} else {
		ok -x $path, "$name of README can be executed";
	}
}
done_testing;
