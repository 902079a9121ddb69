# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""An agent with things that a fork must not copy, made when the file is loaded.

Each thing of HAZARDS has a tool of its name, which sends it a text and returns its answer.
With WHEN=turn they are made in the agent's function instead, with WHEN=once when it is
first called.
"""
import asyncio
import functools
import os
import queue
import random
import socket
import sqlite3
import subprocess
import tempfile
import threading

import httpx
import numpy
from connectonion import Agent, host
from scripted import TOOLS, Scripted

WEB, LINES, CALLS = os.environ.get("PEER", "0 0 0").split()
FOLDER = tempfile.gettempdir()


class Client:
    """Keeps its connection."""

    def __init__(self):
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{WEB}", trust_env=False)
        self.ask("first")

    def ask(self, text):
        return self.client.get(f"/{text}").text


class Database:
    def __init__(self):
        self.lock = threading.Lock()
        self.connection = sqlite3.connect(f"{FOLDER}/hazards-{os.getpid()}.db",
                                          check_same_thread=False)
        self.connection.execute("CREATE TABLE IF NOT EXISTS said (text)")

    def ask(self, text):
        with self.lock, self.connection:
            row = self.connection.execute("INSERT INTO said VALUES (?)", (text,)).lastrowid
            return self.connection.execute("SELECT text FROM said WHERE rowid = ?",
                                           (row,)).fetchone()[0]


class Channel:
    """One connection for all, whose answers a thread of its own hands out, as gRPC does."""

    def __init__(self):
        self.socket = socket.create_connection(("127.0.0.1", int(LINES)))
        self.lock = threading.Lock()
        self.sent = 0
        self.answers = {}
        threading.Thread(target=self.read, name="channel", daemon=True).start()

    def read(self):
        for line in self.socket.makefile():
            number, text = line.split()
            self.answers[int(number)].put(text)

    def ask(self, text):
        with self.lock:
            self.sent += 1
            number = self.sent
            self.answers[number] = queue.Queue()
            self.socket.sendall(f"{number} {text}\n".encode())
        return self.answers[number].get()


class Grpc:
    """A channel of gRPC, which has threads and connections of its own."""

    def __init__(self):
        import grpc
        self.channel = grpc.insecure_channel(f"127.0.0.1:{CALLS}",
                                             options=[("grpc.enable_http_proxy", 0)])
        self.say = self.channel.unary_unary("/Peer/Say")
        self.ask("first")

    def ask(self, text):
        return self.say(text.encode(), timeout=60).decode()


class Worker:
    """A thread with a queue."""

    def __init__(self):
        self.tasks = queue.Queue()
        threading.Thread(target=self.work, name="worker", daemon=True).start()

    def work(self):
        while True:
            text, answer = self.tasks.get()
            answer.put(text)

    def ask(self, text):
        answer = queue.Queue()
        self.tasks.put((text, answer))
        return answer.get()


class Process:
    """A program at the other end of two pipes."""

    def __init__(self):
        self.lock = threading.Lock()
        self.process = subprocess.Popen(["cat"], text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, text):
        with self.lock:
            self.process.stdin.write(text + "\n")
            return self.process.stdout.readline().strip()


class File:
    def __init__(self):
        self.lock = threading.Lock()
        self.file = open(f"{FOLDER}/hazards-{os.getpid()}.txt", "w+")

    def ask(self, text):
        with self.lock:
            place = self.file.seek(0, os.SEEK_END)
            self.file.write(text + "\n")
            self.file.seek(place)
            return self.file.readline().strip()


class Guarded:
    """A lock that a thread holds at times."""

    def __init__(self):
        self.lock = threading.Lock()
        self.pause = threading.Event()
        threading.Thread(target=self.hold, name="holder", daemon=True).start()

    def hold(self):
        while not self.pause.wait(0.001):
            with self.lock:
                self.pause.wait(0.001)

    def ask(self, text):
        with self.lock:
            return text


class Loop:
    """An asyncio loop in a thread."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="loop", daemon=True).start()

    def ask(self, text):
        return asyncio.run_coroutine_threadsafe(self.say(text), self.loop).result()

    async def say(self, text):
        await asyncio.sleep(0.001)
        return text


class Number:
    """A generator of random numbers: its answer is the text and a number."""

    def __init__(self):
        self.random = random.Random()

    def ask(self, text):
        return f"{text}-{self.random.getrandbits(64)}"


class Numpy(Number):
    def __init__(self):
        self.random = numpy.random.default_rng()

    def ask(self, text):
        return f"{text}-{self.random.integers(1 << 62)}"


class Held:
    """A lock that the file has left locked."""

    def __init__(self):
        self.locks = [threading.Lock()]
        self.locks[0].acquire()

    def ask(self, text):
        return text if self.locks[0].locked() else "free"


class Free:
    """What a fork may copy."""

    def __init__(self):
        self.lock = threading.Lock()
        self.client = httpx.Client()
        self.memory = sqlite3.connect(":memory:", check_same_thread=False)
        self.log = open(f"{FOLDER}/hazards-log.txt", "a", buffering=1)
        self.null = open("/dev/null", "w")
        self.folder = os.open("/", os.O_RDONLY)
        numpy.ones((300, 300)) @ numpy.ones((300, 300))  # in the threads of OpenBLAS
        threading.Thread(target=threading.Event().wait, args=(0.1,)).start()

    def ask(self, text):
        with self.lock:
            self.log.write(text + "\n")
            total = numpy.ones((300, 300)) @ numpy.ones((300, 300))
            return text if total.sum() == 300 ** 3 else "wrong"


CLASSES = {c.__name__.lower(): c for c in (
    Client, Database, Channel, Grpc, Worker, Process, File, Guarded, Loop, Number, Numpy, Held,
    Free)}
NAMES = os.environ.get("HAZARDS", "free").split()


def make():
    return {name: CLASSES[name]() for name in NAMES}


def tool_of(name, thing):
    def tool(text: str) -> str:
        """Ask it."""
        return thing.ask(text)

    tool.__name__ = name
    return tool


def agent_of(things):
    return Agent("hazards", llm=Scripted(), tools=[*TOOLS, *map(tool_of, things, things.values())])


@functools.cache
def once():
    return make()


when = os.environ.get("WHEN", "load")
if when == "load":
    THINGS = make()


def create_agent():
    return agent_of(THINGS if when == "load" else once() if when == "once" else make())


host(create_agent, relay_url=None)
