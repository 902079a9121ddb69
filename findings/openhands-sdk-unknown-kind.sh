#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# openhands-sdk 1.58.2 (PyPI): a client can watch an event of a kind that it does not know, but
# cannot attach to a conversation that has one.
#
# Over the WebSocket such an event is logged and skipped. In the answer of events/search it makes
# the constructor of the conversation raise: all of the history is validated at once. So a client
# of an older version loses its conversations as soon as a newer one adds a kind to one of them.
#
# Expected: the same in both places.
# Seen: a turn runs; ValidationError.
#
# Exits with 0 while that is so, 1 when it has changed, 2 if a package cannot be installed or there
# is no Python 3.12. It installs 500 MB.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python=
for name in "${PYTHON_SDK-}" python3 python3.13 python3.12 \
	"${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[2-9]*/bin/python3; do
	if "$name" -c 'import sys, venv; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
		python=$name
		break
	fi
done
[ -n "$python" ] || exit 2
"$python" -m venv sdk
sdk/bin/python -m pip install -q --disable-pip-version-check --no-input --no-compile \
	openhands-sdk==1.58.2 aiohttp==3.14.5 || exit 2

cat >both.py <<'END'
import asyncio
import json
import os
import sys
import threading
import time
import uuid

os.environ["OPENHANDS_SUPPRESS_BANNER"] = "1"
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["LOG_LEVEL"] = "CRITICAL"

from aiohttp import web
from openhands.sdk import LLM, Agent, Conversation, Workspace

sockets = []
items = []
talk = {}
on_open = None  # what the socket tells first


def state(value):
    return {"id": str(uuid.uuid4()), "timestamp": "2026-01-01T00:00:00.000000", "source": "environment",
            "kind": "ConversationStateUpdateEvent", "key": "full_state", "value": value}


async def say(event):
    for socket in sockets:
        await socket.send_str(json.dumps(event))


async def create(request):
    body = await request.json()
    talk.update(id=body.get("conversation_id") or str(uuid.uuid4()), agent=body["agent"],
                workspace=body["workspace"], execution_status="idle")
    return web.json_response(talk, status=201)


async def about(request):
    return web.json_response(talk)


async def search(request):
    return web.json_response({"items": items, "next_page_id": None})


async def events(request):
    return web.json_response({"success": True})


async def finish():
    talk["execution_status"] = "finished"
    await say(state({"execution_status": "finished"}))


async def later():
    await asyncio.sleep(0.5)
    await finish()


async def run(request):
    asyncio.get_running_loop().create_task(later())
    return web.json_response({"success": True})


async def socket(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    sockets.append(ws)
    await ws.send_str(json.dumps(state({"execution_status": "idle"})))
    if on_open:
        await ws.send_str(json.dumps(on_open))
    async for _ in ws:
        pass
    sockets.remove(ws)
    return ws


def serve(ready):
    async def main():
        app = web.Application()
        app.add_routes([web.post("/api/conversations", create), web.get("/api/conversations/{id}", about),
                        web.get("/api/conversations/{id}/events/search", search),
                        web.post("/api/conversations/{id}/events", events),
                        web.post("/api/conversations/{id}/run", run),
                        web.delete("/api/conversations/{id}", events),
                        web.get("/sockets/events/{id}", socket)])
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        ready.append(site._server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()
    asyncio.run(main())


def attach(port):
    agent = Agent(llm=LLM(model="any", api_key="none", usage_id="any"), tools=[])
    return Conversation(agent=agent, workspace=Workspace(host=f"http://127.0.0.1:{port}"), visualizer=None)


STRANGE = {"id": "0196d1f0-0000-7000-8000-000000000001", "timestamp": "2026-01-01T00:00:00.000000",
           "source": "environment", "kind": "TomorrowEvent", "text": "x"}
def outcome(port):
    try:
        conversation = attach(port)
        conversation.send_message("hello")
        conversation.run()
        conversation.close()
        return "the turn runs"
    except Exception as error:
        return type(error).__name__


ready = []
threading.Thread(target=serve, args=(ready,), daemon=True).start()
while not ready:
    time.sleep(0.01)
on_open = STRANGE
live = outcome(ready[0])
on_open = None
items.append(STRANGE)
kept = outcome(ready[0])
print("openhands-sdk 1.58.2, an event of a kind that it does not know")
print("over the WebSocket:", live)
print("in the history:", kept)
same = live == "the turn runs" and kept == "ValidationError"
print("as described" if same else "this has changed")
sys.exit(0 if same else 1)
END
sdk/bin/python both.py
