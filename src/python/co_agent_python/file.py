# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""The user's file: how it is found and run, and what it hosts."""
from __future__ import annotations

import importlib.util
import inspect
import os
import sys
import threading
import types
from typing import Any, Callable

from .faults import NoAgent, Stop
from .found import Found
from .package import check_package
from .trust import Trust


def told(value: Any) -> Any:
    """An argument of host() as JSON; of an object, only what it is."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (list, tuple)):
        return [told(v) for v in value]
    if isinstance(value, dict):
        return {str(k): told(v) for k, v in value.items()}
    return {"type": type(value).__name__}


def is_path(target: str) -> bool:
    """Whether it names a file, and not a module as python -m and uvicorn take it."""
    return (os.path.isfile(target) or target.endswith(".py")
            or not all(part.isidentifier() for part in target.split(".")))


def find_module(name: str) -> Any:
    """The module as python -m finds it from the project directory."""
    sys.path[0] = os.getcwd()
    try:
        spec = importlib.util.find_spec(name)
        if spec and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(name + ".__main__") or spec
    except ModuleNotFoundError as error:
        if error.name and (name + ".").startswith(error.name + "."):
            spec = None
        else:
            raise
    if not spec or not spec.origin or not os.path.isfile(spec.origin):
        raise NoAgent(f"there is no file {name}, and no module {name} in {os.getcwd()}")
    return spec


class File:
    """Runs the user's file and hands its agent to serve(), in place of host()."""

    def __init__(self, target: str, serve: Callable[[Found], None]):
        path, colon, name = target.rpartition(":")
        if not colon or not name.isidentifier() or os.path.exists(target):
            path, name = target, ""
        self.spec: Any = None  # of a module
        self.path = path
        self.name = name
        self.serve = serve
        self.apps: list[tuple[Any, Any, dict[str, Any]]] = []
        self.is_found = False
        self.module = types.ModuleType("__main__")

    def run(self) -> None:
        """Run it; serve() is called once, from within host() or after the file."""
        check_package()
        self.replace_host()
        try:
            package = self.find()
            with open(self.path, "rb") as f:
                code = compile(f.read(), self.path, "exec", dont_inherit=True)
            sys.argv = [self.path]
            self.module.__dict__.update(__file__=self.path, __builtins__=__builtins__,
                                        __package__=package, __spec__=self.spec)
            sys.modules["__main__"] = self.module
            exec(code, self.module.__dict__)
            if not self.is_found:
                self.take(*self.choose())
        except Stop:
            pass

    def find(self) -> str | None:
        """Know its path. Returns its package; what it imports is found by Python then."""
        if not is_path(self.path):  # which may load its packages
            self.spec = find_module(self.path)
            self.path = os.path.abspath(self.spec.origin)
            return self.spec.parent
        self.path = os.path.abspath(self.path)
        here = root = os.path.dirname(self.path)
        while os.path.exists(os.path.join(root, "__init__.py")):
            root = os.path.dirname(root)
        sys.path[0:1] = dict.fromkeys((here, os.getcwd(), root))  # as python and uvicorn do
        return os.path.relpath(here, root).replace(os.sep, ".") if here != root else None

    def replace_host(self) -> None:
        from connectonion import network

        new = {id(network.host): (network.host, self.make_host(network.host)),
               id(network.create_app): (network.create_app, self.create_app)}
        for module in [m for n, m in sys.modules.items() if n.split(".")[0] == "connectonion"]:
            for key, value in list(vars(module).items()):
                if id(value) in new and value is new[id(value)][0]:
                    setattr(module, key, new[id(value)][1])
        try:
            import uvicorn
        except ImportError:
            return
        uvicorn.run = self.run_app

    def make_host(self, original: Callable[..., Any]) -> Callable[..., None]:
        names = list(inspect.signature(original).parameters)

        def host(*args: Any, **kwargs: Any) -> None:
            given = {**dict(zip(names, args)), **kwargs}
            target = given.pop(names[0], None)
            if target is None:
                raise TypeError("host() needs an agent, or a function that makes one")
            self.take(target, given)

        return host

    def create_app(self, create_agent: Any, storage: Any = None, trust: Any = None,
                   result_ttl: Any = None, **given: Any) -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            raise RuntimeError("this application is served by co-hostd")

        for key, value in (("trust", trust), ("result_ttl", result_ttl)):
            if value is not None:
                given[key] = value
        self.apps.append((app, create_agent, given))
        return app

    def run_app(self, app: Any, *args: Any, **given: Any) -> None:
        if not self.apps:
            raise NoAgent(f"{self.path} runs an application that is not of create_app()")
        chosen = next((a for a in self.apps if a[0] is app), self.apps[-1])
        places = {"bind": given.get("host"), "port": given.get("port")}
        self.take(chosen[1], {**chosen[2], **{k: v for k, v in places.items() if v is not None}})

    def take(self, target: Any, given: dict[str, Any]) -> None:
        if threading.current_thread() is not threading.main_thread():
            self.apps.append((None, target, given))
            threading.Event().wait()  # host() does not return
        if self.name:
            target, own = self.named()
            given = own or given
        router = given.pop("http", None)
        trust = None
        if not isinstance(given.get("trust"), (str, os.PathLike, dict, type(None))):
            trust = Trust(given["trust"])
            given = {**given, "trust": trust.rules()}
        # None is "not given", but for relay_url, where it means none.
        args = {k: told(v) for k, v in given.items() if v is not None or k == "relay_url"}
        self.is_found = True
        self.serve(Found(target, args, router, trust))
        raise Stop()

    def named(self) -> tuple[Any, dict[str, Any]]:
        value = vars(self.module).get(self.name)
        for app, target, given in self.apps:
            if app is not None and app is value:
                return target, given
        if callable(value) or hasattr(value, "input"):
            return value, {}
        raise NoAgent(f"{self.path} has no agent named {self.name}")

    def choose(self) -> tuple[Any, dict[str, Any]]:
        """The agent of a file that did not call host()."""
        from connectonion import Agent

        if self.name:
            return self.named()
        if self.apps:
            return self.apps[-1][1], self.apps[-1][2]
        agents = [v for v in vars(self.module).values() if isinstance(v, Agent)]
        if len(agents) == 1:
            return agents[0], {}
        maker = vars(self.module).get("create_agent")
        if callable(maker):
            return maker, {}
        raise NoAgent(f"{self.path} has no agent: it should call host(), or say which it is: "
                      f"python:{os.path.basename(self.path)}:NAME")
