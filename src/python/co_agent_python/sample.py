# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""An agent that is made and described in a fork.

What the user's function opens or starts is each turn's own. Had the program made an agent
itself, all its forks would have what this left, such as a thread, or a client in a cache.
"""
from __future__ import annotations

import ctypes
import json
import os
import signal
from typing import Any, NoReturn

from .faults import Refused, leave, show_traceback
from .found import Found
from .hazards import Hazards, children
from .lines import to_line

PR_SET_CHILD_SUBREAPER = 36


def describe_sample(found: Found, hazards: Hazards) -> tuple[dict[str, Any], list[str]]:
    """Returns what the agent is, and what it leaves in a process that has made it."""
    libc = ctypes.CDLL(None)
    reading, writing = os.pipe()
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)  # what its processes start is ours to end
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        make_sample(found, hazards, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as reader:
        said = reader.readline()
    end_children()
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0)
    if not said:
        raise Refused("no agent could be made")
    about, left = json.loads(said)
    return about, left


def make_sample(found: Found, hazards: Hazards, writing: int) -> NoReturn:
    try:
        hazards.begin()
        about = found.describe()
        os.write(writing, to_line([about, hazards.held(found.target)]))
        leave(0)
    except BaseException as error:
        show_traceback(error)
        leave(1)


def end_children() -> None:
    while pids := children():
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass  # a handler of SIGCHLD has waited for it
