#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# openhands-sdk 1.58.2 (PyPI), RemoteConversation.run(): a turn that ends before the answer to
# POST /api/conversations/ID/run has come takes 30 s.
#
# run() waits for a ConversationStateUpdateEvent that says the run is over. It begins to take notice
# of such events only once its POST is answered; one that came over the WebSocket before is
# forgotten, although it belongs to this run, and although GET /api/conversations/ID, which it asks
# once a second, says "finished" all the time. Only after 30 s does it believe the GET.
#
# Expected: it returns at once, as it does if the event comes a moment after the answer.
# Seen: 0.5 s with the event 0.5 s after the answer, 31.9 s with the event 0.1 s before it.
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
talk = {}
order = None  # "before" or "after": when the state is sent, as seen from the answer to POST run


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
    return web.json_response({"items": [], "next_page_id": None})


async def events(request):
    return web.json_response({"success": True})


async def finish():
    talk["execution_status"] = "finished"
    await say(state({"execution_status": "finished"}))


async def later():
    await asyncio.sleep(0.5)
    await finish()


async def run(request):
    if order == "before":
        await finish()
        await asyncio.sleep(0.1)
    else:
        asyncio.get_running_loop().create_task(later())
    return web.json_response({"success": True})


async def socket(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    sockets.append(ws)
    await ws.send_str(json.dumps(state({"execution_status": "idle"})))
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


def turn(port, when):
    global order
    order = when
    agent = Agent(llm=LLM(model="any", api_key="none", usage_id="any"), tools=[])
    conversation = Conversation(agent=agent, workspace=Workspace(host=f"http://127.0.0.1:{port}"),
                                visualizer=None)
    conversation.send_message("hello")
    began = time.monotonic()
    conversation.run()
    took = time.monotonic() - began
    conversation.close()
    return took


ready = []
threading.Thread(target=serve, args=(ready,), daemon=True).start()
while not ready:
    time.sleep(0.01)
after, before = turn(ready[0], "after"), turn(ready[0], "before")
print("openhands-sdk 1.58.2, seconds of run() of a turn that takes no time")
print(f"state sent 0.5 s after the answer to POST run: {after:.1f}")
print(f"state sent 0.1 s before that answer: {before:.1f}")
same = after < 10 < 25 < before
print("as described" if same else "this has changed")
sys.exit(0 if same else 1)
END
sdk/bin/python both.py
