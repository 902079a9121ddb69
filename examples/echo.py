#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""An agent for co-hostd in Python, with the standard library alone.

    co-hostd -a "exec:python3 examples/echo.py"

Each turn is one process; see co-agent(7). Prompts to try: "ask Which colour?|red|blue",
"approve shell", "plan dig|build", "count 5", "wait", "fail on purpose", or anything.
"""
import json
import sys
import time


class Interrupted(Exception):
    pass


def say(type, **members):
    """Write one line."""
    print(json.dumps({"type": type, **members}), flush=True)


def hear(wanted):
    """Read lines until one of the wanted type comes."""
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == wanted:
            return message
        if message["type"] == "INTERRUPT":
            raise Interrupted
        if message["type"] == "INPUT":  # came while we work: take it up
            say("user_input", id=message["id"], content=message["prompt"],
                runtime_input=True)
    raise Interrupted  # the server is gone


def ask(text):
    question, *options = text.split("|")
    say("ask_user", question=question, text=question, options=options,
        multi_select=False)
    answer = hear("ASK_USER_RESPONSE")["answer"]
    if isinstance(answer, list):
        answer = ", ".join(answer)
    return f"You answered: {answer}"


def approve(tool):
    say("tool_call", tool_id="1", name=tool, args={}, status="running")
    say("approval_needed", tool=tool, arguments={},
        description=f"The example would like to use {tool}")
    if not hear("APPROVAL_RESPONSE")["approved"]:
        say("tool_blocked", tool=tool, reason="rejected",
            message="The user did not approve it.")
        say("tool_result", tool_id="1", name=tool, args={}, status="error",
            result="rejected", timing_ms=0)
        return f"{tool} was not approved."
    say("tool_result", tool_id="1", name=tool, args={}, status="success",
        result="done", timing_ms=0)
    return f"{tool} was approved and ran."


def plan(text):
    say("plan_review", plan_content="\n".join(text.split("|")))
    return "You said: " + hear("PLAN_REVIEW_RESPONSE")["message"]


def count(text):
    for i in range(int(text)):
        step = {"tool_id": str(i), "name": "count", "args": {"i": i}}
        say("tool_call", status="running", **step)
        say("tool_result", status="success", result=str(i), timing_ms=0, **step)
    return f"Counted {text} times."


def wait(_):
    say("thinking", content="Waiting for an INTERRUPT.")
    hear("INTERRUPT")


def sleep(ms):
    time.sleep(int(ms) / 1000)
    return f"Slept {ms} ms."


COMMANDS = {"ask": ask, "approve": approve, "plan": plan, "count": count,
            "wait": wait, "sleep": sleep}


def answer(task):
    word, _, rest = task["prompt"].partition(" ")
    if word in COMMANDS:
        return COMMANDS[word](rest)
    if word == "fail":
        raise ValueError(rest)
    turns = sum(m.get("role") == "user"
                for m in task["session"].get("messages", []))
    text = f"You said: {task['prompt']} (after {turns} others)"
    for f in task["files"]:
        text += f"\nFile {f['name']} ({f['size']} bytes)"
    return text


def main():
    line = sys.stdin.readline()
    if not line:
        return  # a warm process that was not needed
    try:
        say("OUTPUT", result=answer(json.loads(line)))
    except Interrupted:
        say("OUTPUT", result="What would you like me to do?")
    except Exception as e:  # clients are told only that the agent failed
        say("ERROR", message=f"{type(e).__name__}: {e}")


main()
