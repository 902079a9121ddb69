# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""The command line of co-agent-python."""
from __future__ import annotations

import argparse
import os
import socket
import sys
from typing import NoReturn

from .faults import leave, reason, show_traceback
from .file import File
from .found import Found
from .hazards import Hazards
from .keeper import Keeper
from .lines import to_line
from .shared import Shared
from .zygote import Zygote


def describe(target: str, state: str) -> NoReturn:
    out = os.dup(1)
    os.dup2(2, 1)
    hazards = Hazards() if state == "isolated" else None

    def tell(found: Found) -> None:
        if hazards:
            hazards.refuse(found.target)
        os.write(out, to_line(found.describe()))
        leave(0)

    try:
        File(target, tell).run()
    except BaseException as error:
        show_traceback(error)
        os.write(out, to_line({"error": reason(error)}))
    leave(1)


def take_socket() -> int:
    """Standard input is the server's; the agent has nothing to read, and prints to its log."""
    sock = os.dup(0)
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return sock


def serve_isolated(options: argparse.Namespace) -> NoReturn:
    """Turns are forks, whose descriptors come through a packet socket."""
    sock = socket.socket(fileno=take_socket())
    out = os.dup(1)
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True)
    # A traceback goes out in one piece.
    sys.stderr.reconfigure(line_buffering=True)
    try:
        if options.reload:
            import connectonion.network  # noqa: F401 -- once for all edits
            Keeper(options, options.target, sock, out).run()
        zygote = Zygote(options, sock, out)
        File(options.target, zygote.serve).run()
    except BaseException as error:
        show_traceback(error)
    leave(1)


def serve_shared(options: argparse.Namespace) -> NoReturn:
    """Turns come and go over one stream socket, which is standard input and output."""
    sock = take_socket()
    os.dup2(2, 1)
    try:
        shared = Shared(options, sock)
        file = File(options.target, shared.serve)
        if shared.edits:
            shared.edits.begin(os.path.abspath(file.path))
        file.run()
    except BaseException as error:
        show_traceback(error)
    leave(1)


def main() -> NoReturn:
    parser = argparse.ArgumentParser(prog="co-agent-python")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--describe", action="store_true")
    what.add_argument("--serve", action="store_true")
    parser.add_argument("--state", choices=("shared", "isolated"), default="shared")
    parser.add_argument("--reload", action="store_true")
    parser.add_argument("--co-turn", default="co-turn")
    parser.add_argument("--processes", type=int, default=256)
    parser.add_argument("--memory", type=int, default=0)
    parser.add_argument("--spares", type=int, default=2)
    parser.add_argument("--forget", default="")
    parser.add_argument("--recycle-turns", type=int, default=0)
    parser.add_argument("--recycle-memory", type=int, default=0)
    parser.add_argument("--grace", type=float, default=0)
    parser.add_argument("target", metavar="FILE|MODULE[:NAME]")
    options = parser.parse_args()
    if options.describe:
        describe(options.target, options.state)
    if options.state == "isolated":
        serve_isolated(options)
    serve_shared(options)
