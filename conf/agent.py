# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""The agent of this project.

It needs the Python package connectonion (python in .co/host.yaml is the interpreter that
has it), and in .env the key of a model: OPENONION_API_KEY, which "co auth" gets, or with
Agent(..., model="gpt-4o") that of its maker, here OPENAI_API_KEY.
"""
from connectonion import Agent, host


def count_words(text: str) -> int:
    """Count the words of a text."""
    return len(text.split())


def create_agent() -> Agent:
    return Agent("assistant", tools=[count_words])


if __name__ == "__main__":
    host(create_agent)
