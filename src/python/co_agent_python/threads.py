# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Threads that turns start: what they print and do is theirs."""
from __future__ import annotations

import threading
from typing import Any

from .mux import OWN, Mux
from .output import Output, current


def install(link: Mux) -> None:
    """Let a thread belong to the turn in which it is started, even after its end."""
    start = threading.Thread.start

    def started(thread: Any) -> None:
        output = current.get()
        if output:
            thread.run = belonging(thread.run, output, link)
        start(thread)

    threading.Thread.start = started  # type: ignore[method-assign]


def belonging(run: Any, output: Output, link: Mux) -> Any:
    def work() -> None:
        current.set(output)
        link.hand(OWN)
        link.enter(output.turn)
        try:
            run()
        finally:
            link.leave()

    return work
