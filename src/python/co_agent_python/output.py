# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""What turns print that share a process."""
from __future__ import annotations

import contextvars
import io as stdio
import os
import threading
from typing import Any, Callable

# The longest line of a log; a longer one is told in parts.
LINE_MAX = 1 << 16


def write_error(text: str) -> None:
    os.write(2, text.encode("utf-8", "replace"))


class Output:
    """The lines that one turn prints, by any of its threads."""

    def __init__(self, turn: int, tell: Callable[[dict[str, Any]], bool]):
        self.turn = turn
        self.tell = tell
        self.rest = ""  # of a line without an end so far
        self.threads: set[Any] = set()  # that the turn has started, and that have not ended
        self.step: Any = None  # that the turn's own thread takes (steps.py)
        self.lock = threading.Lock()

    def write(self, text: str) -> None:
        with self.lock:
            *lines, self.rest = (self.rest + text).split("\n")
            while len(self.rest) > LINE_MAX:
                lines.append(self.rest[:LINE_MAX])
                self.rest = self.rest[LINE_MAX:]
            for line in lines:
                if not self.tell({"type": "LOG", "text": line}):  # the turn has ended
                    write_error(line + "\n")

    def finish(self) -> None:
        """Tell what has no end of line."""
        if self.rest:
            self.write("\n")


current: contextvars.ContextVar[Output | None] = contextvars.ContextVar("output", default=None)


class Routed(stdio.TextIOBase):
    """Standard output and error: what a turn prints goes to its log, all else to the process's."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self) -> None:
        self.buffer = RoutedBytes(self)

    def write(self, text: str) -> int:
        output = current.get()
        if output:
            output.write(text)
        else:
            write_error(text)
        return len(text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2


class RoutedBytes(stdio.RawIOBase):
    """What programs that write bytes take for its buffer."""

    def __init__(self, text: Routed):
        self.text = text

    def write(self, data: Any) -> int:
        self.text.write(bytes(data).decode("utf-8", "replace"))
        return len(data)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2
