# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""What a program holds that a fork must not copy, in words.

A fork gets the memory of the program and shares its descriptors, but has none of its
threads and child processes. Two forks would read each other's answers from one
connection, and wait for locks and queues that nobody serves.
"""
from __future__ import annotations

import asyncio
import collections
import gc
import os
import sys
import threading
import time
from typing import Any, Iterator

from .descriptors import Owners, descriptors, loop_descriptors, never_matters, words_for
from .faults import Refused
from .locks import held_locks
from .native import fork_once, library_of, other_threads, thread_name
from .origins import Origins, is_users, line_of, shown

# How long threads that are about to end are waited for.
PATIENCE_S = 1.0

# More than these are only counted.
TOLD_MAX = 20


class Hazards:
    """Begins before the file runs, and then tells what the program has come to hold."""

    def __init__(self) -> None:
        self.origins = Origins()
        self.begin()

    def begin(self) -> None:
        self.before = descriptors()
        self.origins.open()

    def held(self, target: Any) -> list[str]:
        """What it holds; target is what host() was given."""
        self.origins.close()
        gc.collect()  # what nobody refers to is closed
        await_ends()
        told = collections.Counter(
            [*self.threads(), *self.processes(), *self.files(),
             *(f"the lock {name}, which is held" for name in held_locks(target))])
        words = [text if n == 1 else f"{text} ({n} times)" for text, n in told.items()]
        if len(words) > TOLD_MAX:
            words[TOLD_MAX:] = [f"and {len(words) - TOLD_MAX} more"]
        return words

    def refuse(self, target: Any) -> None:
        """Raise Refused if turns that are forks would share what it holds."""
        held = self.held(target)
        if not held:
            return
        file = shown(sys.modules["__main__"].__file__)
        raise Refused("\n".join([
            f"{file} holds what a fork must not copy; with agent_state: isolated, each turn is a "
            "fork of the process that has run the file:",
            *(f"  {words}" for words in held),
            f"Make these inside {inside(target)}, so that each turn has its own, or set "
            "agent_state: shared."]))

    def threads(self) -> Iterator[str]:
        known = {thread.native_id: thread for thread in threading.enumerate()}
        for tid in other_threads():
            yield self.thread(known[tid]) if tid in known else native_words(tid)

    def thread(self, thread: threading.Thread) -> str:
        function = getattr(thread, "_target", None) or type(thread).run
        code = getattr(getattr(function, "__func__", function), "__code__", None)
        what = f'the thread "{thread.name}"'
        if code and is_users(code.co_filename):
            what += f" in {code.co_name}() of {line_of(code.co_filename, code.co_firstlineno)}"
        return made(what, self.origins.of_thread(thread), "started")

    def processes(self) -> Iterator[str]:
        for pid in children():
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    command = f.read().rstrip(b"\0")
            except OSError:
                continue  # it has ended
            words = os.fsdecode(command.replace(b"\0", b" "))[:80]
            yield made(f"the child process {pid} ({words})", self.origins.of_process(command),
                       "started")

    def files(self) -> Iterator[str]:
        """Descriptors, and the asyncio loops that have some of them."""
        running = asyncio._get_running_loop()
        suspects = dict(self.suspects())
        if not suspects:
            return
        owners = Owners()
        for loop in owners.loops:
            what = ("the asyncio loop in which host() was called" if loop is running
                    else "a running asyncio loop" if loop.is_running() else "an asyncio loop")
            fds = loop_descriptors(loop)
            yield made(what, self.origins.of_descriptor(fds[0]) if fds else "")
        for fd, target in suspects.items():
            if fd in owners.of_loops or fd in owners.of_processes:
                continue
            try:
                if not owners.may_share(fd, self.origins.is_descriptor(target)):
                    yield made(words_for(fd, target), self.origins.of_descriptor(fd, target),
                               "opened" if target.startswith("/") else "made")
            except OSError:
                pass  # a thread has closed it

    def suspects(self) -> Iterator[tuple[int, str]]:
        for fd, target in descriptors().items():
            try:
                if self.before.get(fd) != target and not never_matters(fd, target):
                    yield fd, target
            except OSError:
                pass  # a thread has closed it


def inside(target: Any) -> str:
    """The function that makes an agent for each turn, in words."""
    if not callable(target):
        return "a function that makes the agent, and give that to host()"
    name = getattr(target, "__name__", "")
    return f"{name}()" if name.isidentifier() else "the function given to host()"


def made(what: str, where: str, how: str = "made") -> str:
    return f"{what}, {how} at {where}" if where else what


def native_words(tid: int) -> str:
    name = thread_name(tid)
    name = "" if name == thread_name(os.getpid()) else f' "{name}"'
    return f"a thread{name} of {library_of(tid) or 'a library'}"


def await_ends() -> None:
    """Give threads the time to end, and those of libraries that heed forks the cause."""
    until = time.monotonic() + PATIENCE_S
    if len(other_threads()) >= threading.active_count():  # which counts this one
        fork_once()
    while other_threads() and time.monotonic() < until:
        time.sleep(0.01)


def children() -> list[int]:
    """The child processes that have not ended."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as f:
                state, parent = f.read().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == os.getpid() and state not in "ZX":
            found.append(int(name))
    return found
