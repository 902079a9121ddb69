# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""An agent whose routes have names in their paths."""
from connectonion import Agent, host
from paths_router import http
from scripted import TOOLS, Scripted


def create_agent():
    return Agent("router", llm=Scripted(), tools=TOOLS)


host(create_agent, trust="open", http=http)
