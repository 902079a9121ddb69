# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Reload: a process that has not run the file forks a zygote for each edit."""
from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import time
from typing import BinaryIO, NoReturn

from .edits import loaded_files, mtime_of
from .faults import leave, show_traceback
from .file import File
from .lines import to_line
from .zygote import Zygote


class Keeper:
    """Starts zygotes, watches the files that they loaded, replaces them when one changes."""

    def __init__(self, options: argparse.Namespace, target: str, sock: socket.socket, out: int):
        self.options = options
        self.target = target
        self.sock = sock
        self.out = out
        self.pid = 0  # of the zygote that serves
        self.order = -1  # to it
        self.reports: BinaryIO | None = None  # from it
        self.seen: dict[str, float] = {}

    def run(self) -> NoReturn:
        if not self.replace():
            leave(1)
        while True:
            time.sleep(1)
            self.check_zygote()
            if changed := self.changed():
                print(f"{changed} was edited: loading it", file=sys.stderr)
                if not self.replace():
                    print("the edit is broken: the code before it goes on serving",
                          file=sys.stderr)

    def check_zygote(self) -> None:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == self.pid:
                print(f"the agent's process ended: {status}", file=sys.stderr)
                leave(1)
            if not pid:
                return

    def changed(self) -> str | None:
        for path, mtime in self.seen.items():
            if mtime_of(path) != mtime:
                return os.path.relpath(path)
        return None

    def replace(self) -> bool:
        """Load the file anew in a fork; when that works, it takes over."""
        orders, order = os.pipe()
        reports, report = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(order)
            os.close(reports)
            self.become_zygote(orders, report)
        os.close(orders)
        os.close(report)
        reader = os.fdopen(reports, "rb")
        said = reader.readline()
        is_good, files = json.loads(said) if said else (False, {})
        self.seen = files or {p: mtime_of(p) for p in self.seen}
        if not is_good:
            os.close(order)
            reader.close()
            return False
        if self.reports:
            os.close(self.order)  # the one before does the turns it has, and leaves
            self.reports.readline()
            self.reports.close()
        os.write(order, b"g")
        self.pid, self.order, self.reports = pid, order, reader
        return True

    def become_zygote(self, orders: int, report: int) -> NoReturn:
        if self.order >= 0:
            os.close(self.order)
        zygote = Zygote(self.options, self.sock, self.out, orders, report)
        try:
            File(self.target, zygote.serve).run()
        except BaseException as error:
            show_traceback(error)
            os.write(report, to_line([False, loaded_files(self.target)]))
        leave(1)
