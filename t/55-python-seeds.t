#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The agents of the host() document, letter by letter. Only what they leave open is given to
# them: their tools, and a model that needs no network.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file source write_file);
use PyAgent;
use Test::More;

PyAgent->need;
my $dir = File::Temp->newdir(TMPDIR => 1);

# Python reads this first: each agent gets the model of the tests.
write_file("$dir/sitecustomize.py", <<"END");
import builtins
import sys
sys.path.append("${\ source('t/agents')}")
import connectonion.core.agent
from scripted import Scripted
connectonion.core.agent.create_llm = lambda model, **given: Scripted(model)

def translate(text: str) -> str:
    "Translate."
    return {"hello": "Hola"}[text]

class BrowserTool:
    "A browser."
    pages = 0

    def browse(self, text: str) -> str:
        "Open a page."
        self.pages += 1
        return f"page {self.pages}"

builtins.translate = translate
builtins.BrowserTool = BrowserTool
END
my %env = (PYTHONPATH => "$dir");

my $translator = <<'END';
from connectonion import Agent, host

# Define your agent
def create_agent():
    return Agent("translator", tools=[translate])

# Make it network-accessible
host(create_agent)
END
my $standard = <<'END';
# myagent.py
from connectonion import Agent
from connectonion.network import host, create_app

def create_agent():
    return Agent("translator", tools=[translate])

# Export ASGI app for uvicorn/gunicorn
app = create_app(create_agent)

if __name__ == "__main__":
    host(create_agent)
END
my $isolated = <<'END';
from connectonion import Agent, host
# Isolated state (default, safest) - create tools inside:
def create_agent():
    browser = BrowserTool()  # Fresh per request
    return Agent("assistant", tools=[browser])
host(create_agent)
END
my $shared = <<'END';
from connectonion import Agent, host
# Shared state (advanced) - create tools outside:
browser = BrowserTool()  # Expensive resource, shared across requests
def create_agent():
    return Agent("assistant", tools=[browser])
host(create_agent)
END
my $progress = <<'END';
from connectonion import Agent, host
from connectonion import after_each_tool

def send_progress(agent):
    iteration = agent.current_session['iteration']
    print(f"Progress: iteration {iteration}")
    # Or send via your own WebSocket, webhook, etc.

agent = Agent("worker", on_events=[after_each_tool(send_progress)], tools=[translate])
host(agent)
END

my $objects = 'objects made by the file';
my %says = (
	'a factory' => "shared: the turns of a process share $objects",
	'isolated state' => "shared: the turns of a process share $objects",
	'shared state' => 'shared: the turns of a process share browser',
	'shared state, isolated' => 'isolated: each turn runs in its own copy; changes to browser '
	    . 'are lost (to keep them: agent_state: shared)',
	'a bare agent with events' => "shared: the turns of a process share $objects",
);

for my $case (
	['a factory', $translator, '', ['translate hello', 'Hola'], ['translate hello', 'Hola']],
	['an exported application', $standard, '', ['translate hello', 'Hola']],
	['its name', $standard, ':app', ['translate hello', 'Hola']],
	['isolated state', $isolated, '', ['browse x', 'page 1'], ['browse x', 'page 1']],
	['shared state', $shared, '', ['browse x', 'page 1'], ['browse x', 'page 2']],
	['shared state, isolated', $shared, '', "agent_state: isolated\n", ['browse x', 'page 1'],
		['browse x', 'page 1']],
	['a bare agent with events', $progress, '', ['translate hello', 'Hola']],
    ) {
	my ($name, $code, $variable, @turns) = @$case;
	my $yaml = ref $turns[0] ? '' : shift @turns;
	write_file("$dir/myagent.py", $code);
	my $host = PyAgent->start("$dir/myagent.py$variable", workers => 1, yaml => $yaml,
		env => \%env);
	is $host->input($_->[0])->{json}{result}, $_->[1], "$name: $_->[0]" for @turns;
	like $host->words, qr/state: \Q$says{$name}\E/, "$name: the banner says what is shared"
	    if $says{$name};
	$host->stop;
}

my $after = "from connectonion import Agent, host\n"
    . "def create_agent():\n    return Agent(\"translator\", tools=[translate])\n"
    . "agent = my_guardian_agent = create_agent()\n";
for my $call ('host(create_agent)', 'host(create_agent, trust="strict")',
	'host(create_agent, blacklist=["0xbad..."], whitelist=["0xgood..."])',
	'host(create_agent, workers=4, port=8000)  # 4 uvicorn workers',
	'host(create_agent, trust=my_guardian_agent)', 'host(create_agent, reload=True, trust="open")',
	'host(create_agent, workers=4, trust="strict")', 'host(agent, result_ttl=3600)    # 1 hour',
	'host(create_agent, max_file_size=50, max_files_per_request=5)') {
	write_file("$dir/call.py", "$after$call\n");
	local %ENV = (%ENV, %env);
	is PyAgent::describe("$dir/call.py")->{status}, 0, "the document's call is understood: $call";
}
done_testing;
