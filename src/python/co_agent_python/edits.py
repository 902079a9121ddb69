# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""The files of the project that were loaded, and whether one was edited since."""
from __future__ import annotations

import importlib.machinery
import os
import sys
import time
from typing import Any, Callable, NoReturn

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
    """Open from before the file runs, to hear of which time each file was that it loads."""

    def __init__(self) -> None:
        self.loaded: dict[str, float] = {}
        self.watched: dict[str, float] = {}
        self.modules = 0
        original = importlib.machinery.SourceFileLoader.path_stats

        def path_stats(loader: Any, path: str) -> Any:
            self.begin(path)
            return original(loader, path)

        importlib.machinery.SourceFileLoader.path_stats = path_stats  # type: ignore

    def begin(self, path: str) -> None:
        """A file is about to be loaded."""
        self.loaded[path] = mtime_of(path)

    def find_new(self) -> None:
        """Watch the modules of the project."""
        if len(sys.modules) != self.modules:
            self.modules = len(sys.modules)
            main = getattr(sys.modules["__main__"], "__file__", "")
            files = {main: mtime_of(main), **project_files()}
            self.watched = {path: self.loaded.get(path, files[path]) for path in files}

    def watch(self, tell: Callable[[str], None]) -> NoReturn:
        """Look once a second whether one of them was edited."""
        while True:
            self.find_new()
            for path, mtime in self.watched.items():
                now = mtime_of(path)
                if now != mtime:
                    self.watched[path] = self.loaded[path] = now
                    tell(os.path.relpath(path))
            time.sleep(1)
