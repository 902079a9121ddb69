# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""A process in which all turns share what the file has made: each is a thread's, or a task's."""
from __future__ import annotations

import argparse
import atexit
import contextvars
import ctypes
import functools
import gc
import json
import os
import sys
import threading
import time
from typing import NoReturn

from . import departure, mux, steps, threads
from .channel import Frames, Hear
from .edits import Edits
from .faults import leave, show_traceback
from .found import Found
from .loop import Loop
from .mux import Frame, Mux
from .objects import collect_rarely
from .output import Routed, current
from .package import prepare
from .turn import INTERRUPTED, Turn, run_now

# Of each thread: many must fit into agent_address_space.
STACK_BYTES = 2 << 20

# How long a thread waits for a turn before it leaves.
IDLE_MS = 30_000

# How long what the file wants done at the end may take.
EXIT_SECONDS = 5


class Shared:
    """Made before the file runs, which then has the standard output and the event loop of turns."""

    def __init__(self, options: argparse.Namespace, sock: int):
        self.options = options
        self.link = Mux(options, sock)
        self.loop = Loop()
        self.listeners: dict[int, Hear] = {}
        self.context = contextvars.Context()
        self.has_warned = False  # that threads have no current directory of their own
        self.edits = Edits() if options.reload else None
        sys.stdout = sys.stderr = Routed()  # type: ignore[assignment]
        departure.install(self.link)

    def serve(self, found: Found) -> NoReturn:
        for name in self.options.forget.split(","):
            os.environ.pop(name, None)
        self.found = found
        about = found.describe()  # which also loads what the first agent loads
        prepare()
        steps.install(self.link)
        threads.install(self.link, self.options.processes)
        self.loop.lend()
        found.lock = threading.Lock() if found.kind == "instance" else None
        found.settle = self.loop.run
        self.context = contextvars.copy_context()
        self.settle_memory()
        threading.stack_size(STACK_BYTES)
        if not self.grow():
            leave(1)
        if self.edits:
            watch = functools.partial(self.edits.watch, self.retire)
            threading.Thread(target=watch, name="co-edits", daemon=True).start()
        why = about["states"]["shared"]
        self.link.tell({"type": "READY", "state": "shared", "why": why, "about": about,
                        "pings": True})
        self.listen()

    def settle_memory(self) -> None:
        """What the file has made stays: no collection goes through it again."""
        gc.collect()
        gc.freeze()
        collect_rarely()

    def retire(self, path: str) -> None:
        self.link.tell({"type": "RETIRE", "reason": f"{path} was edited", "file": path})

    # ---- the main thread: later messages, signals, the end ----

    def listen(self) -> NoReturn:
        frame = Frame()
        while not self.link.is_drained():
            self.link.await_news()
            while line := self.link.hear(ctypes.byref(frame)):
                hear = self.listeners.get(frame.turn)
                try:
                    if hear:
                        hear(json.loads(line))
                except Exception as error:
                    show_traceback(error)
        threading.Thread(target=self.give_up, daemon=True).start()
        atexit._run_exitfuncs()
        leave(0)

    def give_up(self) -> None:
        time.sleep(EXIT_SECONDS)
        leave(0)

    # ---- threads that take turns ----

    def grow(self) -> bool:
        try:
            threads.start(threading.Thread(target=self.work, name="co-turn", daemon=True))
        except RuntimeError as error:
            self.link.missing()
            print(f"there is no thread for a further turn: {error}", file=sys.stderr)
            return False
        return True

    def work(self) -> None:
        link = self.link
        if (why := link.hand(mux.TURNS)) and not self.has_warned:
            self.has_warned = True
            print("turns share the current directory and the umask: "
                  f"unshare() says {os.strerror(why)}", file=sys.stderr)
        frame = Frame()
        at = ctypes.byref(frame)
        while True:
            line = link.take(at)
            if not line:
                if link.wait(IDLE_MS):
                    break
                continue
            if frame.grow:
                self.grow()
            self.context.copy().run(self.do, frame.turn, line, bool(frame.is_closed))
            del line
            if link.is_cut():
                os._exit(0)  # a fork that was made in the turn
        steps.mine.home.leave()
        link.leave()

    def do(self, number: int, line: bytes, is_closed: bool) -> None:
        channel = Frames(self.link, number, self.listeners, self.loop)
        current.set(channel.output)
        if is_closed:  # before it began
            return channel.end({"type": "OUTPUT", "result": INTERRUPTED})
        if self.found.is_async:
            self.loop.spawn(self.take(channel, line))
        else:
            run_now(self.take(channel, line))

    async def take(self, channel: Frames, line: bytes) -> None:
        try:
            await Turn(self.found, channel, self.found.is_async).run(line)
        except BaseException as error:  # it could not even tell its failure
            channel.abandon(error)
            show_traceback(error)
