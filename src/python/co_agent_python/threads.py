# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Threads that turns start: what they print and do is theirs, and so many may they be."""
from __future__ import annotations

import contextvars
import threading
from typing import Any

from .mux import OWN, Mux
from .output import Output, current


def start(thread: threading.Thread) -> None:
    """Start a thread that belongs to no turn."""
    contextvars.Context().run(thread.start)


def install(link: Mux, most: int) -> None:
    """Let a thread belong to the turn in which it is started, even after its end."""
    begin = threading.Thread.start

    def started(thread: Any) -> None:
        output = current.get()
        if not output:
            return begin(thread)
        if len(output.threads) >= most:
            raise RuntimeError(f"can't start new thread: the turn has {most}, "
                               "which is agent_processes")
        run = thread.run
        thread.run = belonging(thread, run, output, link)
        output.threads.add(thread)
        try:
            begin(thread)
        except RuntimeError:
            output.threads.discard(thread)
            thread.run = run
            link.crowded()
            raise

    threading.Thread.start = started  # type: ignore[method-assign]


def belonging(thread: Any, run: Any, output: Output, link: Mux) -> Any:
    def work() -> None:
        current.set(output)
        link.hand(OWN)
        link.enter(output.turn)
        try:
            run()
        finally:
            link.leave()
            output.threads.discard(thread)
            del thread.run

    return work
