# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""The agent that a file hosts."""
from __future__ import annotations

import asyncio
import inspect
import sys
import threading
from typing import Any, Callable

from .bridge import make_bridge
from .lines import plain
from .loop import awaited
from .trust import Trust


def settle(waiting: Any) -> Any:
    """The result of an awaitable, in an event loop of its own."""
    return asyncio.run(awaited(waiting))


class Found:
    """The agent of a file: a factory, or one object that is shared."""

    def __init__(self, target: Any, host_args: dict[str, Any], router: Any = None,
                 trust: Trust | None = None):
        from connectonion.network.io import WebSocketIO

        self.target = target
        self.trust = trust
        self.kind = "factory" if callable(target) else "instance"
        self.host_args = host_args
        self.routes = {f"{r.method} {r.path}": r for r in getattr(router, "routes", ())}
        self.lock: threading.Lock | None = None
        self.is_async = False  # its input() has to be awaited: known from describe() on
        self.settle: Callable[[Any], Any] = settle  # waits for an awaitable
        self.bridge = make_bridge(WebSocketIO)

    def make(self) -> Any:
        return self.target() if self.kind == "factory" else self.target

    def kept(self, sample: Any) -> list[str]:
        """The names of what was made outside the function and does its agents' tools."""
        owners = {id(getattr(tool, "__self__", None)) for tool in sample.tools}
        owners |= {id(one) for one in getattr(sample.tools, "_instances", {}).values()}
        owners.discard(id(None))
        outside = dict(vars(sys.modules["__main__"]))
        if inspect.isfunction(self.target):
            outside |= inspect.getclosurevars(self.target).nonlocals
        return [name for name, value in outside.items() if id(value) in owners]

    def states(self, sample: Any) -> dict[str, str]:
        """What each state means for this file, in words."""
        what = ", ".join(self.kept(sample)) or "objects made by the file"
        return {"isolated": f"each turn runs in its own copy; changes to {what} are lost "
                            "(to keep them: agent_state: shared)",
                "shared": f"the turns of a process share {what}; agent_state: isolated gives "
                          "each a copy"}

    def describe(self) -> dict[str, Any]:
        sample = self.make()
        self.is_async = inspect.iscoroutinefunction(sample.input)
        about = {
            "name": sample.name,
            "model": sample.llm.model,
            "tools": list(sample.list_tools()),
            "system_prompt": sample.system_prompt or "",
            "host_args": self.host_args,
            "kind": self.kind,
        }
        about["states"] = self.states(sample)
        skills = [{"name": s.name, "description": s.description, "location": s.location}
                  for s in getattr(sample, "skills", [])]
        if skills:
            about["skills"] = skills
        if self.routes:
            about["routes"] = list(self.routes)
        if self.trust:
            about["trust_object"] = self.trust.name
            about["trust_warning"] = self.trust.warning()
        return plain(about)
