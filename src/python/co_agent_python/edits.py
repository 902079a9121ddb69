# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""The files of the project that were loaded, and whether one was edited since."""
from __future__ import annotations

import os
import sys
import time
from typing import Callable, NoReturn

from .file import File


def mtime_of(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0


def project_files() -> dict[str, float]:
    """The modules of the project that are loaded."""
    here = os.getcwd() + os.sep
    paths = set()
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if path and path.startswith(here) and "site-packages" not in path:
            paths.add(path)
    return {p: mtime_of(p) for p in paths}


def loaded_files(target: str) -> dict[str, float]:
    """The file and the modules of the project that it loaded."""
    file = File(target, lambda found: None)
    file.find()
    return {file.path: mtime_of(file.path), **project_files()}


class Edits:
    """Looks once a second whether a file was edited that the process has loaded."""

    def __init__(self, tell: Callable[[str], None]):
        self.tell = tell
        self.seen: dict[str, float] = {}
        self.modules = 0
        self.find_new()

    def find_new(self) -> None:
        if len(sys.modules) != self.modules:
            self.modules = len(sys.modules)
            main = getattr(sys.modules["__main__"], "__file__", "")
            self.seen = {main: mtime_of(main), **project_files(), **self.seen}

    def watch(self) -> NoReturn:
        while True:
            time.sleep(1)
            for path, mtime in self.seen.items():
                now = mtime_of(path)
                if now != mtime:
                    self.seen[path] = now
                    self.tell(os.path.relpath(path))
            self.find_new()
