# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Clients that live through upgrades: upgrade_clients.py ADDRESS STREAMERS WATCHERS

Streamers run one turn after another and check that each event comes once and in order;
watchers hold a WebSocket. Both connect again when the server closes. Without either, a probe
asks for /health on a new connection, again and again. "report NAME" on standard input waits
until all are connected and prints what happened since the last report as NAME=NUMBER words;
the end of input ends the program.
"""
import asyncio
import json
import os
import sys
import time
import uuid

STEPS, STEP_MS = 20, 100
host, port = sys.argv[1].rsplit(":", 1)
n_streamers, n_watchers = int(sys.argv[2]), int(sys.argv[3])
count = dict.fromkeys(("refused", "lost", "failed", "odd_closes", "closes", "retried", "turns"), 0)
probes = []
live = set()


class Closed(Exception):
    pass


class Socket:
    async def open(self, **connect):
        try:
            self.reader, self.writer = await asyncio.open_connection(host, int(port))
        except OSError:
            count["refused"] += 1
            raise Closed() from None
        self.writer.write(
            b"GET /ws HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError):
            count["failed"] += 1
            raise Closed() from None
        if b" 101 " not in head.split(b"\r\n")[0]:
            count["failed"] += 1
            raise Closed()
        self.send({"type": "CONNECT", **connect})

    def frame(self, op, data):
        n = len(data)
        head = bytes([0x80 | op, 0x80 | n]) if n < 126 else bytes([0x80 | op, 0xFE]) + n.to_bytes(2, "big")
        self.writer.write(head + bytes(4) + data)

    def send(self, frame):
        self.frame(1, json.dumps(frame).encode())

    async def next(self):
        """The next JSON frame; Closed at the end."""
        while True:
            try:
                a, b = await self.reader.readexactly(2)
                n = b & 127
                if n >= 126:
                    n = int.from_bytes(await self.reader.readexactly(2 if n == 126 else 8), "big")
                data = await self.reader.readexactly(n)
            except (OSError, asyncio.IncompleteReadError):
                count["odd_closes"] += 1
                raise Closed() from None
            if a & 15 == 9:
                self.frame(10, data)
            elif a & 15 == 8:
                count["closes" if data[:2] == b"\x03\xf4" else "odd_closes"] += 1
                self.frame(8, data[:2])
                self.writer.close()
                raise Closed()
            elif a & 15 == 1:
                return json.loads(data)


async def turn(s, sock, state):
    frame = await sock.next()
    if frame.get("id"):
        state["seen"] = frame["id"]
    if frame["type"] == "tool_call":
        if frame["args"].get("i") != state["step"]:
            count["lost"] += 1
        state["step"] = frame["args"].get("i", 0) + 1
    if frame["type"] == "ERROR" and frame.get("retryable"):
        # Its worker drains, and will close this socket: another one takes the input.
        count["retried"] += 1
        sock.writer.close()
        raise Closed()
    if frame["type"] == "ERROR":
        count["failed"] += 1
    # The end of the turn before may come again: it has no position of its own.
    if frame["type"] in ("OUTPUT", "ERROR") and frame.get("input_id") == state["input_id"]:
        if state["step"] != STEPS:
            count["lost"] += 1
        count["turns"] += 1
        state.update(step=0, running=False)


async def streamer(session):
    state = {"seen": None, "step": 0, "running": False}
    while True:
        try:
            sock = Socket()
            connect = {"session_id": session}
            if state["seen"]:
                connect["last_msg_id"] = state["seen"]
            await sock.open(**connect)
            while (await sock.next())["type"] != "CONNECTED":
                pass
            live.add(session)
            while True:
                # An input that may not have been accepted is sent again under its name.
                if not state["running"] or state.pop("asks_again", False):
                    if not state["running"]:
                        state["input_id"] = str(uuid.uuid4())
                    state["running"] = True
                    sock.send({"type": "INPUT", "prompt": "stream %d %d" % (STEPS, STEP_MS),
                               "input_id": state["input_id"]})
                await turn(session, sock, state)
        except Closed:
            live.discard(session)
            state["asks_again"] = state["running"] and state["step"] == 0
            await asyncio.sleep(0.02)


async def watcher(session):
    while True:
        try:
            sock = Socket()
            await sock.open(session_id=session)
            while True:
                if (await sock.next())["type"] == "CONNECTED":
                    live.add(session)
        except Closed:
            live.discard(session)
            await asyncio.sleep(0.02)


async def probe():
    while True:
        began = time.monotonic()
        try:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            if b" 200 " not in await reader.readline():
                count["failed"] += 1
            await reader.read()
            writer.close()
        except ConnectionRefusedError:
            count["refused"] += 1
        except OSError:
            count["failed"] += 1
        probes.append(time.monotonic() - began)
        await asyncio.sleep(0.01)


async def all_live():
    while len(live) < n_streamers + n_watchers:
        await asyncio.sleep(0.1)


async def report(name):
    await all_live()
    probes.sort()
    words = dict(count, probes=len(probes))
    for percent in (50, 99):
        at = min(len(probes) - 1, len(probes) * percent // 100)
        words["p%d_ms" % percent] = round(1000 * probes[at], 1) if probes else 0
    print(name, *("%s=%s" % item for item in words.items()), flush=True)
    probes.clear()
    for key in count:
        count[key] = 0


async def main():
    tasks = []
    for i in range(n_streamers + n_watchers):
        work = streamer if i < n_streamers else watcher
        tasks.append(asyncio.create_task(work("%s-%d-%s" % (work.__name__, i, os.getpid()))))
        if i % 50 == 0:
            await asyncio.sleep(0.05)
    await all_live()
    if not tasks:
        tasks.append(asyncio.create_task(probe()))
    print("ready", flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        await report(line.decode().split()[-1])
    os._exit(0)


asyncio.run(main())
