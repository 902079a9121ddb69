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
is $r->{status}, 0, 'init makes a project';
is mode("$dir/.co"), '0700', '.co is private';
is mode("$dir/.co/keys"), '0700', 'init makes .co/keys private';
is mode("$dir/.co/keys/agent.key"), '0600', 'init makes the key private';
like $r->{out}, qr/address: 0x[0-9a-f]{64}\n/, 'init prints the address of the new project';
like $r->{out}, qr/set python .*\n.*model key into \.env/, 'init prints the two steps that remain';
like $r->{out}, qr/Now run: co-hostd -d '\Q$dir\E'/, 'init prints what to do next';
my $words = read_file("$dir/.co/keys/recovery.txt");
like $words, qr/^[a-z]+(?: [a-z]+){11}$/, 'init writes a recovery phrase';
unlike $r->{out}, qr/\Q$words\E/, 'init does not print the recovery phrase';

my $yaml = read_file("$dir/.co/host.yaml");
like $yaml, qr/^name: "my-agent"$/m, 'init names the project after its folder in host.yaml';
like $yaml, qr/^entrypoint: agent\.py$/m, 'init writes the entrypoint to host.yaml';
like $yaml, qr/^trust: careful$/m, 'init writes the trust level to host.yaml';
my ($sample) = read_file("$FindBin::Bin/../conf/host.yaml") =~ /\n\n(.*)/s;
my ($rest) = $yaml =~ /\n\n(.*)/s;
s/^#?(name|entrypoint|trust):.*/$1/mg for $sample, $rest;
is $rest, $sample, 'init writes all other settings with their defaults';
my $doubled = $yaml =~ s/^#(?=\w+: [^ ]*$)//mgr;
my %times;
$times{$_}++ for $doubled =~ /^(\w+):/mg;
is_deeply [grep { $times{$_} > 1 } keys %times], [],
    'no setting of the new host.yaml is given twice when it is uncommented';
like read_file("$dir/agent.py"), qr/^host\(|^    host\(create_agent\)/m, 'init writes an agent';
like read_file("$dir/.gitignore"), qr{^\.co/keys/$}m, 'init adds the keys to .gitignore';
like read_file("$dir/.gitignore"), qr{^\.env$}m, 'init adds .env to .gitignore';

# Again, with changes in between.
my %was;
write_file("$dir/agent.py", "# mine\n");
write_file("$dir/.co/host.yaml", "port: 8001\n");
my @files = qw(agent.py .gitignore .co/host.yaml .co/keys/agent.key .co/keys/recovery.txt);
$was{$_} = read_file("$dir/$_") for @files;
for my $args (['init', $dir], ['--init', '-d', $dir], ['--init', $dir]) {
	my $again = init($args);
	is $again->{status}, 0, "@$args: init may be repeated";
	is read_file("$dir/$_"), $was{$_}, "a repeated init leaves $_ as it was" for @files;
	unlike $again->{out}, qr/made/, 'a repeated init makes nothing new';
}
$r = init(['--init'], dir => $dir);
is $r->{status}, 0, 'init without a name uses the current folder';
like $r->{out}, qr/project in \Q$dir\E\n/, 'init without a name prints the folder it used';

# .gitignore is added to.
mkdir "$top/b";
write_file("$top/b/.gitignore", "*.pyc\n.env\nnotes");
is init(['init', 'b'])->{status}, 0, 'init accepts a folder with a .gitignore';
is read_file("$top/b/.gitignore"), "*.pyc\n.env\nnotes\n\n# co-hostd\n.co/keys/\n"
    . ".co/store/\n.co/logs/\n.co/uploads/\n.co/evals/\n.co/session_results.jsonl*\n.co/served_by.json\n",
    'init adds the missing lines to a .gitignore';
mkdir "$top/c";
write_file("$top/c/.gitignore", ".co/\n");
is init(['init', 'c'])->{status}, 0, 'init accepts a .gitignore that ignores .co';
is read_file("$top/c/.gitignore"), ".co/\n", 'a .gitignore that ignores .co is left as it was';

# What cannot be.
mkdir "$top/d";
mkdir "$top/d/.co";
mkdir "$top/d/.co/keys";
write_file("$top/d/.co/keys/agent.key", 'short');
$r = init(['init', 'd']);
is $r->{status}, 1, 'init fails on a damaged key';
like $r->{out}, qr{d/\.co/keys/agent\.key.*32 bytes},
    'the message about a damaged key names its file';
is read_file("$top/d/.co/keys/agent.key"), 'short', 'a damaged key is left as it was';
write_file("$top/e", '');
$r = init(['init', 'e']);
is $r->{status}, 1, 'init fails when a file has the name of the project';
like $r->{out}, qr/\be\b/, 'the message names the file that is in the way';
is init(['init', 'no/such'])->{status}, 1, 'init fails in a folder that does not exist';
$r = init(['init', 'f', 'g']);
is $r->{status}, 2, 'init refuses two folders';
like $r->{out}, qr/unexpected argument: g/, 'the refusal of a second folder names it';
is init(['unit'])->{status}, 2, 'there is no other command of this name';
done_testing;
