# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""A factory beside a thread of the file, which a fork would lose."""
import threading
import time

from connectonion import Agent, create_app
from scripted import TOOLS, Scripted

ticks = 0


def tick():
    global ticks
    while True:
        ticks += 1
        time.sleep(0.01)


def alive(text: str) -> str:
    """Whether the thread goes on."""
    before = ticks
    time.sleep(0.2)
    return "yes" if ticks > before else "no"


threading.Thread(target=tick, daemon=True).start()
app = create_app(lambda: Agent("threads", llm=Scripted(), tools=[*TOOLS, alive]))
