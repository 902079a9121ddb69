#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Stories of sealed connections: the client from PyPI, unmodified, and single frames.

    seal.py URL STORY...

URL may be that of an address of this machine which is not loopback. There the client speaks to
nobody who does not seal.
"""
import base64
import contextlib
import json
import sys
import time
import traceback
import urllib.request
from typing import Any
from urllib.parse import urlparse

import kit
from kit import PATIENCE, Directory, Line, ok, same

URL = sys.argv[1]
kit.LOOPBACK += (urlparse(URL).hostname,)

import connectonion
from connectonion import address as addresses
from connectonion import connect
from connectonion.network import sealed
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as open_socket

LONG = 60 * PATIENCE

directory = Directory()
sockets = contextlib.ExitStack()


def info(url: str) -> dict:
    with urllib.request.urlopen(url + "/info") as answer:
        return json.load(answer)


HOST = info(URL)["address"]


def meet(url: str = URL) -> Any:
    directory.add(HOST, url)
    return connect(HOST, keys=addresses.generate(), relay_url=directory.url)


# ---- single frames ----

def canonical(payload: dict) -> bytes:
    return json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()


def signed(keys: dict, frame: dict, payload: dict) -> dict:
    signature = addresses.sign(keys, canonical(payload)).hex()
    return {**frame, "payload": payload, "from": keys["address"], "signature": signature}


class Socket:
    """A connection, sealed by these keys as soon as seal() was called."""

    def __init__(self, proxied_for: str = "") -> None:
        self.socket = sockets.enter_context(open_socket(
            URL.replace("http", "ws", 1) + "/ws", proxy=None, max_size=None, open_timeout=LONG,
            additional_headers={"X-Forwarded-For": proxied_for} if proxied_for else None))
        self.channel: Any = None
        self.numbers: list[int] = []
        self.largest = 0  # of the frames as they came, in bytes

    def say_clear(self, frame: Any) -> None:
        self.socket.send(frame if isinstance(frame, (str, bytes)) else json.dumps(frame))

    def say(self, frame: Any) -> None:
        self.say_clear(self.channel.seal(frame) if self.channel else frame)

    def hear_clear(self) -> Any:
        """The next frame as it came; the code of the close instead."""
        try:
            text = self.socket.recv(timeout=LONG)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None
        self.largest = max(self.largest, len(text))
        return json.loads(text)

    def hear(self) -> Any:
        frame = self.hear_clear()
        if self.channel and isinstance(frame, dict) and frame["type"] == "SEALED":
            self.numbers.append(frame["n"])
            return self.channel.open(frame)
        return frame

    def hear_of(self, *types: str) -> Any:
        while True:
            frame = self.hear()
            if not isinstance(frame, dict) or frame["type"] in types:
                return frame

    def seal(self, keys: dict, hello: Any = None) -> Any:
        """Ask for a seal; what was answered."""
        frame, one_time = hello or sealed.client_hello(keys, HOST)
        self.say_clear(frame)
        answer = self.hear_clear()
        if isinstance(answer, dict) and answer["type"] == "SEALED_OK":
            self.channel = sealed.client_finish(answer, frame, one_time)
        return answer

    def is_refused(self, why: str, name: str) -> None:
        error = self.hear_clear()
        same((error.get("type"), error.get("message")) if isinstance(error, dict) else error,
             ("ERROR", why), name)
        same(self.hear_clear(), 4003, "and the connection is closed")


def is_error(frame: Any, why: str, name: str) -> None:
    same(frame.get("message") if isinstance(frame, dict) else frame, why, name)


def sealed_socket(keys: Any = None, proxied_for: str = "") -> Socket:
    socket = Socket(proxied_for)
    socket.seal(keys or addresses.generate())
    return socket


def greeting(keys: dict, **more: Any) -> dict:
    return signed(keys, {"type": "CONNECT"}, {"to": HOST, "timestamp": int(time.time()), **more})


# ---- the stories ----

def talk() -> None:
    agent = meet()
    same(agent.input("echo hello", timeout=LONG).text, "hello", "input() returns the result")
    agent.input("My name is Zoë", timeout=LONG)
    ok("Zoë" in agent.input("What is my name?", timeout=LONG).text, "the conversation goes on")
    same([meet().input(f"echo {n}", timeout=LONG).text for n in range(3)], list("012"),
         "others are served as well")
    same(agent.input("ask Which?|red|green", timeout=LONG).done, False, "a question comes through")
    same(agent.input("green", timeout=LONG).text, "You answered: green", "and its answer")
    same(agent.input("stream 3", timeout=LONG).done, True, "tools are shown")


def large() -> None:
    agent = meet()
    text = "€" * 300_000
    ok(agent.input("echo " + text, timeout=LONG).text == text, "900 kB go there and back")
    data = "data:application/octet-stream;base64," + base64.b64encode(bytes(9 << 20)).decode()
    same(agent.input("echo files", timeout=LONG, files=[{"name": "a.bin", "data": data}]).text,
         "files", "a file of 9 MiB arrives")


def secret() -> None:
    """Who listens hears nothing."""
    heard = bytearray()

    class Tap(Line):
        def carry(self, a: Any, b: Any, is_down: bool) -> None:
            class Ear:
                def sendall(self, data: bytes) -> None:
                    heard.extend(data)
                    b.sendall(data)

                def shutdown(self, how: int) -> None:
                    b.shutdown(how)
            super().carry(a, Ear(), is_down)

    agent = meet(Tap(URL).url)
    same(agent.input("echo top-secret-word", timeout=LONG).text, "top-secret-word",
         "the client is served")
    ok(b"SEALED_OK" in heard, "over a line that is heard")
    ok(b"top-secret" not in heard and b"OUTPUT" not in heard and b"CONNECTED" not in heard,
       "on which the host says nothing that others can read")


def refused() -> None:
    keys, other = addresses.generate(), addresses.generate()
    hello = sealed.client_hello(keys, HOST)[0]
    stale = sealed.client_hello(keys, HOST, now=time.time() - 400)[0]

    def without(name: str) -> dict:
        return {key: value for key, value in hello.items() if key != name}

    cases = [(without(name), f"SEAL is missing {name}")
             for name in ("to", "from", "ephemeral", "timestamp", "signature")] + [
        ({"type": "SEAL"}, "SEAL is missing to"),
        (sealed.client_hello(keys, other["address"])[0], "SEAL is addressed to another host"),
        ({**hello, "timestamp": "now"}, "SEAL timestamp is not a number"),
        ({**hello, "timestamp": True}, "SEAL timestamp is not a number"),
        (stale, "SEAL is stale"),
        ({**hello, "from": other["address"]}, "SEAL signature does not verify"),
        ({**hello, "timestamp": hello["timestamp"] + 1}, "SEAL signature does not verify"),
        ({**hello, "signature": "00" * 64}, "SEAL signature does not verify"),
        ({**hello, "signature": 7}, "SEAL signature does not verify"),
    ]
    for frame, why in cases:
        socket = Socket()
        socket.say_clear(frame)
        socket.is_refused("seal refused: " + why, why)


def rejected() -> None:
    def no_box(socket: Socket, **changes: Any) -> dict:
        return {**socket.channel.seal({"type": "PING"}), **changes}

    def tampered(socket: Socket) -> dict:
        frame = socket.channel.seal({"type": "PING"})
        box = bytearray(base64.b64decode(frame["c"]))
        box[-1] ^= 1
        return {**frame, "c": base64.b64encode(box).decode()}

    def again(socket: Socket) -> dict:
        frame = socket.channel.seal({"type": "PING"})
        socket.say_clear(frame)
        same(socket.hear(), {"type": "PONG"}, "a sealed PING has a sealed PONG")
        return frame

    def large_and_tampered(socket: Socket) -> dict:
        frame = socket.channel.seal({"type": "PING", "pad": "x" * (2 << 20)})
        return {**frame, "c": "AAAA" + frame["c"][4:]}

    closed, broken = "sealed frame out of order", "sealed frame does not open"
    cases = [
        (lambda s: {"type": "PING"}, "expected a SEALED frame, got 'PING'"),
        (lambda s: {"type": "CONNECT"}, "expected a SEALED frame, got 'CONNECT'"),
        (lambda s: {}, "expected a SEALED frame, got None"),
        (lambda s: "[]", "expected a SEALED frame, got None"),
        (lambda s: b"\0", "expected a SEALED frame, got None"),
        (lambda s: sealed.client_hello(addresses.generate(), HOST)[0],
         "expected a SEALED frame, got 'SEAL'"),
        (again, closed),
        (lambda s: no_box(s, n=0), closed),
        (lambda s: no_box(s, n="1"), closed),
        (lambda s: no_box(s, n=2), broken),
        (lambda s: no_box(s, c=""), broken),
        (lambda s: no_box(s, c=None), broken),
        (lambda s: {"type": "SEALED", "n": 1}, broken),
        (tampered, broken),
        (large_and_tampered, broken),
    ]
    for make, why in cases:
        socket = sealed_socket()
        socket.say_clear(make(socket))
        socket.is_refused("sealed frame rejected: " + why, why)


def rules() -> None:
    keys, other = addresses.generate(), addresses.generate()
    socket = Socket()
    hello = sealed.client_hello(keys, HOST)
    same(socket.seal(keys, hello)["type"], "SEALED_OK", "SEAL is answered")
    socket.say_clear("{")
    ok("Invalid JSON" in socket.hear_clear()["message"], "what is no JSON is told in clear")
    socket.say({"type": "FOO"})
    is_error(socket.hear(), "unknown message type: 'FOO'", "faults inside are told inside")
    socket.say(sealed.client_hello(keys, HOST)[0])
    is_error(socket.hear(), "unknown message type: 'SEAL'", "a seal is no place for a seal")
    same(Socket().seal(keys, hello)["type"], "SEALED_OK", "a SEAL may be sent again")

    socket = Socket()
    socket.say_clear(hello[0])
    socket.say_clear({"type": "PING"})
    same(socket.hear_clear()["type"], "SEALED_OK", "what comes close behind it")
    socket.is_refused("sealed frame rejected: expected a SEALED frame, got 'PING'", "waits for it")

    socket = Socket()
    socket.say({"type": "PING"})
    same(socket.hear(), {"type": "PONG"}, "a connection that began in clear")
    is_error(socket.seal(keys), "unknown message type: 'SEAL'", "stays so")

    socket = sealed_socket()
    socket.say({"type": "INPUT", "prompt": "echo hello"})
    same(socket.hear_of("OUTPUT", "ERROR").get("result"), "hello",
         "SEAL is not the first frame: INPUT may be")

    mine = "unauthorized: CONNECT is not signed by the sealed peer"
    for frame, name in ((greeting(other), "another's CONNECT"), ({"type": "CONNECT"}, "nobody's"),
                        ({"type": "ATTACH", "session_id": "x"}, "nor ATTACH")):
        socket = sealed_socket(keys)
        socket.say(frame)
        is_error(socket.hear(), mine, f"{name} is not taken")
    socket.say(signed(other, {"type": "ONBOARD_SUBMIT"},
                      {"timestamp": int(time.time()), "invite_code": "x"}))
    is_error(socket.hear(), mine.replace("CONNECT", "ONBOARD_SUBMIT"), "nor ONBOARD_SUBMIT")
    socket.say(greeting(keys))
    same(socket.hear()["type"], "CONNECTED", "but the peer's own is")


def uses() -> None:
    """Signatures inside a seal are not claimed: nobody else can send them."""
    keys = addresses.generate()
    frame = greeting(keys)
    for name in ("a CONNECT", "the same in another seal", "and in a third"):
        socket = sealed_socket(keys)
        socket.say(frame)
        same(socket.hear()["type"], "CONNECTED", name)
    socket = Socket()
    socket.say(frame)
    same(socket.hear()["type"], "CONNECTED", "in clear it counts from here on")
    socket = Socket("192.0.2.1")
    socket.say(frame)
    is_error(socket.hear(), "unauthorized: this CONNECT was already used",
             "elsewhere it is used already")

    def say_input(signer: dict) -> list:
        payload = {"prompt": "echo hello", "to": HOST, "timestamp": time.time()}
        frame = signed(signer, {"type": "INPUT", "prompt": "echo hello"}, payload)
        answers = []
        for place in "192.0.2.1", "192.0.2.2":
            socket = sealed_socket(keys, place)
            socket.say(frame)
            answer = socket.hear_of("OUTPUT", "ERROR")
            answers.append(answer.get("result", answer.get("message")))
        return answers

    same(say_input(keys), ["hello", "hello"], "nor is an INPUT of the peer")
    same(say_input(addresses.generate()), ["hello", "unauthorized: signature already used"],
         "but what somebody else signed is, also inside a seal")


def order() -> None:
    """Large messages keep their place among small ones, both ways."""
    keys = addresses.generate()
    socket = sealed_socket(keys)
    sizes = [10, 3 << 20, 10, 300 << 10, 1 << 20, 20]
    for i, size in enumerate(sizes):
        socket.say({"type": f"FOO{i}", "pad": "x" * size})
    same([socket.hear()["message"] for _ in sizes],
         [f"unknown message type: 'FOO{i}'" for i in range(len(sizes))],
         "frames of all sizes are answered in their order")
    text = "x" * 1_000_000
    socket.say(greeting(keys))
    socket.say({"type": "INPUT", "prompt": "echo " + text})
    socket.say({"type": "PING"})
    ok(socket.hear_of("OUTPUT", "ERROR").get("result") == text, "a large result comes whole")
    socket.say({"type": "PING"})
    same(socket.hear_of("PONG"), {"type": "PONG"}, "and more behind it")
    same(socket.numbers, list(range(1, len(socket.numbers) + 1)), "numbered without a gap")


def cut() -> None:
    """Clients up to 1.8 end the connection at a sealed message above 1 MiB."""
    keys, text = addresses.generate(), "x" * 220_000  # below it in clear
    for turn in range(3):
        socket = sealed_socket(keys)
        socket.say({**greeting(keys), "session_id": "long"})
        ok(socket.hear_of("CONNECTED", "ERROR")["type"] == "CONNECTED", f"turn {turn}: connected")
        socket.say({"type": "INPUT", "prompt": "echo " + text})
        output = socket.hear_of("OUTPUT", "ERROR")
        ok(output.get("result") == text, "the result of a long conversation comes whole")
        ok(socket.largest < 1 << 20, "no sealed frame is above 1 MiB")
        same(output["session"]["messages"], [], "what does not fit is left out")


def ping() -> None:
    socket = sealed_socket()
    same(socket.hear(), {"type": "PING"}, "the host's PING is sealed")
    same(socket.numbers, [1], "which is its first message")


def cannot() -> None:
    socket = Socket()
    socket.say_clear(sealed.client_hello(addresses.generate(), HOST)[0])
    socket.is_refused("this host cannot seal", "a host without its key says so")


def main() -> None:
    same(connectonion.__version__, "1.9.2", "the client is the pinned one")
    for story in sys.argv[2:]:
        print(f"# {story}", flush=True)
        try:
            globals()[story]()
        except Exception:
            ok(False, f"{story} goes on to its end")
            traceback.print_exc(file=sys.stdout)
    sockets.close()
    print("# the end", flush=True)


main()
