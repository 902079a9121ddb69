# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""A factory: each turn has an agent of its own."""
from connectonion import Agent, host
from scripted import TOOLS, Scripted

count = 0


def bump(text: str) -> str:
    """Count in what the file made."""
    global count
    count += 1
    return str(count)


def guard(text: str, agent=None, **options) -> str:
    """Say what came along."""
    return f"{text} {type(agent).__name__} {sorted(options)}"


class Uses:
    """A tool with something to remember."""

    def __init__(self):
        self.count = 0

    def use(self, text: str) -> str:
        """Count how often this object is used."""
        self.count += 1
        return str(self.count)


def create_agent():
    return Agent("factory", llm=Scripted(), tools=[*TOOLS, Uses(), guard, bump],
                 system_prompt="Do what you are told.")


if __name__ == "__main__":
    host(create_agent, port=1234, trust="open", relay_url=None)
    raise RuntimeError("host() came back")
