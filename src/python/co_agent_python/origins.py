# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""The lines of the user's code, and which of them made a thing that is found later."""
from __future__ import annotations

import os
import sys
import sysconfig
import threading
import weakref
from typing import Any

from .faults import is_ours

LIBRARY_FOLDERS = tuple({sysconfig.get_path(name) + os.sep
                         for name in ("stdlib", "platstdlib", "purelib", "platlib")})
PACKAGE_FOLDERS = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def package_of(path: str) -> str:
    """The path within the folder of installed packages; empty for other files."""
    for folder in PACKAGE_FOLDERS:
        if folder in path:
            return path.rpartition(folder)[2]
    return ""


def is_users(path: str | None) -> bool:
    """Whether a source file is the user's own, not one of a library."""
    return bool(path) and not (path.startswith(("<", *LIBRARY_FOLDERS)) or package_of(path)
                               or is_ours(path))


def shown(path: str) -> str:
    """The path as seen from the project."""
    return path.removeprefix(os.getcwd() + os.sep)


def line_of(path: str, line: int) -> str:
    return f"{shown(path)}:{line}"


def running_line() -> str:
    """The user's line that runs, and the package that it has called; empty if none does."""
    frame = sys._getframe(1)
    package = ""
    while frame:
        path = frame.f_code.co_filename
        if is_users(path):
            return line_of(path, frame.f_lineno) + (f" by {package}" if package else "")
        package = package_of(path).split(os.sep)[0].removesuffix(".py") or package
        frame = frame.f_back
    return ""


class Origins:
    """Hears of what is made, until it is closed. An audit hook cannot be removed."""

    def __init__(self) -> None:
        self.is_open = False
        self.sockets: list[tuple[weakref.ref, str]] = []
        self.threads: dict[int, str] = {}  # by the id of the Thread
        self.files: dict[str, str] = {}
        self.descriptors: set[str] = set()  # files opened by os.open()
        self.commands: dict[bytes, str] = {}
        self.forks: set[str] = set()
        self.kinds = {"open": self.opened, "sqlite3.connect": self.opened,
                      "socket.__new__": self.made_socket, "subprocess.Popen": self.ran,
                      "os.posix_spawn": self.ran, "os.fork": self.forked}
        self.start = threading.Thread.start
        sys.addaudithook(self.hear)

    def open(self) -> None:
        self.is_open = True
        # Before 3.12 the audit hook does not hear of threads.
        threading.Thread.start = self.start_thread()  # type: ignore[method-assign]

    def close(self) -> None:
        self.is_open = False
        threading.Thread.start = self.start  # type: ignore[method-assign]

    def hear(self, event: str, args: tuple) -> None:
        if not self.is_open or event not in self.kinds:
            return
        try:  # what is raised here would be raised by what is heard of
            self.kinds[event](*args)
        except Exception:
            pass

    def opened(self, path: Any, mode: str | None = "", flags: int = 0) -> None:
        path = os.path.abspath(os.fsdecode(path))
        if path.endswith((".py", ".pyc")):
            return
        self.files[path] = running_line()
        if mode is None:
            self.descriptors.add(path)

    def made_socket(self, made: Any, *about: Any) -> None:
        self.sockets.append((weakref.ref(made), running_line()))

    def start_thread(self) -> Any:
        def start(thread: threading.Thread) -> None:
            self.threads[id(thread)] = running_line()
            self.start(thread)

        return start

    def ran(self, program: Any, args: Any, *more: Any) -> None:
        self.commands[b"\0".join(map(os.fsencode, args))] = running_line()

    def forked(self) -> None:
        self.forks.add(running_line())

    # Where a thing was made; empty if nothing was heard of it.

    def of_descriptor(self, fd: int, target: str = "") -> str:
        for made, line in self.sockets:
            if (sock := made()) is not None and sock.fileno() == fd:
                return line
        for path, line in self.files.items():
            if os.path.realpath(path) == target.removesuffix(" (deleted)"):
                return line
        return ""

    def of_thread(self, thread: threading.Thread) -> str:
        return self.threads.get(id(thread), "")

    def of_process(self, command: bytes) -> str:
        forks = list(self.forks) if len(self.forks) == 1 else [""]
        return self.commands.get(command, forks[0])

    def is_descriptor(self, target: str) -> bool:
        """Whether the file was opened by os.open()."""
        return any(os.path.realpath(path) == target for path in self.descriptors)
