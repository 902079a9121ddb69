#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# co-hostd init makes a project, and leaves alone what is there.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program read_file run write_file);
use Test::More;

my $top = File::Temp->newdir(TMPDIR => 1);
mkdir "$top/home";
sub init {
	my ($args, %o) = @_;
	return run([program('co-hostd'), @$args], env => { HOME => "$top/home" },
		dir => "$top", %o);
}
sub mode { return sprintf '%04o', (stat $_[0])[2] & 07777 }

my $dir = "$top/My Agent";
my $r = init(['init', 'My Agent']);
is $r->{status}, 0, 'a project is made';
is mode("$dir/.co"), '0700', '.co is private';
is mode("$dir/.co/keys"), '0700', 'its keys are';
is mode("$dir/.co/keys/agent.key"), '0600', 'each';
like $r->{out}, qr/address: 0x[0-9a-f]{64}\n/, 'it tells the address';
like $r->{out}, qr/Now run: co-hostd -d '\Q$dir\E'/, 'and what to do next';
my $words = read_file("$dir/.co/keys/recovery.txt");
like $words, qr/^[a-z]+(?: [a-z]+){11}$/, 'there is a recovery phrase';
unlike $r->{out}, qr/\Q$words\E/, 'which is not printed';

my $yaml = read_file("$dir/.co/host.yaml");
like $yaml, qr/^name: "my-agent"$/m, 'the settings name it after its folder';
like $yaml, qr/^entrypoint: agent\.py$/m, 'and its agent';
like $yaml, qr/^trust: careful$/m, 'and who may use it';
my ($sample) = read_file("$FindBin::Bin/../conf/host.yaml") =~ /\n\n(.*)/s;
like $yaml, qr/\n\n\Q$sample\E$/, 'all others are there with their defaults';
like read_file("$dir/agent.py"), qr/^host\(|^    host\(create_agent\)/m, 'an agent is there';
like read_file("$dir/.gitignore"), qr{^\.co/keys/$}m, 'git does not see the keys';
like read_file("$dir/.gitignore"), qr{^\.env$}m, 'nor the environment';

# Again, with changes in between.
my %was;
write_file("$dir/agent.py", "# mine\n");
write_file("$dir/.co/host.yaml", "port: 8001\n");
my @files = qw(agent.py .gitignore .co/host.yaml .co/keys/agent.key .co/keys/recovery.txt);
$was{$_} = read_file("$dir/$_") for @files;
for my $args (['init', $dir], ['--init', '-d', $dir], ['--init', $dir]) {
	my $again = init($args);
	is $again->{status}, 0, "@$args: it may be made again";
	is read_file("$dir/$_"), $was{$_}, "$_ stays" for @files;
	unlike $again->{out}, qr/made/, 'nothing is new';
}
$r = init(['--init'], dir => $dir);
is $r->{status}, 0, 'without a name it is the current folder';
like $r->{out}, qr/project in \Q$dir\E\n/, 'as it says';

# .gitignore is added to.
mkdir "$top/b";
write_file("$top/b/.gitignore", "*.pyc\n.env\nnotes");
is init(['init', 'b'])->{status}, 0, 'a folder with a .gitignore';
is read_file("$top/b/.gitignore"), "*.pyc\n.env\nnotes\n\n# co-hostd\n.co/keys/\n"
    . ".co/store/\n.co/logs/\n.co/uploads/\n.co/evals/\n.co/session_results.jsonl*\n.co/served_by.json\n",
    'gets what is missing in it';
mkdir "$top/c";
write_file("$top/c/.gitignore", ".co/\n");
is init(['init', 'c'])->{status}, 0, 'one that ignores .co';
is read_file("$top/c/.gitignore"), ".co/\n", 'needs no more';

# What cannot be.
mkdir "$top/d";
mkdir "$top/d/.co";
mkdir "$top/d/.co/keys";
write_file("$top/d/.co/keys/agent.key", 'short');
$r = init(['init', 'd']);
is $r->{status}, 1, 'a key that is none is an error';
like $r->{out}, qr{d/\.co/keys/agent\.key.*32 bytes}, 'by name';
is read_file("$top/d/.co/keys/agent.key"), 'short', 'and stays';
write_file("$top/e", '');
$r = init(['init', 'e']);
is $r->{status}, 1, 'a file is no folder';
like $r->{out}, qr/\be\b/, 'which is told';
is init(['init', 'no/such'])->{status}, 1, 'a folder that is nowhere is not made';
is init(['init', 'f', 'g'])->{status}, 2, 'two folders are too many';
is init(['unit'])->{status}, 2, 'there is no other command of this name';
done_testing;
