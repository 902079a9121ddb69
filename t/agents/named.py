# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Two agents, of which the command line names one; nothing is hosted."""
from connectonion import Agent
from scripted import TOOLS, Scripted

first = Agent("first", llm=Scripted(), tools=TOOLS)


def second():
    return Agent("second", llm=Scripted(), tools=TOOLS)
