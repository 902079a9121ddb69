# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""The files of the project that were loaded, and whether one was edited since."""
from __future__ import annotations

import os
import sys

from .file import File


def mtime_of(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0


def loaded_files(target: str) -> dict[str, float]:
    """The file and the modules of the project that it loaded."""
    here = os.getcwd() + os.sep
    file = File(target, lambda found: None)
    file.find()
    paths = {file.path}
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if path and path.startswith(here) and "site-packages" not in path:
            paths.add(path)
    return {p: mtime_of(p) for p in paths}
