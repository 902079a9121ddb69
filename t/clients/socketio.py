# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Stories told by python-socketio, unmodified: socketio.py URL TRANSPORT KIND, where the
# transport is websocket, polling or default (which upgrades) and the kind sync or asyncio.
# $WORKERS has the processes to kill.
import asyncio
import os
import signal
import sys
import time

sys.path.pop(0)  # this file has the name of the package
import socketio  # noqa: E402

URL, TRANSPORT, KIND = sys.argv[1:4]
WAIT = 30
OPTIONS = {} if TRANSPORT == "default" else {"transports": [TRANSPORT]}


def ok(is_so, title):
    print("ok" if is_so else "not ok", "-", f"{title} ({KIND}, {TRANSPORT})", flush=True)


def is_idle(event):
    state = event.get("extras", {}).get("agent_state")
    return state == "awaiting_user_input" and int(event["id"]) > 0


def is_state(event):
    return "agent_state" in event.get("extras", {})


def url_of(conversation, last=-1):
    return f"{URL}?conversation_id={conversation}&latest_event_id={last}"


def message(text):
    return {"type": "message", "source": "user", "message": text}


def note(client, seen):
    @client.on("oh_event")
    def on_event(event):
        seen.append(event)


def until(is_so):
    end = time.time() + WAIT
    while time.time() < end and not is_so():
        time.sleep(0.02)
    return is_so()


def hello_sync():
    seen, acks = [], []
    client = socketio.Client(reconnection=False)
    note(client, seen)
    client.connect(url_of(f"sync-{TRANSPORT}"), wait_timeout=WAIT, **OPTIONS)
    for i in range(40):
        client.emit("other", i, callback=lambda *_: acks.append(1))
    client.emit("oh_user_action", message("What is 42 * 17?"), callback=lambda *_: acks.append(1))
    ok(until(lambda: any(map(is_idle, seen))), "a turn comes to its end")
    ok(until(lambda: len(acks) == 41), "41 events in a row are acknowledged")
    ok(any(e["message"] == "The result of 42 * 17 is 714." for e in seen), "the agent says its result")
    ok(client.transport() == ("polling" if TRANSPORT == "polling" else "websocket"),
       "the transport is the expected one")
    client.disconnect()
    refused, errors = socketio.Client(reconnection=False), []
    refused.on("connect_error", errors.append)
    try:
        refused.connect(url_of(""), wait_timeout=WAIT, **OPTIONS)
        ok(False, "a client without a conversation is refused")
    except socketio.exceptions.ConnectionError:
        ok(errors and errors[0]["message"] == "No conversation_id in query params",
           "a client without a conversation is refused")


def killed_sync():
    seen = []
    client = socketio.Client(reconnection_delay=0.1, reconnection_delay_max=0.5)
    note(client, seen)

    def again():
        last = [e["id"] for e in seen if not is_state(e)]
        return url_of(f"killed-sync-{TRANSPORT}", last[-1] if last else -1)

    client.connect(again, wait_timeout=WAIT, **OPTIONS)
    client.emit("oh_user_action", message("stream 60 15"))
    until(lambda: len(seen) > 20)
    for pid in os.environ["WORKERS"].split():
        os.kill(int(pid), signal.SIGKILL)
    ok(until(lambda: seen and is_idle(seen[-1])), "a turn ends although the workers were killed")
    client.disconnect()
    whole = []
    client = socketio.Client(reconnection=False)
    note(client, whole)
    client.connect(url_of(f"killed-sync-{TRANSPORT}"), wait_timeout=WAIT, **OPTIONS)
    until(lambda: any(map(is_idle, whole)))
    client.disconnect()
    got, want = ([e["id"] for e in events if not is_state(e)] for events in (seen, whole))
    ok(len(want) > 60 and got == want, "each event came once and in order")


async def hello_asyncio():
    seen = []
    client = socketio.AsyncClient(reconnection=False)
    note(client, seen)
    await client.connect(url_of(f"asyncio-{TRANSPORT}"), wait_timeout=WAIT, **OPTIONS)
    answer = await client.call("oh_user_action", message("What is 42 * 17?"), timeout=WAIT)
    ok(answer is None, "a message is acknowledged")
    end = time.time() + WAIT
    while time.time() < end and not any(map(is_idle, seen)):
        await asyncio.sleep(0.02)
    ok(any(map(is_idle, seen)), "a turn comes to its end")
    await client.disconnect()


if KIND == "asyncio":
    asyncio.run(hello_asyncio())
else:
    hello_sync()
    if TRANSPORT == "polling":
        killed_sync()
print("# the end")
