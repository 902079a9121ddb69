# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""The one event loop of a process, for all that is asynchronous in its turns."""
from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from typing import Any, Coroutine


class Loop:
    """It is made before the file runs, whose asyncio objects see it, and runs when it is needed."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.thread: threading.Thread | None = None
        self.ident = 0
        self.lock = threading.Lock()

    def is_here(self) -> bool:
        """Whether this thread runs it."""
        return threading.get_ident() == self.ident

    def start(self) -> asyncio.AbstractEventLoop:
        with self.lock:
            if self.thread is None:
                if self.loop.is_closed() or self.loop.is_running():  # in the file itself
                    self.loop = asyncio.new_event_loop()
                self.thread = threading.Thread(target=self.work, name="co-loop", daemon=True)
                contextvars.Context().run(self.thread.start)  # of no turn
        return self.loop

    def work(self) -> None:
        self.ident = threading.get_ident()
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def run(self, waiting: Any) -> Any:
        """The result of an awaitable, for a thread that can wait for it."""
        if self.is_here():
            raise RuntimeError("what runs in the event loop has to await this")
        return asyncio.run_coroutine_threadsafe(awaited(waiting), self.start()).result()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it, and do not wait. It must not fail."""
        asyncio.run_coroutine_threadsafe(work, self.start())

    def lend(self) -> None:
        """Let the package run asynchronous tools here, and not in a loop of its own."""
        executor = sys.modules.get("connectonion.core.tool_executor")
        if hasattr(executor, "_async_loop") and hasattr(executor, "_async_loop_thread"):
            executor._async_loop = self.start()  # type: ignore[union-attr]
            executor._async_loop_thread = self.thread  # type: ignore[union-attr]


async def awaited(waiting: Any) -> Any:
    """Any awaitable as a coroutine."""
    return await waiting
