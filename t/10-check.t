#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# -t checks a configuration and serves nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(copy_programs program read_file run write_file);
use Test::More;

my $dir = CoHost::directory(yaml => "name: tested\nport: 0\nworkers: 2\n");
my @check = (program('co-hostd'), '-d', "$dir", '-t');
my %env = (env => { HOME => "$dir/home" });

my $r = run(\@check, %env);
is $r->{status}, 0, '-t accepts a good host.yaml';
like $r->{out}, qr/host\.yaml/, '-t names the file that it checked';
unlike $r->{out}, qr/Waiting for tasks/, '-t serves nothing';

write_file("$dir/.co/host.yaml", "name: tested\nport: 123456\n");
$r = run(\@check, %env);
isnt $r->{status}, 0, '-t refuses a bad host.yaml';
like $r->{out}, qr/host\.yaml.*2.*port.*65535/,
    'a refusal by -t names file, line, key and what is allowed';

write_file("$dir/.co/host.yaml", "colour: red\nrem: true\n");
$r = run(\@check, %env);
is $r->{status}, 0, '-t accepts a host.yaml with warnings';
like $r->{out}, qr/settings are valid, with 2 warnings:/, '-t counts the warnings';
unlike $r->{out}, qr/\bgood\b/, '-t calls settings with warnings not good';

# Settings that do nothing with this agent: options, and what is said of them.
my $policy = "---\ndefault: ask\n---\nDecide.\n";
write_file("$dir/.co/host.yaml", "name: tested\n");
write_file("$dir/policy.md", $policy);
for my $case (
	['exec:cat', 'agent_recycle_memory=10', qr/python: agents .*can write RETIRE/],
	['exec:cat', 'agent_recycle_turns=10', qr/python: agents .*can write RETIRE/],
	['exec:cat', 'agent_state=shared', qr/it is for python: agents$/m],
	['exec:cat', 'python=python3.9', qr/it is for python: agents$/m],
	['exec:cat', 'reload=true', qr/python: agents; send HUP/],
	['demo', 'agent_persistent=true', qr/it is for exec: agents/],
	['demo', 'interrupt_grace=7', qr/it is for exec:, python: and c: agents/],
	['demo', 'agent_memory=64', qr/it is for exec:, python: and c: agents/],
	['demo', 'restart=safe', qr/it is for exec:, python: and c: agents/],
	['demo', 'trust_agent=exec:cat', qr/trust never leaves a decision to it$/m,
		'-o', 'trust=open'],
	['demo', 'trust_agent_persistent=true', qr/there is no trust_agent/],
	['demo', 'announce_loopback=never', qr/there is no relay_url/, '-o', 'relay_url='],
) {
	my ($agent, $option, $why, @more) = @$case;
	my ($key) = split /=/, $option;
	$r = run([@check, '-a', $agent, '-o', $option, @more], %env);
	is $r->{status}, 0, "-t accepts $option with agent: $agent";
	my @warnings = $r->{out} =~ /^.*has no effect.*$/mg;
	like "@warnings", qr/^.*\b$key has no effect: .*$why/,
	    "-t warns that $key has no effect with agent: $agent";
	is scalar(@warnings), 1, "-t warns of $key alone";
	like $r->{out}, qr/valid, with 1 warning:/, "-t counts the warning about $key";
}
for my $case (
	['exec:cat', 'agent_persistent=true'], ['exec:cat', 'interrupt_grace=7'],
	['exec:cat', 'agent_recycle_turns=0'], ['demo', 'agent_persistent=false'],
	['demo', 'agent_memory=64', '-o', 'trust_agent=exec:cat', '-o', 'trust=policy.md'],
) {
	my ($agent, $option, @more) = @$case;
	$r = run([@check, '-a', $agent, '-o', $option, @more], %env);
	unlike $r->{out}, qr/no effect/, "-t warns of nothing with $option and agent: $agent";
}

write_file("$dir/other.yaml", "workers: 3\n");
is run([@check, '-c', "$dir/other.yaml"], %env)->{status}, 0,
    '-c checks another file';

unlink "$dir/.co/host.yaml";
is run(\@check, %env)->{status}, 0, '-t accepts a project without host.yaml';

write_file("$dir/.co/host.yaml", "port: 9\n");
$r = run([@check], env => { HOME => "$dir/home", AGENT_PORT => 'nine' });
isnt $r->{status}, 0, 'a wrong AGENT_PORT is refused';
like $r->{out}, qr/AGENT_PORT/, 'the refusal names AGENT_PORT';

for (['regular-file' => 'Not a directory'], ['missing-folder' => 'No such file or directory']) {
	my ($name, $why) = @$_;
	write_file("$dir/$name", '') if $name eq 'regular-file';
	$r = run([program('co-hostd'), '-t', '-d', "$dir/$name"], %env);
	is $r->{status}, 78, "a project directory that is a $name: the exit status is 78";
	is $r->{out}, "co-hostd: --dir $dir/$name: $why\n",
	    "a project directory that is a $name is refused as the only error";
}

# The interpreter of an agent may be any program; this one says who runs it.
SKIP: {
	my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
	skip 'only root can check as another user', 4 if $> != 0 || !defined $uid;
	my $project = CoHost::directory(
		yaml => "agent: python:agent.py\npython: ./python\n");
	write_file("$project/agent.py", '');
	write_file("$project/python", <<'EOF');
#!/bin/sh
mkdir -p .co/logs && id -un >.co/logs/by && echo '{"name":"fake"}'
EOF
	chmod 0755, "$project", "$project/python";
	mkdir "$project/bin";
	copy_programs("$project/bin");
	chown $uid, $gid, "$project", "$project/.co", "$project/home";
	my @as_root = ("$project/bin/co-hostd", '-d', "$project", '-t');
	$r = run(\@as_root, env => { HOME => "$project/home" });
	is $r->{status}, 0, "root can check another user's project" or diag $r->{out};
	is read_file("$project/.co/logs/by"), "nobody\n",
	    "root's check runs the agent as the owner of the project";
	is +(stat "$project/.co/logs")[4], $uid,
	    "root's check leaves no folder of root in another user's project";
	chown 0, 0, "$project", "$project/.co", "$project/.co/logs", "$project/.co/logs/by";
	run(\@as_root, env => { HOME => "$project/home" });
	is read_file("$project/.co/logs/by"), "root\n",
	    "root's check of its own project runs the agent as root";
}
done_testing;
