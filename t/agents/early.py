# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""A factory for any version of the package that can be hosted."""
from connectonion import Agent, host
from scripted import Scripted


def create_agent():
    return Agent("early", llm=Scripted())


if __name__ == "__main__":
    host(create_agent)
