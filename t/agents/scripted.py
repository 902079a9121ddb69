# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""A model that does what the prompt says, through the package's own interface."""
import os
import signal
import subprocess
import time

from connectonion.core.llm import LLM, LLMResponse, ToolCall
from connectonion.core.usage import TokenUsage
from connectonion.useful_tools.ask_user import ask_user


class Scripted(LLM):
    """The newest message of the user is "TOOL ARGUMENT"; other text is echoed."""

    def __init__(self, model: str = "scripted-1"):
        self.model = model

    def complete(self, messages, tools=None, **kwargs):
        usage = TokenUsage(input_tokens=3, output_tokens=2, cost=0.25)
        last = [m for m in messages if not m.get("internal")][-1]
        if last["role"] == "tool":
            return LLMResponse(last["content"], [], None, usage)
        content = last["content"]
        images = 0
        if isinstance(content, list):
            images = sum(part["type"] == "image_url" for part in content)
            content = content[0]["text"]
        word, _, rest = content.partition(" ")
        if word == "boom":
            raise ValueError("the model is out of order")
        names = {tool["name"] for tool in tools or []}
        if word in names:
            args = {"ask_user": lambda: dict(zip(("question", "options"),
                    (rest.split("|")[0], rest.split("|")[1:])))}.get(
                        word, lambda: {"text": rest})()
            return LLMResponse(None, [ToolCall(word, args, f"call-{len(messages)}")], None, usage)
        users = sum(m["role"] == "user" for m in messages)
        return LLMResponse(f"{content} ({users} so far, {images} images)", [], None, usage)

    def structured_complete(self, messages, output_schema, **kwargs):
        raise NotImplementedError


def calculate(text: str) -> str:
    """Work out a sum."""
    print("calculating", text)
    return str(eval(text, {}))


async def later(text: str) -> str:
    """Say something, by a coroutine."""
    return text


def read(text: str) -> str:
    """Read a file."""
    with open(text, encoding="utf-8") as f:
        return f.read()


def nap(text: str) -> str:
    """Sleep for some seconds."""
    time.sleep(float(text))
    return f"slept {text}"


def spawn(text: str) -> str:
    """Leave a daemon behind: a process in a session of its own."""
    subprocess.Popen(["sleep", text], start_new_session=True)
    return str(os.getpid())


def die(text: str) -> str:
    """End the process by a signal."""
    os.kill(os.getpid(), getattr(signal, text))
    time.sleep(60)
    return "alive"


def grow(text: str) -> str:
    """Take that many MB of memory."""
    return str(len(bytearray(int(text) << 20)))


def leave(text: str, agent) -> str:
    """Ask for leave."""
    return "granted" if agent.io.request_approval("leave", {"text": text}) else "refused"


def review(text: str, agent) -> str:
    """Show a plan."""
    agent.io.send({"type": "plan_review", "plan_content": text})
    return agent.io.receive()["message"]


def odd(text: str, agent) -> str:
    """Send events that are not quite what they should be."""
    agent.io.log("thinking")
    agent.io.log("done", at=float("nan"), what={1, 2})
    loop = {"type": "compact", "status": "done", "all": []}
    loop["all"].append({"again": loop})
    agent.io.send(loop)
    agent.io.send({"type": "eval", "id": 7, "status": None, "passed": True})
    agent.io.send_image("data:image/png;base64,AAAA")
    return "sent"


TOOLS = [calculate, later, read, nap, spawn, die, grow, leave, review, odd, ask_user]
