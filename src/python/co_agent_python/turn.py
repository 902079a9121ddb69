# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""One turn of an agent: an input, a tool call, a decision on a caller."""
from __future__ import annotations

import json
import os
import threading
import time
from typing import Any, BinaryIO

from .agent import files_handler, limit_full_access, with_runtime_input, with_usage
from .bridge import Interrupted
from .faults import show_traceback
from .found import Found
from .lines import to_line
from .tools import execute, judge

INTERRUPTED = "What would you like me to do?"


class Turn:
    """One turn or one tool call on a pair of descriptors, which it owns."""

    def __init__(self, agent: Found, input_fd: int, output_fd: int):
        self.agent = agent
        self.input: BinaryIO = os.fdopen(input_fd, "rb")
        self.output_fd = output_fd
        self.lock = threading.Lock()
        self.io: Any = None

    def write(self, message: dict[str, Any]) -> None:
        data = memoryview(to_line(message))
        with self.lock:
            while data:
                data = data[os.write(self.output_fd, data):]

    def close(self) -> None:
        """Close the output; the input is the listener's."""
        with self.lock:
            os.close(self.output_fd)

    def run(self) -> None:
        line = self.input.readline()
        if not line.strip():
            return
        task = json.loads(line)
        try:
            if task.get("type") == "EXEC":
                self.write(execute(self.agent, task))
            elif task.get("type") == "TRUST":
                self.write(judge(self.agent, task))
            else:
                self.converse(task)
        except BrokenPipeError:
            pass  # nobody listens any more
        except BaseException as error:
            show_traceback(error)
            self.tell_result()
            failure = {"type": "ERROR", "message": f"{type(error).__name__}: {error}"}
            if isinstance(error, MemoryError):
                failure["reason"] = "memory"
            self.write(failure)

    def tell_result(self) -> None:
        if self.io and self.io.result:
            self.write(self.io.result)

    def listen(self) -> None:
        for line in self.input:
            if line.strip():
                self.io.hear(json.loads(line))
        self.io.interrupt()  # the server is gone, or has what it wants

    def converse(self, task: dict[str, Any]) -> None:
        self.io = self.agent.bridge(self.write, bool(task.get("files")))
        threading.Thread(target=self.listen, name="co-turn-input", daemon=True).start()
        lock = self.agent.lock
        # One object does one turn at a time, as under the package's own host().
        while lock and not lock.acquire(timeout=0.05):
            if self.io.is_interrupted:
                self.write({"type": "OUTPUT", "result": INTERRUPTED})
                return
        try:
            self.answer(task)
        finally:
            if lock:
                lock.release()

    def answer(self, task: dict[str, Any]) -> None:
        agent = self.agent.make()
        agent.io = self.io
        agent.storage = None
        limit_full_access(agent)
        with_runtime_input(agent)
        session = task.get("session") or {}
        session["session_id"] = task.get("session_id")
        session.setdefault("turn", max(0, task.get("turn", 1) - 1))
        with_usage(session)
        more: dict[str, Any] = {"images": task["images"]} if task.get("images") else {}
        handler = files_handler(task.get("files") or [])
        handlers = agent.events["after_user_input"]
        if handler:
            handlers.insert(0, handler)
        try:
            result = ask(agent, task["prompt"], session=session, **more)
        finally:
            if handler:
                handlers.remove(handler)
        # A prompt that was accepted is answered, even if it just missed the end.
        while not self.io.is_interrupted and (late := self.io.take_backlog()):
            self.io.taken_id = late["id"]
            result = ask(agent, late["prompt"], session=agent.current_session)
        self.tell_result()
        agent.current_session["updated"] = time.time()
        self.write({"type": "OUTPUT", "result": result, "session": agent.current_session})


def ask(agent: Any, prompt: str, **more: Any) -> str:
    """Let the agent answer, or end its turn as one that was interrupted."""
    try:
        return agent.input(prompt, **more)
    except Interrupted:
        # No model takes a conversation in which a call has no result.
        messages = agent.current_session["messages"]
        answered = {m.get("tool_call_id") for m in messages}
        calls = [call["id"] for m in messages for call in m.get("tool_calls") or ()]
        messages += [{"role": "tool", "content": "Interrupted by user", "tool_call_id": i}
                     for i in calls if i not in answered]
        return INTERRUPTED
