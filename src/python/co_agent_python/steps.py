# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""The threads in which the package takes the steps of a turn: calls of models and of tools.

The package starts a thread for each step, so that a turn can be interrupted while a call
waits. Here a step goes to a helper, a thread that stays. And a kind of step that has been
quick for long is done at once, without a change of threads, which takes longer than many an
answer of a cache; if it is slow once, it is done by a helper for a much longer time.
"""
from __future__ import annotations

import contextvars
import os
import sys
import threading
import time
import types
from typing import Any, Callable

from . import threads
from .mux import STEPS, Mux
from .output import current

# A step is quick if it takes no longer; so many in a row make it a habit, and each step that
# then is slow doubles the number.
QUICK_SECONDS = 0.002
SLOW_SECONDS = 0.02
HABIT_MIN, HABIT_MAX = 16, 1 << 16

# How many kinds of steps are known; then all are learned anew.
KINDS_MAX = 1024

# How deep a kind is told by what its function encloses.
DEPTH_MAX = 4


class Habit:
    """How long steps of one kind have taken."""

    def __init__(self) -> None:
        self.quick = 0  # in a row
        self.needed = HABIT_MIN

    def is_quick(self) -> bool:
        return self.quick >= self.needed

    def note(self, seconds: float) -> None:
        if seconds <= QUICK_SECONDS:
            self.quick += 1
        elif seconds > SLOW_SECONDS or not self.is_quick():
            if self.is_quick():
                self.needed = min(2 * self.needed, HABIT_MAX)
            self.quick = 0


habits: dict[tuple[Any, ...], Habit] = {}


FUNCTIONS = (types.FunctionType, types.MethodType)


def kind_of(function: Any, depth: int = 0) -> Any:
    """What tells one kind of step from another: the code, and what it works on."""
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    if code is None or depth > DEPTH_MAX:
        return type(function)
    kind = [code]
    for cell in function.__closure__ or ():
        try:
            value = cell.cell_contents
        except ValueError:
            continue  # not set so far
        if isinstance(value, FUNCTIONS):
            kind.append(kind_of(value, depth + 1))
        elif isinstance(value, str):
            kind.append(value)
        else:
            kind.append(type(value))
            if "llm" in getattr(value, "__dict__", ()):
                kind.append(type(value.llm))
    return tuple(kind)


def habit_of(function: Any) -> Habit:
    kind = kind_of(function)
    habit = habits.get(kind)
    if habit is None:
        if len(habits) >= KINDS_MAX:
            habits.clear()
        habit = habits[kind] = Habit()
    return habit


class Home(list):
    """The helpers of a thread that wait. They share its current directory and umask."""

    is_left = False

    def leave(self) -> None:
        """The thread is about to end."""
        self.is_left = True
        while self:
            self.pop().wake.release()


class Mine(threading.local):
    def __init__(self) -> None:
        self.home = Home()


mine = Mine()


class Helper:
    """A thread that takes steps for the one that has started it."""

    def __init__(self, link: Mux):
        self.link = link
        self.home = mine.home
        self.step: Step | None = None
        self.wake = threading.Lock()
        self.wake.acquire()
        threads.start(threading.Thread(target=self.work, name="co-step", daemon=True))

    def work(self) -> None:
        self.link.hand(STEPS)
        while True:
            self.wake.acquire()
            step, self.step = self.step, None
            if step is None:
                break
            self.link.enter(step.turn)
            step.run()
            self.link.enter(0)
            if self.link.is_cut():
                os._exit(0)  # a fork that was made in the step
            self.home.append(self)
            step.done.release()
            del step
            if self.home.is_left:
                break
        mine.home.leave()
        self.link.leave()


class Step:
    """What the package takes for a threading.Thread."""

    link: Mux

    def __init__(self, group: None = None, target: Callable[..., Any] | None = None,
                 name: str | None = None, args: Any = (), kwargs: Any = None, *,
                 daemon: bool | None = None):
        self.target = target
        self.args = args
        self.kwargs = kwargs or {}
        self.done = threading.Lock()
        self.done.acquire()
        self.turn = 0
        self.habit: Habit | None = None

    def start(self) -> None:
        output = current.get()
        # The package lets the step be run in a copy of the context: context.run(step).
        self.habit = habit_of(self.args[0] if self.args else self.target)
        if output and self.habit.is_quick() and not output.step:
            return self.run_here(output)
        try:
            helper = mine.home.pop() if mine.home else Helper(self.link)
        except RuntimeError:  # no further thread can be started
            self.link.crowded()
            return self.run_here(output)
        self.turn = output.turn if output else 0
        self.context = contextvars.copy_context()
        helper.step = self
        helper.wake.release()

    def run_here(self, output: Any) -> None:
        outer = output.step if output else None
        if output and not outer:
            output.step = self
        self.run()
        if output:
            output.step = outer
        self.done.release()

    def run(self) -> None:
        """Called once. The package's function keeps what it raises."""
        assert self.target and self.habit
        begin = time.perf_counter()
        try:
            if self.turn:
                self.context.run(self.target, *self.args, **self.kwargs)
            else:
                self.target(*self.args, **self.kwargs)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        self.habit.note(time.perf_counter() - begin)
        del self.target, self.args

    def is_alive(self) -> bool:
        return self.done.locked()

    def join(self, timeout: float | None = None) -> None:
        if self.done.acquire(timeout=-1 if timeout is None else max(0, timeout)):
            self.done.release()


def install(link: Mux) -> None:
    """Let the package take its steps this way."""
    interrupt = sys.modules.get("connectonion.core.interrupt")
    if not hasattr(interrupt, "run_interruptible") or not hasattr(interrupt, "threading"):
        return  # before 1.7.0
    Step.link = link
    theirs = types.ModuleType("threading")
    vars(theirs).update(vars(threading))
    theirs.Thread = Step  # type: ignore[attr-defined]
    interrupt.threading = theirs  # type: ignore[union-attr]
