#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""A client for co-hostd's WebSocket in Python, with the standard library alone.

    python3 examples/chat.py [ws://127.0.0.1:8000/ws [SESSION]]

Each line of standard input is a prompt, or the answer to a question; Ctrl-D ends it. When the connection is
lost, it comes back where it was: it tells the id of the last event it saw, and says again
what has no end yet, under the same input_id, so that nothing is missed or run twice.
doc/oip.txt describes the frames.
"""
import base64
import json
import os
import socket
import ssl
import struct
import sys
import time
import uuid
from urllib.parse import urlsplit

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class WebSocket:
    """What RFC 6455 asks of a client, and no more."""

    def __init__(self, url):
        u = urlsplit(url)
        is_tls = u.scheme == "wss"
        self.socket = socket.create_connection(
            (u.hostname, u.port or (443 if is_tls else 80)), timeout=10)
        if is_tls:
            self.socket = ssl.create_default_context().wrap_socket(
                self.socket, server_hostname=u.hostname)
        self.socket.settimeout(75)  # the server says PING every 30 s
        self.file = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((
            f"GET {u.path or '/ws'} HTTP/1.1\r\nHost: {u.netloc}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        status = self.file.readline().decode().strip()
        while self.file.readline().strip():
            pass
        if " 101 " not in status + " ":
            raise ConnectionError(status or "no answer")

    def write(self, opcode, data):
        n = len(data)
        head = bytes([0x80 | opcode])
        if n < 126:
            head += bytes([0x80 | n])
        elif n < 65536:
            head += bytes([0xFE]) + struct.pack("!H", n)
        else:
            head += bytes([0xFF]) + struct.pack("!Q", n)
        mask = os.urandom(4)
        pad = (mask * (n // 4 + 1))[:n]
        masked = int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")
        self.socket.sendall(head + mask + masked.to_bytes(n, "big"))

    def read(self, n):
        data = self.file.read(n)
        if len(data) < n:
            raise ConnectionError("the connection was lost")
        return data

    def read_fragment(self):
        first, n = self.read(2)
        if n == 126:
            n, = struct.unpack("!H", self.read(2))
        elif n == 127:
            n, = struct.unpack("!Q", self.read(8))
        return first & 0x80, first & 0x0F, self.read(n)

    def send(self, **frame):
        self.write(TEXT, json.dumps(frame).encode())

    def receive(self):
        """The next frame of the protocol."""
        text = b""
        while True:
            is_last, opcode, data = self.read_fragment()
            if opcode == CLOSE:
                raise ConnectionError("the server closed")
            if opcode == PING:
                self.write(PONG, data)
            elif opcode != PONG:
                text += data
                if is_last:
                    return json.loads(text)

    def close(self):
        self.file.close()
        self.socket.close()


class Chat:
    def __init__(self, url, session_id):
        self.url = url
        self.place = {"session_id": session_id} if session_id else {}
        self.input = None  # the INPUT whose end has not come
        self.ws = None

    def connect(self):
        """One attempt: CONNECT, and what has no end yet."""
        self.ws = WebSocket(self.url)
        self.ws.send(type="CONNECT", **self.place)
        frame = self.ws.receive()
        if frame.get("retryable"):
            raise ConnectionError(frame["message"])
        if frame["type"] != "CONNECTED":
            sys.exit(frame.get("message", "this is no co-hostd"))
        self.place["session_id"] = frame["session_id"]
        if "continuation" in frame:  # so that we may answer, wherever we come back from
            self.place["session"] = {"continuation": frame["continuation"]}
        if self.input:
            self.ws.send(**self.input)

    def connect_again(self, why):
        print(f"({why}; coming back)", file=sys.stderr)
        if self.ws:
            self.ws.close()
        while True:
            time.sleep(0.5)
            try:
                return self.connect()
            except OSError as e:
                print(f"({e}; trying again)", file=sys.stderr)

    def tell(self, prompt):
        self.input = {"type": "INPUT", "prompt": prompt, "input_id": str(uuid.uuid4())}
        try:
            self.ws.send(**self.input)
        except OSError as e:
            self.connect_again(e)
        while self.input:
            try:
                self.take(self.ws.receive())
            except OSError as e:
                self.connect_again(e)

    def take(self, frame):
        kind = frame["type"]
        if "ts" in frame:
            self.place["last_msg_id"] = frame["id"]
        if kind in QUESTIONS:
            QUESTIONS[kind](self.ws, frame)
        elif kind == "PING":
            self.ws.send(type="PONG")
        elif kind == "OUTPUT":
            print(frame["result"])
            self.input = None
        elif kind == "ERROR" and frame.get("retryable"):
            time.sleep(1)
            self.ws.send(**self.input)
        elif kind == "ERROR":
            reason = f" ({frame['reason']})" if "reason" in frame else ""
            print(f"error: {frame['message']}{reason}")
            self.input = None
        elif kind == "tool_result":
            print(f"  {frame['name']}: {frame.get('result', '')}")
        elif kind == "thinking":
            print(f"  {frame['content']}")


def ask(text):
    print(text, end=" ", flush=True)
    return sys.stdin.readline().strip()


def ask_user(ws, frame):
    options = ", ".join(map(str, frame["options"]))
    answer = ask(frame["question"] + (f" ({options})" if options else ""))
    ws.send(type="ASK_USER_RESPONSE", answer=answer)


def approve(ws, frame):
    answer = ask(f"May it use {frame['tool']} {json.dumps(frame.get('arguments', {}))}? (y/n)")
    ws.send(type="APPROVAL_RESPONSE", approved=answer.startswith("y"), scope="once")


def review(ws, frame):
    print(frame["plan_content"])
    ws.send(type="PLAN_REVIEW_RESPONSE",
            message=ask("Is that good?") or "Looks good, proceed")


QUESTIONS = {"ask_user": ask_user, "approval_needed": approve, "plan_review": review}


def main():
    url = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8000/ws"
    chat = Chat(url, sys.argv[2] if len(sys.argv) > 2 else None)
    try:
        chat.connect()
    except OSError as e:
        sys.exit(f"{url}: {e}")
    print(f"session {chat.place['session_id']}", file=sys.stderr)
    for line in sys.stdin:
        if line.strip():
            chat.tell(line.strip())


try:
    main()
except KeyboardInterrupt:
    print()
