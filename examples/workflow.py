#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""An agent that lets other agents work, wherever they are hosted.

    co-hostd -a "exec:python3 examples/workflow.py RESEARCHER ANALYST WRITER"

The three are addresses. Each step is a tool call for the client: it sees who works. The calls
are signed with the key of this agent's project (./.co), so the others may admit it by its
address.
"""
import json
import subprocess
import sys


class Failed(Exception):
    pass


def say(type, **members):
    print(json.dumps({"type": type, **members}), flush=True)


def ask(name, address, prompt):
    """Another agent, as a tool of this one."""
    step = {"tool_id": name, "name": name, "args": {"prompt": prompt}}
    say("tool_call", status="running", **step)
    done = subprocess.run(["co-connect", "--timeout", "300", "--retry", "3", address],
                          input=prompt, text=True, capture_output=True)
    if done.returncode != 0:
        say("tool_result", status="error", result=done.stderr.strip(), **step)
        raise Failed(f"{name}: {done.stderr.strip()}")
    answer = done.stdout.strip()
    say("tool_result", status="success", result=answer, **step)
    return answer


def run_workflow(task, researcher, analyst, writer):
    research = ask("researcher", researcher, f"Research: {task}")
    analysis = ask("analyst", analyst, f"Analyze this data: {research}")
    return ask("writer", writer, f"Write report based on: {analysis}")


def main():
    line = sys.stdin.readline()
    if not line:
        return  # a warm process that was not needed
    try:
        say("OUTPUT", result=run_workflow(json.loads(line)["prompt"], *sys.argv[1:4]))
    except Failed as e:
        say("ERROR", message=str(e))


main()
