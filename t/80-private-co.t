#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# All of .co is for its owner alone: what was there before, what the server makes, and what
# agents make in it under a loose umask.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file read_file run program);
use File::Find;
use PyAgent;
use Test::More;

umask 0022;

# Everything below that is open to others, with its mode.
sub open_to_others {
	my ($dir) = @_;
	my @open;
	find({ no_chdir => 1, wanted => sub {
		my @s = lstat or return;
		push @open, sprintf('%s %04o', $_, $s[2] & 07777) if !-l _ && $s[2] & 0077;
	} }, $dir);
	return @open;
}

# ACLs are what makes files private that the server does not make.
sub has_acls {
	my ($dir) = @_;
	mkdir "$dir/probe";
	my $r = run(['python3', '-c', 'import os, struct, sys; os.setxattr(sys.argv[1], '
		. '"system.posix_acl_default", struct.pack("<I" + "HHI" * 3, 2, 1, 7, 2**32 - 1,'
		. ' 4, 0, 2**32 - 1, 32, 0, 2**32 - 1))', "$dir/probe"]);
	rmdir "$dir/probe";
	return $r->{status} == 0;
}

my $dir = CoHost::directory(yaml => "name: private\n");
my $co = "$dir/.co";
mkdir "$co/logs", 0755;
mkdir "$co/evals", 0755;
write_file("$dir/outside", 'of all');
write_file("$co/evals/old.yaml", "old: true\n");
write_file("$co/tool", "#!/bin/sh\n");
chmod 0755, $co, "$co/tool";
symlink "$dir/outside", "$co/link";
write_file("$dir/agent.sh", <<"END");
read -r line
umask 0
echo x >$co/logs/mine; mkdir -p $co/deep/er; echo x >$co/deep/er/file
echo '{"type":"OUTPUT","result":"done"}'
END
my $acls = has_acls("$dir");
my $host = CoHost->start(dir => $dir, workers => 1, agent => "exec:sh $dir/agent.sh");
is_deeply [open_to_others($co)], [], 'a start closes what was in .co to others';
like $host->words, qr/removed other users' access to \d+ files and folders/,
    'the log says how many files and folders were closed';
is sprintf('%o', (stat "$co/tool")[2] & 07777), '700', 'a program in .co stays executable';
is sprintf('%o', (stat "$dir/outside")[2] & 07777), '644',
    'the target of a link in .co is left alone';
is $host->input('hi')->{json}{result}, 'done', 'an agent writes to .co';
SKIP: {
	skip 'the file system has no ACLs', 1 if !$acls;
	is_deeply [open_to_others($co)], [],
	    'files that an agent writes to .co are closed to others';
}
$host->stop;
unlink $host->log;
$host = CoHost->start(dir => $dir, workers => 1, agent => "exec:sh $dir/agent.sh");
unlike $host->words, qr/made \d+ files/, 'a second start has nothing to close';
$host->stop;

SKIP: {
	skip 'no Python client', 4 if !PyAgent::python();
	my $project = CoHost::directory();
	chmod 0755, "$project/.co";
	my $py = PyAgent->start('factory.py', dir => $project, workers => 1);
	is $py->input('hello')->{status}, 200, 'a python: agent does a turn';
	ok wait_for(10, sub { glob "$project/.co/logs/*" }),
	    'a python: agent has its log in a private .co';
	SKIP: {
		skip 'the file system has no ACLs', 1 if !$acls;
		is_deeply [open_to_others("$project/.co")], [],
		    'a python: agent leaves .co closed to others';
	}
	$py->stop;
}

my $new = File::Temp->newdir(TMPDIR => 1);
is run([program('co-hostd'), 'init', "$new/p"], env => { HOME => "$new" })->{status}, 0,
    'init makes a project';
is_deeply [open_to_others("$new/p/.co")], [], 'init makes a .co that is closed to others';
done_testing;
