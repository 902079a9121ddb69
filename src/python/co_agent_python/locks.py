# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""The locks of the user's code, and which of them are held."""
from __future__ import annotations

import collections
import multiprocessing.synchronize
import os
import sys
import threading
import types
from typing import Any, Iterator

from .origins import is_users

THREADS = (type(threading.Lock()), type(threading.RLock()))
PROCESSES = (multiprocessing.synchronize.Lock, multiprocessing.synchronize.RLock)

# How far the user's data is searched.
THINGS_MAX = 100_000
CONTAINER_MAX = 1_000


def held_locks(target: Any) -> Iterator[str]:
    """The names of those that are held, in the user's modules and in what target refers to."""
    waiting = collections.deque([("create_agent", target)])
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if isinstance(module, types.ModuleType) and is_users(path):
            if name == "__main__":
                name = os.path.basename(path).removesuffix(".py")
            waiting.extend((f"{name}.{key}", value) for key, value in vars(module).items())
    seen: set[int] = set()
    while waiting and len(seen) < THINGS_MAX:
        name, thing = waiting.popleft()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if is_held(thing):
            yield name
        waiting.extend((name + part, value) for part, value in parts_of(thing))


def is_held(thing: Any) -> bool:
    if isinstance(thing, PROCESSES):
        return thing._semlock._is_mine()
    if isinstance(thing, THREADS):
        return thing._is_owned() if hasattr(thing, "_is_owned") else thing.locked()
    return False


def parts_of(thing: Any) -> Iterator[tuple[str, Any]]:
    """What it refers to, as far as it is the user's."""
    if isinstance(thing, dict):
        if len(thing) <= CONTAINER_MAX:
            yield from ((f"[{key!r:.30}]", value) for key, value in list(thing.items()))
    elif isinstance(thing, (list, tuple, set, frozenset, collections.deque)):
        if len(thing) <= CONTAINER_MAX:
            yield from ((f"[{i}]", value) for i, value in enumerate(list(thing)))
    elif isinstance(thing, types.FunctionType):
        if is_users(thing.__code__.co_filename):
            yield from closure_of(thing)
    elif isinstance(thing, types.MethodType):
        yield "", thing.__self__
    elif isinstance(thing, (threading.Condition, threading.Semaphore)):
        yield "", getattr(thing, "_lock", None)
    elif is_users_type(thing if isinstance(thing, type) else type(thing)):
        yield from members_of(thing)


def closure_of(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        try:
            yield f"(): {name}", cell.cell_contents
        except ValueError:
            pass  # it is empty


def is_users_type(kind: type) -> bool:
    return is_users(getattr(sys.modules.get(kind.__module__), "__file__", None))


def members_of(thing: Any) -> Iterator[tuple[str, Any]]:
    yield from ((f".{key}", value) for key, value in list(getattr(thing, "__dict__", {}).items()))
    for kind in type(thing).__mro__:
        slots = vars(kind).get("__slots__", ())
        for key in (slots,) if isinstance(slots, str) else slots:
            descriptor = vars(kind).get(key)
            if isinstance(descriptor, types.MemberDescriptorType) and hasattr(thing, key):
                yield f".{key}", descriptor.__get__(thing)
