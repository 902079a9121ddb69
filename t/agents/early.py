# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""A factory for any version of the package that can be hosted."""
import time

from connectonion import Agent, host
from connectonion.core.events import before_each_tool
from connectonion.tui import pick
from connectonion.useful_tools.ask_user import ask_user
from scripted import Scripted, nap


class Model(Scripted):
    """Thinks about some prompts for a while, and can tell what it was told."""

    def complete(self, messages, tools=None, **kwargs):
        last = messages[-1]["content"]
        if last == "ponder":
            self.agent.io.log("thinking", content="for a second")
            time.sleep(1)
        if last == "recall":
            calls = [call["id"] for m in messages for call in m.get("tool_calls") or ()]
            results = [m["tool_call_id"] for m in messages if m["role"] == "tool"]
            if calls != results:
                raise ValueError(f"a conversation with calls {calls} and results {results}")
            said = [m["content"] for m in messages[:-1] if m["role"] == "user"]
            messages = [{"role": "user", "content": "said " + " / ".join(said)}]
        return super().complete(messages, tools, **kwargs)


def guarded(text: str) -> str:
    """Do what needs leave."""
    return f"did {text}"


def choose(text: str) -> str:
    """Ask at the terminal."""
    return pick(text, ["yes", "no"])


@before_each_tool
def guard(agent):
    tool = agent.current_session["pending_tool"]
    if tool["name"] == "guarded":
        if not agent.io.request_approval(tool["name"], tool["arguments"]):
            raise ValueError("no leave")


def create_agent():
    def talk(text: str) -> str:
        """Speak for some seconds."""
        for i in range(int(text) * 10):
            agent.io.log("thinking", content=str(i))
            time.sleep(0.1)
        return "said all"

    model = Model()
    agent = Agent("early", llm=model, tools=[choose, guarded, nap, talk, ask_user],
                  on_events=[guard])
    model.agent = agent
    return agent


if __name__ == "__main__":
    host(create_agent)
