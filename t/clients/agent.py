# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""An agent of the ConnectOnion package whose model follows the demo agent's script.

The same stories can so be told to the demo agent, to this one behind co-hostd
(-a python:agent.py), and to this one behind the package's own host (PORT, TRUST and RELAY).
"""
import os
import re
import time
from typing import Any

from connectonion import Agent, host
from connectonion.core.llm import LLM, LLMResponse, TokenUsage, ToolCall
from connectonion.useful_plugins import tool_approval
from connectonion.useful_tools.ask_user import ask_user


def calculate(expression: str) -> str:
    """Work out a sum."""
    a, operator, b = re.fullmatch(r"\s*(\d+)\s*([*+])\s*(\d+)\s*", expression).groups()
    return str(int(a) * int(b) if operator == "*" else int(a) + int(b))


def translate(text: str) -> str:
    """Not allowed to be called."""
    return text


def step(number: int, pause_ms: int = 0) -> str:
    """Take a while."""
    time.sleep(pause_ms / 1000)
    return f"Step {number} is done."


def bash(command: str) -> str:
    """Needs to be approved."""
    return "ran"


def text_of(message: dict) -> str:
    """The text of a message, whose content may be in parts."""
    content = message.get("content") or ""
    if isinstance(content, list):
        content = "".join(part.get("text", "") for part in content)
    return content


def calls(*wanted: tuple[str, dict]) -> LLMResponse:
    tools = [ToolCall(name=name, arguments=arguments, id=f"c{n}-{time.time_ns()}")
             for n, (name, arguments) in enumerate(wanted)]
    return LLMResponse(content=None, tool_calls=tools, raw_response=None, usage=TokenUsage())


def says(text: str) -> LLMResponse:
    return LLMResponse(content=text, tool_calls=[], raw_response=None, usage=TokenUsage())


class Script(LLM):
    """A model that knows a few prompts."""

    model = "script"

    def complete(self, messages: list, tools: Any = None, **more: Any) -> LLMResponse:
        users = [n for n, message in enumerate(messages) if message["role"] == "user"]
        prompt = text_of(messages[users[-1]])
        results = [text_of(m) for m in messages[users[-1]:] if m["role"] == "tool"]
        verb, _, rest = prompt.partition(" ")
        if verb == "echo":
            return says(rest)
        if verb == "sleep" and not results:
            return calls(("step", {"number": 1, "pause_ms": int(rest)}))
        if verb == "stream":
            count, _, pause = rest.partition(" ")
            if results:
                return says(f"Streamed {count} steps.")
            return calls(*[("step", {"number": n + 1, "pause_ms": int(pause or 0)})
                           for n in range(int(count))])
        if verb == "ask":
            question, *options = rest.split("|")
            if results:
                return says(f"You answered: {results[-1]}")
            return calls(("ask_user", {"question": question, "options": options}))
        if verb == "approve":
            if not results:
                return calls((rest, {"command": "make install"}))
            return says(f"{rest} was approved and ran." if results[-1] == "ran"
                        else f"{rest} was not approved.")
        if prompt.startswith("My name is "):
            return says(f"Nice to meet you, {prompt[11:]}!")
        if prompt.startswith("What is my name"):
            names = [text_of(messages[n])[11:] for n in users
                     if text_of(messages[n]).startswith("My name is ")]
            return says(f"Your name is {names[-1]}." if names else "I do not know.")
        if verb == "look":
            parts = messages[users[-1]]["content"]
            images = [p for p in parts if isinstance(p, dict) and p.get("type") == "image_url"]
            return says(f"You said: {prompt}" + "".join(
                f"\nImage {n + 1}: image/png" for n in range(len(images))))
        return says(f"You said: {prompt}")

    def structured_complete(self, messages: list, output_schema: Any, **more: Any) -> Any:
        raise NotImplementedError


def create_agent() -> Agent:
    return Agent("script", llm=Script(), tools=[calculate, translate, step, bash, ask_user],
                 plugins=[tool_approval], system_prompt="You follow a script.",
                 quiet=True, log=False)


if __name__ == "__main__":
    host(create_agent, port=int(os.environ.get("PORT", "8000")),
         trust=os.environ.get("TRUST", "open"), relay_url=os.environ.get("RELAY"))
