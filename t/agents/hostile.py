#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""An agent whose every text tries to control the terminal of its client."""
import json
import sys

EVIL = ("\x1b[2J\x1b]0;owned\x07\x1b]52;c;ZWNobyBvd25lZA==\x07\u009b31m\u202etxt.exe\u2066"
        "\u200b\r\x08\x7f\U000e0041")


def say(type, **members):
    print(json.dumps({"type": type, **members}), flush=True)


def hear():
    json.loads(sys.stdin.readline())


hear()
say("thinking", content="thinking" + EVIL)
say("assistant", content="assistant" + EVIL)
say("tool_call", tool_id="1", name="tool" + EVIL, args={"argument" + EVIL: EVIL})
say("tool_result", tool_id="1", name="tool" + EVIL, status="success", result="result" + EVIL)
say("tool_blocked", tool="blocked" + EVIL, reason=EVIL, message=EVIL)
say("plan", entries=[{"content": "entry" + EVIL, "status": "pending", "priority": "low"}])
say("custom" + EVIL, status="status" + EVIL)
say("ask_user", question="question" + EVIL, options=["option" + EVIL, "other"], multi_select=False)
hear()
say("plan_review", plan_content="plan\n" + EVIL)
hear()
say("OUTPUT", result="answer" + EVIL)
