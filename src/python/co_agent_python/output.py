# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""What turns that are threads print."""
from __future__ import annotations

import contextvars
import io as stdio
import os

turn_errors: contextvars.ContextVar[int] = contextvars.ContextVar("turn_errors", default=2)


class Routed(stdio.TextIOBase):
    """Standard output of threads: what is printed in a turn goes to this turn's log."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        data = text.encode("utf-8", "replace")
        try:
            os.write(turn_errors.get(), data)
        except OSError:
            os.write(2, data)  # of a thread that outlived its turn
        return len(text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2
