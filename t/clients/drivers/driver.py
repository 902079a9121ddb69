# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# python-socketio, unmodified: see t/clients/Driver.pm. $KIND is sync or asyncio.
import asyncio
import json
import os
import sys
import threading
import time
from typing import Any

import socketio

URL, QUERY, TRANSPORT = sys.argv[1:4]
AT = f"{URL}?{QUERY}"
BEGAN = time.time()
LOCK = threading.Lock()
OPTIONS: dict[str, Any] = {"wait_timeout": 30}
if TRANSPORT != "default":
    OPTIONS["transports"] = ["websocket" if TRANSPORT == "ws" else "polling"]


def tell(ev: str, *args: Any) -> None:
    line = {"t": int(1000 * (time.time() - BEGAN)), "ev": ev, "args": args}
    with LOCK:  # handlers of the sync client run in threads of their own
        print(json.dumps(line), flush=True)


def listen(client: Any) -> None:
    def handler(ev: str) -> Any:
        return lambda *args: tell(ev, *args)

    client.on("connect", handler("connect"))
    client.on("disconnect", handler("disconnect"))
    client.on("oh_event", handler("event"))

    @client.on("connect_error")
    def on_error(why: Any) -> None:
        tell("error", why["message"] if isinstance(why, dict) else str(why))


def acked(*args: Any) -> None:
    tell("ack", *args)


def event_of(line: str) -> tuple[str, Any, Any]:
    word, _, rest = line.rstrip("\n").partition(" ")
    if word == "bin":
        return "other", bytes(int(rest)), acked
    message = {"type": "message", "source": "user", "message": rest}
    return "oh_user_action", message, acked if word == "ack" else None


def run_sync() -> None:
    client = socketio.Client(reconnection_delay=0.1, reconnection_delay_max=0.5)
    listen(client)
    client.connect(AT, **OPTIONS)
    for line in sys.stdin:
        if line.startswith("leave"):
            break
        name, data, callback = event_of(line)
        client.emit(name, data, callback=callback)
    client.disconnect()


async def run_asyncio() -> None:
    client = socketio.AsyncClient(reconnection_delay=0.1, reconnection_delay_max=0.5)
    listen(client)
    await client.connect(AT, **OPTIONS)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line.startswith("leave"):
            break
        name, data, callback = event_of(line)
        await client.emit(name, data, callback=callback)
    await client.disconnect()


try:
    if os.environ["KIND"] == "sync":
        run_sync()
    else:
        asyncio.run(run_asyncio())
except socketio.exceptions.ConnectionError as e:
    tell("failed", str(e))
time.sleep(0.3)
os._exit(0)
