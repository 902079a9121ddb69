#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What co-agent-python says of a file: its agent, or why there is none.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program source write_file);
use File::Path qw(make_path);
use JSON::PP;
use PyAgent;
use Test::More;

PyAgent->need;

sub profile {
	my ($file) = @_;
	my ($line) = PyAgent::describe($file)->{out} =~ /^(\{.*\})$/m;
	return decode_json($line // '{}');
}

my $p = profile('factory.py');
is $p->{name}, 'factory', '--describe gives the name';
is $p->{model}, 'scripted-1', '--describe gives the model';
is $p->{system_prompt}, 'Do what you are told.', '--describe gives the system prompt';
is $p->{tools}[-1], 'bump', '--describe gives the tools';
is_deeply $p->{host_args}, { port => 1234, trust => 'open', relay_url => undef },
    '--describe gives the arguments of host() and nothing else';
is $p->{kind}, 'factory', '--describe recognises a factory';
is profile('instance.py')->{kind}, 'instance', '--describe recognises an agent instance';
is profile('threads.py')->{name}, 'threads', '--describe accepts a file with create_app()';
is profile(PyAgent::file('named.py') . ':second')->{name}, 'second',
    '--describe accepts the name of a variable';

my $dir = File::Temp->newdir(TMPDIR => 1);
my %files = (
	positional => ["host(make, 4321, 'strict')", { port => 4321, trust => 'strict' }],
	objects => ["host(make, trust=make(), whitelist=['0x1'], http=None)",
		{ trust => { allow => [qw(admin whitelisted)], default => 'ask' },
			whitelist => ['0x1'] }],
	application => ["import uvicorn\napp = create_app(make, trust='open')\n" .
		"uvicorn.run(app, port=1)", { trust => 'open', port => 1 }],
	caught => ["try:\n    host(make)\nexcept Exception:\n    print('no')\n", {}],
);
for my $name (sort keys %files) {
	my ($code, $args) = @{ $files{$name} };
	write_file("$dir/$name.py", <<"END");
import sys
sys.path.append("${\ source('t/agents')}")
from connectonion import Agent, create_app, host
from scripted import Scripted

def make():
    return Agent("made", llm=Scripted())

$code
END
	is_deeply profile("$dir/$name.py")->{host_args}, $args,
	    "--describe gives the arguments of $name";
}

my %broken = (
	'none.py' => qr/none\.py has no agent/,
	'raises.py' => qr/LookupError: no key is set/,
	"$dir/syntax.py" => qr/syntax\.py", line 1.*SyntaxError/s,
	"$dir/gone.py" => qr/FileNotFoundError/,
	"$dir/exits.py" => qr/the file ended itself: exit 3/,
	PyAgent::file('named.py') . ':third' => qr/named\.py has no agent named third/,
);
write_file("$dir/syntax.py", "def create_agent(:\n");
write_file("$dir/exits.py", "import sys\nsys.exit(3)\n");
for my $file (sort keys %broken) {
	my $r = PyAgent::describe($file);
	is $r->{status}, 1, "--describe refuses $file";
	like $r->{out}, $broken{$file}, "--describe says what is wrong with $file";
	like $r->{out}, qr/^\{"error": ".+"\}$/m, "--describe gives the reason to refuse $file";
	unlike $r->{out}, qr/co.agent.python.*", line/,
	    "--describe shows no frame of co-agent-python for $file";
}

my $check = CoHost::run([program('co-hostd'), '-t', '-d', "$dir", '-a', 'python:syntax.py',
	'-o', 'python=' . PyAgent::python()]);
like $check->{out}, qr/^co-hostd: agent syntax\.py cannot be loaded: SyntaxError: /m,
    'co-hostd -t names the file and the reason, and not the interpreter';

# Stand-ins for the package: what they are made of, and what is said of them.
my %packages = (
	'of before host()' => [{ '__init__' => '__version__ = "0.5.1"' },
		qr/^connectonion 0\.5\.1 is too old: agents can be hosted from 0\.6\.3 on; update it for \//],
	'of the first host()' => [{ '__init__' => '__version__ = "0.6.2"', 'network/__init__' => '' },
		qr/^connectonion 0\.6\.2 is too old/],
	'without a version' => [{ '__init__' => '' }, qr/^connectonion of this version is too old/],
	'without what it needs' => [{ '__init__' => 'import no_such_module' },
		qr/No module named 'no_such_module'$/m],
);
for my $what (sort keys %packages) {
	my ($files, $says) = @{ $packages{$what} };
	my $place = File::Temp->newdir(TMPDIR => 1);
	make_path("$place/connectonion/network");
	write_file("$place/connectonion/$_.py", $files->{$_}) for keys %$files;
	my $r = PyAgent::describe('factory.py', env => { PYTHONPATH => "$place" });
	is $r->{status}, 1, "a package $what is refused";
	like $r->{out}, $says, "the refusal of a package $what has its reason";
}
done_testing;
