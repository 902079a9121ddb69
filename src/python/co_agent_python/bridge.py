# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""The package's IO of a turn, whose client is the line protocol of co-agent(7)."""
from __future__ import annotations

import sys
import threading
import time
from typing import Any, Callable

from .events import tidy


class Interrupted(BaseException):
    """Ends a turn of a package that does not look for interrupts (before 1.7.0)."""


class Mailbox:
    """Before 0.9.3 what the client says is put into a queue, as host() did then."""

    def send_to_agent(self, message: dict[str, Any]) -> None:
        self._incoming.put(message)  # type: ignore[attr-defined]


class LatePrompts:
    """Before 1.5.20 a prompt that misses the last call of the model is lost: the bridge keeps
    them all until they are asked for."""

    def push_runtime_input(self, prompt: dict[str, Any]) -> bool:
        return False

    def pop_runtime_inputs(self) -> list[dict[str, Any]]:
        return list(iter(self.take_backlog, None))  # type: ignore[attr-defined]


def make_bridge(base: type) -> type:
    """The package's own IO, whose client is the line protocol."""
    heeds_interrupts = hasattr(base, "request_interrupt")
    tracks = hasattr(base, "_track_provider_invocation")
    for method, missing in (("send_to_agent", Mailbox), ("open_runtime_inputs", LatePrompts)):
        if not hasattr(base, method):
            base = type(missing.__name__, (missing, base), {})

    class Bridge(base):  # type: ignore[misc, valid-type]
        def __init__(self, write: Callable[[dict[str, Any]], None], has_files: bool):
            super().__init__()
            self.write = write
            self.has_files = has_files
            self.has_begun = False  # the first user_input has passed
            self.backlog: list[dict[str, Any]] = []  # prompts that no window took
            self.backlog_lock = threading.Lock()
            self.taken_id: str | None = None  # prompt that the next user_input takes up
            self.result: dict[str, Any] | None = None
            self.is_interrupted = False
            self.thread = threading.get_ident()  # the turn's

        def stop_if_interrupted(self) -> None:
            if self.is_interrupted and not heeds_interrupts:
                raise Interrupted()

        def receive(self) -> dict[str, Any]:
            message = super().receive()
            self.stop_if_interrupted()
            return message

        def send(self, message: dict[str, Any]) -> None:
            if self.is_interrupted and threading.get_ident() == self.thread:
                self.stop_if_interrupted()
            kind = message.get("type")
            if kind == "session_sync" or (kind == "files_received" and self.has_files):
                return  # the server tells it
            message.setdefault("ts", time.time())
            if tracks:
                self._track_provider_invocation(message)
            if kind == "user_input" and not message.get("runtime_input"):
                if not self.has_begun:
                    self.has_begun = True
                    return
                message = {**message, "id": self.taken_id, "runtime_input": True}
            event = tidy(message)
            if event is None:
                print(f"event without a usable type: {message.get('type')!r}", file=sys.stderr)
            elif kind == "turn_result":
                self.result = event  # told when it is known to be the last
            else:
                self.write(event)

        def _send_persisted_trace(self, message: dict[str, Any]) -> None:
            self.send(message)

        # A later prompt waits for the package's plugin to be ready for it.

        def more_input(self, prompt: dict[str, Any]) -> None:
            with self.backlog_lock:
                if not self.push_runtime_input(prompt):
                    self.backlog.append(prompt)

        def open_runtime_inputs(self) -> None:
            with self.backlog_lock:
                super().open_runtime_inputs()
                while self.backlog:
                    self.push_runtime_input(self.backlog.pop(0))

        def take_backlog(self) -> dict[str, Any] | None:
            with self.backlog_lock:
                return self.backlog.pop(0) if self.backlog else None

        def interrupt(self) -> None:
            self.is_interrupted = True
            ask = getattr(self, "request_interrupt", None)
            if ask:
                ask()
            else:
                self.send_to_agent({"type": "INTERRUPT"})

        def hear(self, message: dict[str, Any]) -> None:
            kind = message.get("type")
            if kind == "INPUT":
                self.more_input({"id": message.get("id"), "prompt": message.get("prompt")})
            elif kind == "INTERRUPT":
                self.interrupt()
            elif kind == "APPROVAL_RESPONSE":
                check = getattr(self, "_normalized_legacy_permission", None)
                self.send_to_agent(check(message) if check else message)
            else:
                answer = message.get("answer")
                if kind == "ASK_USER_RESPONSE" and isinstance(answer, list):
                    message["answer"] = ", ".join(str(a) for a in answer)
                self.send_to_agent(message)

    return Bridge
