# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""A bare agent: all turns share it, and what its tools keep."""
from connectonion import Agent, host
from scripted import TOOLS, Scripted


class Counter:
    """Counts."""

    def __init__(self):
        self.count = 0

    def bump(self, text: str) -> str:
        """Count one more."""
        self.count += 1
        return str(self.count)


agent = Agent("instance", llm=Scripted("scripted-2"), tools=[*TOOLS, Counter()])

host(agent)
