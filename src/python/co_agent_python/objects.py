# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""The objects of the interpreter."""
from __future__ import annotations

import gc
from typing import Any, Iterator

# What gc.get_threshold() says when the file has left it alone.
USUAL_COLLECTION = (700, 10, 10)


def objects_of(*kinds: type) -> Iterator[Any]:
    """All objects of these classes that the collector knows, until gc.freeze() hides them.

    isinstance() would ask the objects, and some answer with side effects.
    """
    known: dict[type, bool] = {}
    for thing in gc.get_objects():
        kind = type(thing)
        if kind not in known:
            known[kind] = issubclass(kind, kinds)
        if known[kind]:
            yield thing


def collect_rarely() -> None:
    """Turns make much that is soon gone by itself."""
    if gc.get_threshold() == USUAL_COLLECTION:
        gc.set_threshold(10_000, 10, 10)
