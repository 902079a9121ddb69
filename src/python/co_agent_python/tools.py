# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Calls without the model: of a tool, of a route, of what host() was given as trust."""
from __future__ import annotations

import inspect
from typing import Any

from .found import Found
from .routes import call_route


def unknown_arguments(tool: Any, args: dict[str, Any]) -> list[str]:
    """Those that the tool does not tell models of, unless it takes any at all."""
    kinds = [p.kind for p in inspect.signature(tool).parameters.values()]
    if inspect.Parameter.VAR_KEYWORD in kinds:
        return []
    known = tool.to_function_schema()["parameters"].get("properties", {})
    return [name for name in args if name not in known]


def execute(found: Found, task: dict[str, Any]) -> dict[str, Any]:
    """One tool without the model, as EXEC does in the package."""
    name, args = task.get("tool"), dict(task.get("args") or {})
    if name in found.routes:
        return call_route(found.routes[name], args, found.settle)
    agent = found.make()

    def refuse(why: str) -> dict[str, Any]:
        return {"type": "EXEC_RESULT", "status": "error", "error": why}

    tool = agent.tools.get(name)
    if tool is None:
        return refuse(f"unknown tool '{name}' (available: {agent.list_tools()})")
    if not task.get("owner"):
        try:
            from connectonion.approvals import needs_owner, special
        except ImportError:
            special = None
        kind = special and special(name, args, tool)
        if kind:
            return refuse(f"forbidden: {needs_owner(kind, name)}")
    unknown = unknown_arguments(tool, args)
    if unknown:
        return refuse(f"tool '{name}' has no argument {', '.join(map(repr, unknown))}")
    if getattr(tool, "_needs_agent", False):
        args["agent"] = agent
    try:
        result = tool(**args)
        if inspect.iscoroutine(result):
            result = found.settle(result)
    except Exception as error:
        return refuse(f"{type(error).__name__}: {error}")
    return {"type": "EXEC_RESULT", "status": "success", "result": str(result)}


def judge(found: Found, task: dict[str, Any]) -> dict[str, Any]:
    """Whether a caller may come in, as what host() was given as trust says."""
    if not found.trust:
        return {"type": "EXEC_RESULT", "status": "error", "error": "host() has no such trust"}
    return {"type": "EXEC_RESULT", "status": "success",
            "result": found.trust.decide(task["args"], found.settle)}
