# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""The agent of this project.

It requires the Python package connectonion (set python in .co/host.yaml to the interpreter
that has it) and an API key in .env: OPENONION_API_KEY, which "co auth" obtains, or with
Agent(..., model="gpt-4o") the key of the model's provider, here OPENAI_API_KEY.
"""
from connectonion import Agent, host


def count_words(text: str) -> int:
    """Count the words of a text."""
    return len(text.split())


def create_agent() -> Agent:
    return Agent("assistant", tools=[count_words])


if __name__ == "__main__":
    host(create_agent)
