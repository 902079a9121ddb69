# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""The agent that both hosts of bench/peers serve: its model answers from a script.

    echo TEXT      answers TEXT
    sleep MS       thinks for so long
"""
import os
import time
from typing import Any

from connectonion import Agent, host
from connectonion.core.llm import LLM, LLMResponse, TokenUsage


class Script(LLM):
    """A model that costs nothing."""

    model = "script"

    def complete(self, messages: list, tools: Any = None, **more: Any) -> LLMResponse:
        prompt = next(m["content"] for m in reversed(messages) if m["role"] == "user")
        if isinstance(prompt, list):
            prompt = prompt[0]["text"]
        verb, _, rest = prompt.partition(" ")
        if verb == "sleep":
            time.sleep(float(rest) / 1000)
            rest = "awake"
        return LLMResponse(content=rest, tool_calls=[], raw_response=None, usage=TokenUsage())

    def structured_complete(self, messages: list, output_schema: Any, **more: Any) -> Any:
        raise NotImplementedError


def create_agent() -> Agent:
    return Agent("peer", llm=Script(), system_prompt="You answer.", quiet=True, log=False)


if __name__ == "__main__":
    host(create_agent, port=int(os.environ.get("PORT", "8000")), trust="open", relay_url=None)
elif os.environ.get("SERVE_APP"):
    # For "uvicorn agent:app --workers N", the package's only way to several processes.
    from connectonion.network import create_app
    app = create_app(create_agent, trust="open")
