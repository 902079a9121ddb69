# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""How the running of a file ends, and what is shown of it."""
from __future__ import annotations

import os
import sys
import traceback
from typing import NoReturn

# What no traceback shows: the folder of this file, and the program that was started.
OUR_FOLDER = os.path.dirname(__file__) + os.sep
OUR_PROGRAM = getattr(sys.modules["__main__"], "__file__", None)


class Stop(BaseException):
    """Ends the file once its agent is known; not an Exception, so that none catches it."""


class NoAgent(Exception):
    pass


class Refused(BaseException):
    """The agent cannot be served in the way that was asked for; as Stop, none catches it."""


def is_ours(path: str) -> bool:
    return path.startswith(OUR_FOLDER) or path == OUR_PROGRAM


def show_traceback(error: BaseException) -> None:
    """The traceback without our own part of it."""
    if isinstance(error, (NoAgent, Refused)):
        print(error, file=sys.stderr)
        return
    if isinstance(error, SystemExit):
        print(reason(error), file=sys.stderr)
    story = traceback.TracebackException(type(error), error, error.__traceback__)
    part: traceback.TracebackException | None = story
    while part:
        part.stack = traceback.StackSummary.from_list(
            [frame for frame in part.stack if not is_ours(frame.filename)])
        part = part.__cause__ or part.__context__
    print("".join(story.format()), end="", file=sys.stderr)


def reason(error: BaseException) -> str:
    """What went wrong, in one line."""
    first = (str(error).splitlines() or [""])[0].rstrip(":")
    if isinstance(error, (NoAgent, Refused)):
        return first
    if isinstance(error, SystemExit):
        return f"the file ended itself: exit {error.code}"
    return f"{type(error).__name__}: {first}"


def leave(status: int) -> NoReturn:
    """Without waiting for threads of the file, or for what it wants done at the end."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
