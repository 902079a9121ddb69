# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""How a turn speaks with the server: by frames of a process, or by descriptors of its own."""
from __future__ import annotations

import json
import os
import threading
from typing import Any, BinaryIO, Callable, Protocol

from . import mux
from .lines import to_json, to_line
from .loop import Loop
from .output import Output
from .steps import Step

Hear = Callable[[dict[str, Any]], None]

# The end of a turn whose own end cannot even be written down.
OUT_OF_MEMORY = b'{"type": "ERROR", "message": "out of memory", "reason": "memory"}'
NO_END = b'{"type": "ERROR", "message": "the turn has no end that could be told"}'


class Unheard(BrokenPipeError):
    """Nobody is there for what the turn says any more."""


class Channel(Protocol):
    def write(self, message: dict[str, Any]) -> None: ...

    def end(self, message: dict[str, Any]) -> None:
        """The last message."""

    def listen(self, hear: Hear) -> None:
        """Let hear() have each later message; CLOSE is the last one."""

    def step(self) -> Step | None:
        """The step that the thread of the turn takes itself, if it does."""


class Pipes:
    """Descriptors of the turn, which it owns."""

    def __init__(self, input_fd: int, output_fd: int):
        self.input: BinaryIO = os.fdopen(input_fd, "rb")
        self.output_fd = output_fd
        self.lock = threading.Lock()

    def write(self, message: dict[str, Any]) -> None:
        data = memoryview(to_line(message))
        try:
            with self.lock:
                while data:
                    data = data[os.write(self.output_fd, data):]
        except BrokenPipeError:
            raise Unheard from None

    end = write

    def close(self) -> None:
        """Close the output; the input is the listener's."""
        with self.lock:
            os.close(self.output_fd)

    def listen(self, hear: Hear) -> None:
        threading.Thread(target=self.read, args=(hear,), name="co-turn-input",
                         daemon=True).start()

    def step(self) -> None:
        return None

    def read(self, hear: Hear) -> None:
        for line in self.input:
            if line.strip():
                hear(json.loads(line))
        hear({"type": "CLOSE"})  # the server is gone, or has what it wants


class Frames:
    """Frames of a turn among those of other turns."""

    def __init__(self, link: mux.Mux, turn: int, listeners: dict[int, Hear], loop: Loop):
        self.link = link
        self.turn = turn
        self.listeners = listeners
        self.loop = loop
        self.output = Output(turn, self.log)

    def put(self, data: bytes, how: int) -> int:
        if self.loop.is_here():  # where a turn must not wait
            how |= mux.KEEP
        return self.link.write(self.turn, data, how)

    def write(self, message: dict[str, Any]) -> None:
        result = self.put(to_json(message), 0)
        if result == mux.OVER:
            raise Unheard
        if result == mux.TOO_MUCH:
            raise BlockingIOError("the client reads too slowly for what the agent sends")

    def log(self, message: dict[str, Any]) -> bool:
        return self.put(to_json(message), 0) != mux.OVER

    def end(self, message: dict[str, Any]) -> None:
        self.output.finish()
        self.listeners.pop(self.turn, None)
        self.put(to_json(message), mux.LAST)

    def abandon(self, error: BaseException) -> None:
        """End a turn that cannot do it itself."""
        self.listeners.pop(self.turn, None)
        self.put(OUT_OF_MEMORY if isinstance(error, MemoryError) else NO_END, mux.LAST)

    def step(self) -> Step | None:
        return self.output.step

    def listen(self, hear: Hear) -> None:
        self.listeners[self.turn] = hear
        self.link.listen(self.turn)
