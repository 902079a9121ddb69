# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""The socket to the server, over which all turns go: co-mux.so.

Its thread runs no Python. What may wait is called without the interpreter's lock, all else
with it, since it takes microseconds.
"""
from __future__ import annotations

import argparse
import ctypes
import os
import sys
from typing import Any

from .lines import to_json

LIBRARY = os.path.join(os.path.dirname(os.path.dirname(__file__)), "co-mux.so")

MIB = 1 << 20

# How a frame is written, and what comes of it: enum sender_how and sender_result.
LAST, WAIT, KEEP = 1, 2, 4
DONE, NO_ROOM, OVER, TOO_MUCH = range(4)


# What a thread is there for: enum hand_kind.
OWN, TURNS, STEPS = range(3)


class Plan(ctypes.Structure):
    """struct mux_plan of co-mux.c"""

    _fields_ = [("sock", ctypes.c_int), ("recycle_turns", ctypes.c_uint64),
                ("recycle_memory", ctypes.c_int64), ("memory", ctypes.c_int64),
                ("grace_ms", ctypes.c_int64),
                ("make_bytes", ctypes.c_void_p)]


class Frame(ctypes.Structure):
    """struct mux_frame of co-mux.c"""

    _fields_ = [("turn", ctypes.c_uint64), ("is_closed", ctypes.c_int), ("grow", ctypes.c_int)]


class Mux:
    """All calls of co-mux.so; a process has one."""

    def __init__(self, options: argparse.Namespace, sock: int):
        try:
            short, long = ctypes.PyDLL(LIBRARY), ctypes.CDLL(LIBRARY)
        except OSError as error:
            raise RuntimeError(f"{sys.executable} cannot load {LIBRARY}: {error}") from None
        for library in short, long:
            library.mux_write.argtypes = (ctypes.c_uint64, ctypes.c_char_p, ctypes.c_size_t,
                                          ctypes.c_uint)
            library.mux_last_words.argtypes = (ctypes.c_uint64, ctypes.c_char_p, ctypes.c_size_t)
            library.mux_enter.argtypes = library.mux_listen.argtypes = (ctypes.c_uint64,)
            library.mux_take.restype = library.mux_hear.restype = ctypes.py_object
        # With the lock of the interpreter.
        self.take = short.mux_take
        self.hear = short.mux_hear
        self.listen = short.mux_listen
        self.hand = short.mux_hand
        self.enter = short.mux_enter
        self.leave = short.mux_leave
        self.missing = short.mux_missing
        self.crowded = short.mux_crowded
        self.is_drained = short.mux_is_drained
        self.is_cut = short.mux_is_cut
        self.try_write = short.mux_write
        # Without it.
        self.wait = long.mux_wait
        self.await_news = long.mux_await_news
        self.wait_write = long.mux_write
        self.last_words = long.mux_last_words
        make_bytes = ctypes.cast(ctypes.pythonapi.PyBytes_FromStringAndSize, ctypes.c_void_p)
        why = short.mux_open(ctypes.byref(Plan(
            sock, options.recycle_turns, options.recycle_memory * MIB, options.memory,
            int(options.grace * 1000), make_bytes)))
        if why:
            raise OSError(why, f"the socket of the server: {os.strerror(why)}")

    def write(self, turn: int, data: bytes, how: int = 0) -> int:
        """Write a frame of a turn, and wait for room. Returns DONE, OVER or TOO_MUCH."""
        result = self.try_write(turn, data, len(data), how)
        if result == NO_ROOM:
            result = self.wait_write(turn, data, len(data), how | WAIT)
        return result

    def tell(self, message: dict[str, Any]) -> None:
        """Write a frame of the process."""
        self.write(0, to_json(message))

    def lose(self, turn: int, message: str) -> None:
        """The process is about to end, by this turn if it is not 0."""
        data = to_json({"type": "LOST", "reason": "exited", "message": message}) if turn else b""
        self.last_words(turn, data, len(data))
