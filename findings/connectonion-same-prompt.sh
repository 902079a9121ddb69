#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# connectonion 1.9.2 (PyPI): when several people send one agent the same first message at the
# same time, turns of some of them fail.
#
# An agent writes each turn into .co/evals/FIRST-PROMPT.yaml, by way of a temporary file whose
# name has the process id and nothing else. host() runs the turns of a WebSocket in threads of
# one process, each with an agent of its own from create_agent(). So two turns that begin with
# "hello" write one temporary file; the first renames it, and the second raises
# FileNotFoundError from Agent.input(), after the model has answered. The client gets "Unable
# to run agent". Agents in threads of a program, without host(), fail in the same way.
#
# Expected: turns of different callers do not fail each other.
# Seen (2 cores): 8 clients, ten turns each. With a first message of their own: 80 results. When
# all say "hello": 16 errors of 80 in one run, 10 in another.
#
# Exits with 0 while that is so, 1 when it has changed, 2 if the package cannot be installed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check --no-input \
	-c "$here/../t/clients/requirements.txt" connectonion==1.9.2 || exit 2

cat >agent.py <<'END'
import sys
from connectonion import Agent, host
from connectonion.core.llm import LLM, LLMResponse
from connectonion.core.usage import TokenUsage


class Echo(LLM):
    """A model that needs no network."""
    model = "echo"

    def complete(self, messages, tools=None, **options):
        usage = TokenUsage(input_tokens=1, output_tokens=1, cost=0)
        return LLMResponse(str(messages[-1]["content"]), [], None, usage)

    def structured_complete(self, *args, **options):
        raise NotImplementedError


host(lambda: Agent("echo", llm=Echo()), port=int(sys.argv[1]), trust="open", relay_url=None)
END

cat >client.py <<'END'
import asyncio
import collections
import importlib.metadata
import json
import sys
import time
import urllib.request

import websockets
from connectonion import address

url = f"127.0.0.1:{sys.argv[1]}"


def wait():
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://{url}/info") as reply:
                return json.load(reply)["address"]
        except OSError:
            time.sleep(0.2)
    sys.exit("the host did not start")


def connect(i):
    """A signed CONNECT; its time makes each signature another one."""
    payload = {"to": host, "timestamp": time.time() + i / 1000}
    text = json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()
    return {"type": "CONNECT", "payload": payload, "from": me["address"],
            "signature": address.sign(me, text).hex(), "session_id": f"{i}-{time.time()}"}


async def turn(i, prompt):
    """OUTPUT or ERROR"""
    async with websockets.connect(f"ws://{url}/ws") as ws:
        await ws.send(json.dumps(connect(i)))
        while True:
            frame = json.loads(await asyncio.wait_for(ws.recv(), 120))
            if frame["type"] == "CONNECTED":
                await ws.send(json.dumps({"type": "INPUT", "prompt": prompt}))
            elif frame["type"] in ("OUTPUT", "ERROR"):
                return frame["type"]


async def count(prompt):
    ends = collections.Counter()
    for k in range(10):
        ends.update(await asyncio.gather(*(turn(i, prompt(i, k)) for i in range(8))))
    return dict(ends)


host, me = wait(), address.generate()
own = asyncio.run(count(lambda i, k: f"hello {i} {k}"))
same = asyncio.run(count(lambda i, k: "hello"))
print("connectonion", importlib.metadata.version("connectonion"))
print("80 turns with a first message of their own:", own)
print("80 turns with the same first message:", same)
sys.exit(0 if own == {"OUTPUT": 80} and same.get("ERROR") else 1)
END

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export HOME="$dir" AGENT_CONFIG_PATH="$dir/.co" CONNECTONION_BACKEND_URL=http://127.0.0.1:1
venv/bin/python agent.py "$port" >log 2>&1 &
host=$!
status=0
venv/bin/python client.py "$port" || status=$?
kill "$host"
wait "$host" 2>/dev/null || true
grep -o 'FileNotFoundError: .*' log | sed "s,$dir/,,g" | sort | uniq -c | sort -rn | head -n 1
exit "$status"
