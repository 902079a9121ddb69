#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# reload: true notices edits of the file and of what it imports; a broken edit leaves the
# old code serving.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file source);
use PyAgent;
use Test::More;

PyAgent->need;
my $dir = File::Temp->newdir(TMPDIR => 1);
mkdir "$dir/.co";

# Names come from a clock of our own: edits within a second have another size.
sub edit_agent {
	my ($code) = @_;
	write_file("$dir/agent.py", <<"END");
import sys
sys.path.append("${\ source('t/agents')}")
from connectonion import Agent, host
from scripted import Scripted
import words

$code

def create_agent():
    return Agent("edited", llm=Scripted(), tools=[say])

host(create_agent)
END
}

sub tool {
	my ($text) = @_;
	return "def say(text: str) -> str:\n    \"Say.\"\n    return '$text' + words.MORE\n";
}

sub says { my ($host) = @_; return $host->input('say x')->{json}{result} // '' }

write_file("$dir/words.py", "MORE = ' one'\n");
edit_agent(tool('first'));
my $host = PyAgent->start("$dir/agent.py", dir => $dir, workers => 1,
	yaml => "reload: true\n");
is says($host), 'first one', 'an agent with reload: true runs';

my $ws = $host->ws(session => {});
edit_agent(tool('second'));
ok wait_for(15, sub { says($host) eq 'second one' }), "an edit of the agent's file is noticed";
write_file("$dir/words.py", "MORE = ' and two'\n");
ok wait_for(15, sub { says($host) eq 'second and two' }),
    'an edit of an imported file is noticed';

edit_agent('def say(:');
ok wait_for(15, sub {
	PyAgent::logged($host) =~ /asks to be replaced: agent\.py was edited.*SyntaxError.*cannot be replaced/s
}), 'a broken edit is logged with its traceback';
is says($host), 'second and two', 'the code before a broken edit serves on';
edit_agent(tool('third'));
ok wait_for(15, sub { says($host) eq 'third and two' }), 'a mended file is loaded';
$host->stop;
done_testing;
