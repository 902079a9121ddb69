# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""What of the connectonion package is otherwise under a server."""
from __future__ import annotations

import io as stdio
import os
import sys
import threading
import types
from typing import Any, NoReturn

from .faults import NoAgent

# The package from which on host() has connectonion.network.io.
LOWEST_PACKAGE = "0.6.3"


def check_package() -> None:
    """Say it when the package is there but of before host() had what we serve."""
    try:
        import connectonion.network.io  # noqa: F401
    except ImportError as error:
        package = sys.modules.get("connectonion")
        if not package or (error.name or "").split(".")[0] != "connectonion":
            raise
        version = getattr(package, "__version__", "of this version")
        raise NoAgent(f"connectonion {version} is too old: agents can be hosted from "
                      f"{LOWEST_PACKAGE} on; update it for {sys.executable}") from None


def quiet_banner() -> None:
    """The start has shown it; each turn need not."""
    try:
        from connectonion.console import Console
    except ImportError:
        return
    Console.print_banner = lambda *args, **kwargs: None


def refuse_keys() -> None:
    """Plugins that ask at the terminal (shell_approval) are told that nobody is there."""
    keys = sys.modules.get("connectonion.tui.keys")

    def getch() -> NoReturn:
        raise RuntimeError("this is asked at a terminal, and an agent that is hosted has none")

    if keys:
        keys.getch = getch  # type: ignore[attr-defined]


def guard_records() -> None:
    """A turn that is done does not fail because its record cannot be written."""
    try:
        from connectonion.logger import Logger
    except ImportError:
        return
    original = Logger.log_turn
    lock = threading.Lock()  # the package names its temporary file by the process alone

    def log_turn(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            with lock:
                original(self, *args, **kwargs)
        except Exception as error:
            print(f"the record of this turn is lost: {error}", file=sys.stderr)

    Logger.log_turn = log_turn


def quicken_records() -> None:
    """Let the package keep its records by libyaml, where it is: they are read each time."""
    try:
        import yaml
        from connectonion import logger
        quick = types.ModuleType("yaml")
        vars(quick).update(vars(yaml))
        quick.safe_load = lambda text: yaml.load(text, yaml.CSafeLoader)
        quick.dump = lambda data, stream=None, **how: yaml.dump(
            data, stream, Dumper=yaml.CDumper, **how)
        if logger.yaml is yaml and yaml.CDumper:
            logger.yaml = quick
    except (ImportError, AttributeError):
        pass


def quicken_project() -> None:
    """Let the package look only once for the folder of the project, which has .co."""
    project = sys.modules.get("connectonion.project")
    original = getattr(project, "project_root", None)
    if not original:
        return
    home = os.getcwd()
    root = original()

    def project_root(start: Any = None) -> Any:
        return root if start is None and os.getcwd() == home else original(start)

    project.project_root = project_root  # type: ignore[union-attr]


def warm() -> None:
    """Load what the package loads in the first turn only."""
    try:
        import rich.console
        import connectonion.useful_plugins.runtime_input  # noqa: F401
        import connectonion.useful_plugins.system_reminder  # noqa: F401
        import connectonion.approvals  # noqa: F401
    except ImportError:
        return
    rich.console.Console(file=stdio.StringIO()).print("[dim]\u25cb[/dim] \u25b8 \u2713")


def prepare() -> None:
    """All of this, once the file has run."""
    quiet_banner()
    refuse_keys()
    guard_records()
    quicken_records()
    quicken_project()
    warm()
