#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Agents that do one thing, for the examples: examples/agents.sh starts them.

    co-hostd -a "exec:python3 examples/specialist.py researcher"

They stand for agents with a model, and always say the same about a prompt.
"""
import json
import sys

ROLES = {
    "researcher": "Demand for {} grows, and prices fall.",
    "analyst": "Worth a look, since: {}",
    "writer": "REPORT. {}",
}


def main():
    role = sys.argv[1]
    line = sys.stdin.readline()
    if not line:
        return  # a warm process that was not needed
    about = json.loads(line)["prompt"].rpartition(": ")[2]
    print(json.dumps({"type": "thinking", "content": f"I am the {role}."}), flush=True)
    result = ROLES.get(role, role + " did {}").format(about)
    print(json.dumps({"type": "OUTPUT", "result": result}), flush=True)


main()
