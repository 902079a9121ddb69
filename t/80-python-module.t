#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A Python agent is found and imports as with python -m and uvicorn.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program source write_file);
use File::Path qw(make_path);
use JSON::PP ();
use PyAgent;
use Test::More;

PyAgent->need;
my $dir = CoHost::directory(yaml => 'python: ' . PyAgent::python() . "\n");
make_path("$dir/bots/tools", "$dir/whole");
write_file("$dir/common.py", "NAME = 'common'\n");
write_file("$dir/bots/__init__.py", "from connectonion.network import create_app, host\n");
write_file("$dir/bots/tools/__init__.py", '');
write_file("$dir/bots/tools/names.py", "from ..parts import PART\nNAME = PART + '-names'\n");
write_file("$dir/bots/parts.py", "PART = 'bots'\n");
my $main = <<"END";
import sys
import common
from . import create_app, host
from .tools.names import NAME
sys.path.append("${\ source('t/agents')}")
from connectonion import Agent
from scripted import Scripted

def create_agent():
    return Agent(f"{common.NAME}-{NAME}-{__package__}", llm=Scripted())

app = create_app(create_agent)
if __name__ == "__main__":
    host(create_agent, port=4711)
END
write_file("$dir/bots/main.py", $main);
write_file("$dir/whole/__main__.py", $main =~ s/from \.tools/from bots.tools/r
	    =~ s/from \. import/from bots import/r);
write_file("$dir/served.py", "import uvicorn\n" . $main =~ s/from \.tools/from bots.tools/r
	    =~ s/from \. import/from bots import/r =~ s/if __name__.*//sr
	    . "uvicorn.run(app, host='127.0.0.2', port=0)\n");
write_file("$dir/lost.py", "import sys\nimport nowhere\n");

sub profile {
	my ($target) = @_;
	my $r = CoHost::run(['sh', '-c', 'cd "$1" && shift && exec "$@"', 'sh', "$dir",
			PyAgent::python(), program('co-agent-python'), '--describe', $target]);
	return { name => $r->{out} } if $r->{status};
	return JSON::PP::decode_json($r->{out} =~ /^(\{.*\})$/m ? $1 : '{}');
}

my $name = 'common-bots-names-bots';
is profile('bots.main')->{name}, $name, 'a module of a package is an agent';
is_deeply profile('bots.main')->{host_args}, { port => 4711 },
    'host() imported by its package counts';
is profile('bots.main:app')->{name}, $name, 'a module may name its application';
is profile('bots/main.py')->{name}, $name, 'a file in a package has relative imports';
is profile('bots/main.py:app')->{name}, $name, 'a file in a package may name its application';
is profile('whole')->{name}, 'common-bots-names-whole', 'a package is its __main__';
like profile('bots.none')->{name}, qr/no module bots\.none in \Q$dir\E/,
    'a module that does not exist is named, with the folder';
like profile('bot.main:app')->{name}, qr/no module bot\.main in /,
    'a module of a package that does not exist is named';
like profile('lost.py')->{name}, qr/No module named 'nowhere'/,
    "an import that fails in the file is reported in Python's words";

my $host = CoHost->start(dir => $dir, workers => 1, agent => 'python:bots.main:app');
is $host->input('hello')->{json}{result}, 'hello (1 so far, 0 images)',
    'an agent in a module runs turns';
is $host->http(GET => '/info')->{json}{name}, $name, 'an agent in a module has its own name';
$host->stop;

is_deeply profile('served.py')->{host_args}, { bind => '127.0.0.2', port => 0 },
    'host and port of uvicorn.run() count as those of host()';
my $r = CoHost::run([program('co-hostd'), '-t', '-d', "$dir", '-a', 'python:served.py', '-o',
		'python=' . PyAgent::python()]);
is $r->{status}, 0, 'host and port of uvicorn.run() are accepted as settings' or diag $r->{out};
done_testing;
