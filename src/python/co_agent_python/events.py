# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Events of an agent as the server takes them."""
from __future__ import annotations

from typing import Any

EVENT_ID_MAX = 128

# Names that the server keeps for itself; an agent's event of such a name gets a prefix.
RESERVED = {"input", "start", "more_input", "answer", "interrupt", "done", "failed"}

# What the server checks in events: for each member its type, and whether it is needed.
STR, INT, NUM, BOOL, ANY = (str,), (int,), (int, float), (bool,), (object,)
MEMBERS: dict[str, dict[str, tuple[tuple[type, ...], bool]]] = {
    "user_input": {"content": (STR, True), "turn": (INT, False),
                   "runtime_input": (BOOL, False)},
    "llm_call": {"model": (STR, False), "iteration": (INT, False), "status": (STR, False)},
    "llm_result": {"model": (STR, False), "duration_ms": (NUM, False),
                   "tool_calls_count": (INT, False), "context_percent": (NUM, False),
                   "status": (STR, False)},
    "thinking": {"content": (STR, True), "kind": (STR, False)},
    "assistant": {"content": (STR, True)},
    "tool_call": {"tool_id": (STR, True), "name": (STR, True), "status": (STR, False),
                  "summary": (STR, False)},
    "tool_result": {"tool_id": (STR, True), "name": (STR, True), "status": (STR, False),
                    "result": (STR, False), "timing_ms": (NUM, False)},
    "tool_blocked": {"tool": (STR, True), "reason": (STR, False), "message": (STR, False)},
    "ask_user": {"question": (STR, True), "text": (STR, False), "multi_select": (BOOL, False)},
    "approval_needed": {"tool": (STR, True), "description": (STR, False)},
    "plan_review": {"plan_content": (STR, True)},
    "plan": {"entries": (ANY, True)},
    "compact": {"status": (STR, True)},
    "intent": {"status": (STR, True)},
    "eval": {"status": (STR, True)},
    "files_received": {"files": (ANY, True)},
    "agent_image": {"image": (STR, True)},
    "turn_result": {"turn": (INT, False), "reason": (STR, True)},
    "terminal_output": {"content": (STR, True), "stream": (STR, False),
                        "sequence": (INT, False)},
    "command_status": {"status": (STR, True), "position": (INT, False),
                       "exit_code": (INT, False), "duration_ms": (INT, False),
                       "error": (STR, False)},
    "trace_event": {"trace": (ANY, True)},
    "investigation_report": {"report": (ANY, True)},
}


# The package's words for the state of a tool, and those that every client knows.
TOOL_STATUS = {"pending": "running", "in_progress": "running", "completed": "success",
               "done": "success", "failed": "error", "not_found": "error",
               "interrupted": "error"}


def tidy(event: dict[str, Any]) -> dict[str, Any] | None:
    """The event as the server takes it; None if it cannot be one."""
    kind = event.get("type")
    if not isinstance(kind, str) or not "a" <= kind[:1] <= "z":
        return None
    event = dict(event)
    if kind in RESERVED:
        event["type"] = "agent_" + kind
    name = event.get("id")
    if not isinstance(name, str) or len(name) > EVENT_ID_MAX or len(name.encode()) > EVENT_ID_MAX:
        event.pop("id", None)
    if kind in ("tool_call", "tool_result"):
        event["status"] = TOOL_STATUS.get(event.get("status", ""), event.get("status"))
    if kind == "ask_user" and not event.get("question"):
        event["question"] = event.get("text") or ""
    for name, (allowed, is_needed) in MEMBERS.get(kind, {}).items():
        value = event.get(name)
        if value is None and not is_needed:
            event.pop(name, None)
        elif value is not None and isinstance(value, allowed) and (
                value.__class__ is not bool or allowed is BOOL or allowed is ANY):
            continue
        elif allowed is STR:
            event[name] = "" if value is None else str(value)
        elif is_needed:
            event[name] = []
        else:
            event.pop(name, None)
    return event
