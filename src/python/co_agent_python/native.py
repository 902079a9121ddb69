# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Threads that Python knows nothing of, such as those of libraries in C."""
from __future__ import annotations

import os
import struct
import threading
import warnings

from .origins import package_of

# Libraries with code on the stack of any thread.
COMMON = ("libc.", "libc-", "libpthread", "ld-", "libstdc++", "libgcc_s")

# jemalloc does without its threads in a fork, and may start them anew.
HARMLESS = {"jemalloc_bg_thd"}

STACK_MAX = 16 << 20
WORD = struct.calcsize("P")


def thread_name(thread: int) -> str:
    """Empty for one that has ended."""
    try:
        with open(f"/proc/self/task/{thread}/comm") as f:
            return f.read().strip()
    except OSError:
        return ""


def other_threads() -> list[int]:
    """All but this one, and those that heed forks."""
    found = sorted(map(int, os.listdir("/proc/self/task")))
    return [tid for tid in found
            if tid != threading.get_native_id() and thread_name(tid) not in HARMLESS]


def stack_pointer(thread: int) -> int:
    """0 while the thread runs."""
    with open(f"/proc/self/task/{thread}/syscall") as f:
        words = f.read().split()
    return int(words[-2], 16) if len(words) > 2 else 0


def memory_map() -> list[tuple[int, int, str, str]]:
    """Of each range: its begin and end, its rights, and its file."""
    ranges = []
    with open("/proc/self/maps") as f:
        for line in f:
            place, rights, _, _, _, *path = line.split(None, 5)
            begin, end = (int(address, 16) for address in place.split("-"))
            ranges.append((begin, end, rights, path[0].strip() if path else ""))
    return ranges


def stack_of(pointer: int, ranges: list[tuple[int, int, str, str]]) -> bytes:
    """The stack from there on. It is read as a file: the thread may end meanwhile."""
    end = next(end for begin, end, _, _ in ranges if begin <= pointer < end)
    with open("/proc/self/mem", "rb", buffering=0) as f:
        f.seek(pointer)
        return f.read(min(end - pointer, STACK_MAX) // WORD * WORD)


def library_of(thread: int) -> str:
    """The library whose function the thread runs; empty where this cannot be told.

    It is the one with the highest address on the stack: there the thread began.
    """
    try:
        ranges = memory_map()
        code = [r for r in ranges if "x" in r[2] and r[3].startswith("/")
                and not os.path.basename(r[3]).startswith(COMMON)]
        library = ""
        for word, in struct.iter_unpack("P", stack_of(stack_pointer(thread), ranges)):
            library = next((path for begin, end, _, path in code if begin <= word < end), library)
    except (OSError, ValueError, StopIteration, struct.error):
        return ""
    return package_of(library) or os.path.basename(library)


def fork_once() -> None:
    """Libraries such as OpenBLAS end their threads before a fork, and start them when needed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from 3.12 on, of the other threads
        pid = os.fork()
    if pid == 0:
        os._exit(0)
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        pass  # a handler of SIGCHLD has waited for it
