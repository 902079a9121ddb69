# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""One turn of an agent: an input, a tool call, a decision on a caller."""
from __future__ import annotations

import asyncio
import inspect
import json
import threading
import time
from typing import Any, Coroutine

from .agent import files_handler, limit_full_access, with_runtime_input, with_usage
from .bridge import Interrupted
from .channel import Channel, Unheard
from .faults import show_traceback
from .found import Found
from .steps import Step
from .tools import execute, judge

INTERRUPTED = "What would you like me to do?"

# How often a turn that waits for another one looks for an interrupt.
LOOK_SECONDS = 0.05

# How long a step that was taken for quick may take after an interrupt: as with the package.
STUCK_SECONDS = 0.2


class Turn:
    """Its coroutine run() waits only for an agent whose input() has to be awaited."""

    def __init__(self, agent: Found, channel: Channel, is_task: bool = False):
        self.agent = agent
        self.channel = channel
        self.is_task = is_task  # of the event loop, where it may wait
        self.io: Any = None
        self.subject: Any = None  # its agent
        self.task: asyncio.Task[Any] | None = None  # in which it runs, where that can be cancelled

    async def run(self, line: bytes) -> None:
        try:
            self.channel.end(await self.work(json.loads(line)))
        except Unheard:
            pass
        except BaseException as error:
            show_traceback(error)
            self.fail(error)

    async def work(self, task: dict[str, Any]) -> dict[str, Any]:
        """Returns the last message."""
        if task.get("type") == "EXEC":
            return execute(self.agent, task)
        if task.get("type") == "TRUST":
            return judge(self.agent, task)
        return await self.converse(task)

    def fail(self, error: BaseException) -> None:
        failure = {"type": "ERROR", "message": f"{type(error).__name__}: {error}"}
        if isinstance(error, MemoryError):
            failure["reason"] = "memory"
        try:
            self.tell_result()
            self.channel.end(failure)
        except Unheard:
            pass

    def tell_result(self) -> None:
        if self.io and self.io.result:
            self.channel.write(self.io.result)

    def hear(self, message: dict[str, Any]) -> None:
        """A later message of the client, in another thread."""
        kind = message.get("type")
        if kind == "CLOSE":
            self.io.interrupt()
        else:
            self.io.hear(message)
        if kind in ("CLOSE", "INTERRUPT"):
            if self.task:
                self.task.get_loop().call_soon_threadsafe(self.task.cancel)
            elif step := self.channel.step():
                threading.Thread(target=self.give_up, args=(step,), daemon=True).start()

    def give_up(self, step: Step) -> None:
        """End the turn if its thread does not come back from a step that was taken for quick."""
        step.join(STUCK_SECONDS)
        if step.is_alive():
            self.channel.end({"type": "OUTPUT", "result": stopped(self.subject),
                              "session": self.subject.current_session})

    async def converse(self, task: dict[str, Any]) -> dict[str, Any]:
        if self.is_task:
            self.task = asyncio.current_task()
        self.io = self.agent.bridge(self.channel.write, bool(task.get("files")))
        self.channel.listen(self.hear)
        lock = self.agent.lock
        if not lock:
            return await self.answer(task)
        # One object does one turn at a time, as under the package's own host().
        while not await self.try_acquire(lock):
            if self.io.is_interrupted:
                return {"type": "OUTPUT", "result": INTERRUPTED}
        try:
            return await self.answer(task)
        finally:
            lock.release()

    async def try_acquire(self, lock: threading.Lock) -> bool:
        if not self.task:
            return lock.acquire(timeout=LOOK_SECONDS)
        if lock.acquire(blocking=False):
            return True
        await asyncio.sleep(LOOK_SECONDS)
        return False

    async def answer(self, task: dict[str, Any]) -> dict[str, Any]:
        agent = self.subject = self.agent.make()
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
        handlers = agent.events["after_user_input"] if handler else []
        if handler:
            handlers.insert(0, handler)
        try:
            result = await self.ask(agent, task["prompt"], session=session, **more)
        finally:
            if handler:
                handlers.remove(handler)
        # A prompt that was accepted is answered, even if it just missed the end.
        while not self.io.is_interrupted and (late := self.io.take_backlog()):
            self.io.taken_id = late["id"]
            result = await self.ask(agent, late["prompt"], session=agent.current_session)
        self.tell_result()
        agent.current_session["updated"] = time.time()
        return {"type": "OUTPUT", "result": result, "session": agent.current_session}

    async def ask(self, agent: Any, prompt: str, **more: Any) -> str:
        """Let the agent answer, or end its turn as one that was interrupted."""
        try:
            result = agent.input(prompt, **more)
            if self.task:
                return await result
            return self.agent.settle(result) if inspect.isawaitable(result) else result
        except Interrupted:
            pass
        except asyncio.CancelledError:
            if not self.io.is_interrupted:
                raise
        return stopped(agent)


def stopped(agent: Any) -> str:
    """The end of a turn that was stopped in the midst of its calls."""
    # No model takes a conversation in which a call has no result.
    messages = agent.current_session["messages"]
    answered = {m.get("tool_call_id") for m in messages}
    calls = [call["id"] for m in messages for call in m.get("tool_calls") or ()]
    messages += [{"role": "tool", "content": "Interrupted by user", "tool_call_id": i}
                 for i in calls if i not in answered]
    return INTERRUPTED


def run_now(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that does not wait."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("this agent has to be awaited, which was not so at the start")
