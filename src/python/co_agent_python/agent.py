# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""What an agent of the package needs for a turn under a server."""
from __future__ import annotations

import functools
import time
from typing import Any, Callable

# The package's words before a prompt that joins a turn.
LATE_FRAME = (
    "[The user sent this while you were working on the previous request. "
    "Treat it as additional context or a follow-up \u2014 do NOT abandon the "
    "original task unless they explicitly say to stop or replace it. "
    "Address both the original request and this new input in your response.]\n\n")


def with_usage(session: dict[str, Any]) -> None:
    """Up to 0.6.5 a trace has objects, which versions up to 1.5.19 add up without a check."""
    trace = session.get("trace")
    if not trace:
        return
    from connectonion.core.usage import TokenUsage

    for entry in trace:
        if isinstance(entry, dict) and entry.get("type") == "llm_call" and entry.get("usage"):
            try:
                entry["usage"] = TokenUsage(**entry["usage"])
            except (TypeError, ValueError):
                entry["usage"] = None


def files_handler(files: list[dict[str, Any]]) -> Callable[[Any], None] | None:
    """Tells the agent of files that the server has saved, as the package does of its own."""
    if not files:
        return None

    def receive(agent: Any) -> None:
        agent._record_trace({
            "type": "files_received",
            "files": [{"name": f["name"], "path": f["path"]} for f in files],
            "turn": agent.current_session["turn"], "ts": time.time()})
        listing = "\n".join(f"- {f['path']}" for f in files)
        notice = (f"The user uploaded the following files:\n{listing}\n"
                  "Use your read_file tool or other available tools to read the file "
                  "contents before responding. Do not assume or guess the contents.")
        try:
            from connectonion.useful_plugins.system_reminder import reminder_message
            message = reminder_message(notice)
        except ImportError:
            message = {"role": "user", "content": notice}
        agent.current_session["messages"].append(message)

    return receive


def take_up(agent: Any) -> None:
    """Does what the plugin does, for versions before 0.9.3, which do not have it."""
    pop = getattr(agent.io, "pop_runtime_inputs", list)
    for prompt in pop():
        agent.current_session["messages"].append(
            {"role": "user", "content": LATE_FRAME + prompt["prompt"]})
        agent._record_trace({
            "type": "user_input", "id": prompt["id"], "content": prompt["prompt"],
            "turn": agent.current_session["turn"], "runtime_input": True})


@functools.cache
def runtime_input() -> list[tuple[str, Any]]:
    """The handlers of the package's plugin, or our own, with the names of their events."""
    try:
        from connectonion.useful_plugins.runtime_input import runtime_input as handlers
    except ImportError:
        return [("before_llm", take_up)]
    return [(handler._event_type, handler) for handler in handlers]


def with_runtime_input(agent: Any) -> None:
    """Prompts may come while the agent works: it needs the package's plugin for them."""
    for event, handler in runtime_input():
        handlers = agent.events[event]
        if handler not in handlers:
            handlers.append(handler)


def limit_full_access(agent: Any) -> None:
    """What the agent's file allows is a ceiling and not given at once, as under host()."""
    turns = getattr(agent, "_full_access_turns", None)
    if isinstance(turns, bool) or not isinstance(turns, int) or turns <= 0:
        turns = None
    if turns is None and hasattr(agent, "_host_full_access_turns_ceiling"):
        return
    if hasattr(agent, "_full_access_turns"):
        agent._full_access_turns = None
    if hasattr(agent, "_full_access_needs_activation"):
        agent._full_access_needs_activation = False
    agent._host_full_access_turns_ceiling = turns
