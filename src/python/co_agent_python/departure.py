# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Calls by which a turn ends the process: the server is told which turn it was."""
from __future__ import annotations

import os
from typing import Any, NoReturn

from .mux import Mux
from .output import current


def install(link: Mux) -> None:
    def say(what: str) -> None:
        output = current.get()
        if not link.is_cut():  # a fork may do what it likes
            link.lose(output.turn if output else 0, what)

    leave, execv, execve = os._exit, os.execv, os.execve

    def _exit(status: int) -> NoReturn:
        say(f"os._exit({status})")
        leave(status)

    def replace(path: Any, args: Any) -> NoReturn:
        say(f"os.execv({os.fspath(path)!r})")
        execv(path, args)

    def replace_with(path: Any, args: Any, env: Any) -> NoReturn:
        say(f"os.execve({os.fspath(path)!r})")
        execve(path, args, env)

    os._exit, os.execv, os.execve = _exit, replace, replace_with  # type: ignore[assignment]
