# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Isolated turns: the fork server of a worker, which has run the file and does its turns."""
from __future__ import annotations

import argparse
import atexit
import ctypes
import gc
import os
import select
import socket
import struct
import sys
import time
from typing import Any, NoReturn

from .channel import Pipes
from .edits import loaded_files
from .faults import leave
from .found import Found
from .generators import Generators
from .hazards import Hazards
from .lines import to_line
from .objects import collect_rarely
from .package import prepare
from .sample import describe_sample
from .turn import Turn, run_now

# Nests beyond those that stay: how long they wait for another turn, and how many may wait.
IDLE_MS = 30_000
NESTS_MAX = 64


class Zygote:
    """Does turns of the agent that was found."""

    def __init__(self, options: argparse.Namespace, sock: socket.socket, out: int,
                 orders: int = -1, report: int = -1):
        self.options = options
        self.sock = sock
        self.out = out
        self.orders = orders  # from the keeper; its end of file says that another takes over
        self.report = report  # to the keeper
        self.nests: set[int] = set()
        self.idle: set[int] = set()  # those of them that wait for a turn
        self.kept: set[int] = set()  # those of them that wait for ever
        self.generators = Generators()
        self.hazards = Hazards()

    def serve(self, found: Found) -> NoReturn:
        for name in self.options.forget.split(","):
            os.environ.pop(name, None)
        self.generators.keep()
        about = self.describe(found)
        prepare()
        self.await_order()
        why = about["states"]["isolated"]
        ready = {"state": "isolated", "why": why, "about": about}
        os.write(self.out, b"READY " + to_line(ready))
        self.generators.find()
        # No collection touches what the forks share with us.
        gc.collect()
        gc.disable()
        gc.freeze()
        self.breed(found)

    def describe(self, found: Found) -> dict[str, Any]:
        """Describe an agent, which also loads what the first agent loads."""
        self.hazards.refuse(found.target)
        about, left = describe_sample(found, self.hazards)
        if not left:  # then it may be made here, too
            found.describe()
            self.hazards.refuse(found.target)
        return about

    def await_order(self) -> None:
        """Tell the keeper that all went well, and wait until it is our turn."""
        if self.orders < 0:
            return
        os.write(self.report, to_line([True, loaded_files(self.options.target)]))
        if not os.read(self.orders, 1):
            leave(0)

    def stopped(self) -> None:
        """Another zygote takes over, once we take no more turns."""
        self.sock.close()
        os.write(self.report, b"stopped\n")

    # Turns are forks, which nests (co-nest.so) make ahead, watch, and make anew.

    def breed(self, found: Found) -> NoReturn:
        nest = ctypes.PyDLL(os.path.join(os.path.dirname(self.options.co_turn), "co-nest.so"))
        notices, notice = os.pipe()
        poll = select.poll()
        poll.register(notices, select.POLLIN)
        poll.register(self.sock, 0)  # for its end
        if self.orders >= 0:
            poll.register(self.orders, select.POLLIN)
        while True:
            while len(self.idle) < self.options.spares:
                plan = self.plan(notice)
                pid = nest.nest_start(ctypes.byref(plan))
                if pid == 0:
                    os.close(notices)
                    self.become_turn(found, plan.turn)
                if pid < 0:
                    print("cannot fork: there will be fewer turns", file=sys.stderr)
                    break  # it is tried again in a second
                self.nests.add(pid)
                self.idle.add(pid)
                if plan.idle_ms < 0:
                    self.kept.add(pid)
            for fd, _ in poll.poll(1000):
                if fd == notices:
                    self.hear(notices)
                elif fd == self.orders:
                    self.retire(notices)
                else:
                    leave(0)  # the worker is gone
            self.reap()

    def plan(self, notice: int) -> NestPlan:
        """Some nests stay; those that a burst of turns has made leave after a while."""
        address = [ctypes.cast(hook, ctypes.c_void_p) for hook in (
            ctypes.pythonapi.PyOS_BeforeFork, ctypes.pythonapi.PyOS_AfterFork_Parent,
            ctypes.pythonapi.PyOS_AfterFork_Child)]
        is_kept = len(self.kept) < self.options.spares
        return NestPlan(*address, self.sock.fileno(), self.out, notice, self.orders,
                        -1 if is_kept else IDLE_MS, len(self.nests) >= NESTS_MAX,
                        -1, self.options.processes, self.options.memory)

    def hear(self, notices: int) -> None:
        for pid, in struct.iter_unpack("i", os.read(notices, 4096)):
            if pid > 0:
                self.idle.discard(pid)
            elif -pid in self.nests:
                self.idle.add(-pid)

    def reap(self) -> None:
        for pid in list(self.nests):
            gone, status = os.waitpid(pid, os.WNOHANG)
            if gone:
                if os.WIFSIGNALED(status):
                    # What it watched lives on, and nobody can tell it from what the
                    # file has started: co-turn ends all of us.
                    print(f"a nest was killed: {status}", file=sys.stderr)
                    leave(1)
                for pids in (self.nests, self.idle, self.kept):
                    pids.discard(pid)

    def retire(self, notices: int) -> NoReturn:
        os.set_blocking(notices, False)
        while self.idle:  # until each has a turn, or has left
            time.sleep(0.01)
            try:
                self.hear(notices)
            except BlockingIOError:
                self.reap()
        self.stopped()
        while self.nests:
            os.waitpid(self.nests.pop(), 0)
        leave(0)

    def become_turn(self, found: Found, packets: int) -> NoReturn:
        self.sock.detach()  # the nest has closed it
        if self.report >= 0:
            os.close(self.report)
        isolated_turn(found, socket.socket(fileno=packets), self.generators)


class NestPlan(ctypes.Structure):
    """struct nest_plan of co-nest.c"""

    _fields_ = [("before", ctypes.c_void_p), ("in_parent", ctypes.c_void_p),
                ("in_child", ctypes.c_void_p), ("sock", ctypes.c_int), ("out", ctypes.c_int),
                ("notice", ctypes.c_int), ("orders", ctypes.c_int), ("idle_ms", ctypes.c_int),
                ("is_once", ctypes.c_int), ("turn", ctypes.c_int),
                ("processes", ctypes.c_long), ("memory", ctypes.c_int64)]


def isolated_turn(found: Found, packets: socket.socket, generators: Generators) -> NoReturn:
    status = 1
    try:
        atexit._clear()  # what the file wants done at the end is the zygote's
        gc.enable()
        collect_rarely()  # most turns end before the first
        generators.renew()
        data, fds, _, _ = socket.recv_fds(packets, 16, 3, socket.MSG_CMSG_CLOEXEC)
        if len(fds) != 3:
            os._exit(0)
        packets.close()
        os.dup2(fds[2], 1)
        os.dup2(fds[2], 2)
        os.close(fds[2])
        take_turn(found, Pipes(fds[0], fds[1]))
        os.close(fds[1])
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        status = 0
    finally:
        os._exit(status)


def take_turn(found: Found, channel: Pipes) -> None:
    """Take the turn whose task is the first line."""
    task = channel.input.readline()
    if task.strip():
        run_now(Turn(found, channel).run(task))
