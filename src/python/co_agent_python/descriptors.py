# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""The descriptors of this process: what they are open on, and which of them a fork may share."""
from __future__ import annotations

import asyncio
import fcntl
import io as stdio
import logging
import os
import socket
import stat
import subprocess
from typing import Any, Callable

from .objects import objects_of

# Devices that are the same for all who have them open.
DEVICES = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")}

# Turns do without it: see renew_uuid() in generators.py.
CLOCKS = "/var/lib/libuuid/"


def descriptors() -> dict[int, str]:
    """All of them, with their targets."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:
            pass  # that of the listing
    return found


def never_matters(fd: int, target: str) -> bool:
    """Whether it is harmless, whoever has it. A turn has other standard streams."""
    is_path = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_PATH
    is_harmless = target in DEVICES or target.startswith(CLOCKS)
    return fd <= 2 or is_harmless or bool(is_path) or stat.S_ISDIR(os.fstat(fd).st_mode)


class Owners:
    """The Python objects that have descriptors."""

    def __init__(self) -> None:
        self.loops: list[asyncio.AbstractEventLoop] = []
        self.of_loops: set[int] = set()
        self.of_processes: set[int] = set()
        self.files: set[int] = set()
        self.line_files: set[int] = set()  # each line of which is written at once
        takers = {asyncio.AbstractEventLoop: self.take_loop, subprocess.Popen: self.take_process,
                  stdio.FileIO: self.take_file, stdio.TextIOWrapper: self.take_text}
        for thing in objects_of(*takers):
            self.take(next(takers[kind] for kind in takers if isinstance(thing, kind)), thing)
        for handler in logging._handlerList:  # it flushes each record
            self.take(lambda stream: self.line_files.add(stream.fileno()),
                      getattr(handler(), "stream", None))

    def take(self, taker: Callable[[Any], None], thing: Any) -> None:
        try:
            taker(thing)
        except (AttributeError, ValueError, OSError):
            pass  # closed, or not yet open

    def take_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        if not loop.is_closed():
            self.loops.append(loop)
            self.of_loops.update(loop_descriptors(loop))

    def take_process(self, process: subprocess.Popen) -> None:
        for pipe in (process.stdin, process.stdout, process.stderr):
            if process.poll() is None and pipe and not pipe.closed:
                self.of_processes.add(pipe.fileno())

    def take_file(self, file: stdio.FileIO) -> None:
        self.files.add(file.fileno())

    def take_text(self, file: stdio.TextIOWrapper) -> None:
        if file.line_buffering:
            self.line_files.add(file.fileno())

    def may_share(self, fd: int, is_opened: bool) -> bool:
        """Whether a fork may; is_opened: by os.open(), for which there is no object."""
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return False
        flags = fcntl.fcntl(fd, fcntl.F_GETFL)
        if flags & os.O_ACCMODE == os.O_RDONLY:
            # A common position does harm to those who read on from it; libraries in C
            # that keep a file open have it in memory, or read it by position.
            return fd not in self.files and not is_opened
        # The lines of a log reach its end whole, whoever writes them.
        return bool(flags & os.O_APPEND) and fd in self.line_files


def loop_descriptors(loop: asyncio.AbstractEventLoop) -> list[int]:
    """Those of asyncio's own loops; the first is a socket."""
    parts = [getattr(loop, name, None) for name in ("_ssock", "_csock", "_selector")]
    return [part.fileno() for part in parts if part]


def words_for(fd: int, target: str) -> str:
    kind, _, rest = target.partition(":")
    if kind == "socket":
        return f"a {socket_words(fd)} (descriptor {fd})"
    if kind == "pipe":
        return f"a pipe (descriptor {fd})"
    if kind == "anon_inode":
        return f"the {rest.strip('[]')} descriptor {fd}"
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        return f"the device {target} (descriptor {fd})"
    is_read = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
    return f"the file {target}, open for {'reading' if is_read else 'writing'} (descriptor {fd})"


def socket_words(fd: int) -> str:
    with socket.socket(fileno=os.dup(fd)) as sock:
        try:
            peer = sock.getpeername()
        except OSError:
            peer = None
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            name = "TCP socket" if sock.type == socket.SOCK_STREAM else "UDP socket"
            return f"{name} connected to {peer[0]}:{peer[1]}" if peer else name
        name = "Unix socket" if sock.family == socket.AF_UNIX else "socket"
        return f"{name} connected to {os.fsdecode(peer)}" if peer else name
