# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""What host() was given as trust, where that is an object."""
from __future__ import annotations

import inspect
import json
import threading
from typing import Any, Callable

from .faults import NoAgent


class Trust:
    """An object that host() was given as trust: it says who may come in.

    A TrustAgent is asked by should_allow(), an Agent by a prompt.
    """

    # What the server does itself, whatever a subclass of TrustAgent makes of it.
    SERVERS = ("verify_invite", "verify_payment", "promote_to_contact", "promote_to_whitelist",
               "demote_to_contact", "demote_to_stranger", "block", "unblock", "get_level",
               "is_whitelisted", "is_blocked", "is_contact", "is_stranger", "is_admin",
               "is_super_admin", "get_self_address", "add_admin", "remove_admin")

    def __init__(self, value: Any):
        self.value = value
        self.name = type(value).__name__
        self.lock = threading.Lock()
        self.has_method = callable(getattr(value, "should_allow", None))
        if not self.has_method and not callable(getattr(value, "input", None)):
            raise NoAgent(f"host() was given a {self.name} as trust: it takes a level (open, "
                          "careful, strict), a policy, an Agent or a TrustAgent")

    def rules(self) -> dict[str, Any]:
        """The policy that goes with it; "default" is for callers that signed nothing."""
        if not self.has_method:
            return {"allow": ["admin", "whitelisted"], "default": "ask"}
        config = getattr(self.value, "config", None) or {}
        rules = {k: config[k] for k in ("deny", "onboard") if config.get(k) is not None}
        is_open = config.get("default") == "allow" and self.is_original("should_allow")
        return {**rules, "default": "allow" if is_open else "deny"}

    def is_original(self, name: str) -> bool:
        """Whether this method is the package's own, or there is none."""
        method = getattr(type(self.value), name, None)
        return method is None or method.__module__.split(".")[0] == "connectonion"

    def warning(self) -> str | None:
        theirs = [n for n in self.SERVERS if self.has_method and not self.is_original(n)]
        return theirs and (f"the server does not call {', '.join(theirs)} of the {self.name}: "
                           "lists and doors are its own, and should_allow decides") or None

    def decide(self, facts: dict[str, Any], settle: Callable[[Any], Any]) -> str:
        """{"allow", "reason"} as JSON, or what an Agent said."""
        facts.pop("policy", None)
        if not self.has_method:
            return self.ask(facts)
        request = {"prompt": "", "invite_code": None, "payment": 0, **facts}
        decision = self.value.should_allow(facts["identity"], request)
        if inspect.isawaitable(decision):
            decision = settle(decision)
        if isinstance(decision, bool):
            return json.dumps({"allow": decision})
        return json.dumps({"allow": decision.allow is True, "reason": str(decision.reason or "")})

    def ask(self, facts: dict[str, Any]) -> str:
        prompt = ("Decide whether this caller may come in. What the server knows of it:\n"
                  f"{json.dumps(facts)}\n"
                  "Begin the answer with ACCEPT or REJECT, and say why.")
        session = {"session_id": "trust", "messages": [], "trace": [], "turn": 0}
        with self.lock:  # one object does one turn at a time
            return str(self.value.input(prompt, session=session))
