#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""An agent of the Python package connectonion, unmodified:

    co-hostd -a python:agent.py

The model is a stand-in that needs no key: "calculate 6*7" uses the tool, and everything
else is repeated. With a key, leave llm=Parrot() out.
"""
import ast
import operator

from connectonion import LLM, Agent, host
from connectonion.core.llm import LLMResponse, ToolCall
from connectonion.core.usage import TokenUsage

OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
             ast.Div: operator.truediv, ast.USub: operator.neg}


def value(node: ast.AST) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return node.value
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](value(node.left), value(node.right))
    if isinstance(node, ast.UnaryOp):
        return OPERATORS[type(node.op)](value(node.operand))
    raise ValueError("only numbers and + - * / are known")


def calculate(expression: str) -> str:
    """Work out a sum such as 6*7."""
    return str(value(ast.parse(expression, mode="eval").body))


class Parrot(LLM):
    model = "parrot"

    def complete(self, messages, tools=None, **kwargs):
        last = messages[-1]
        used = TokenUsage(input_tokens=1, output_tokens=1)
        if last["role"] == "tool":
            return LLMResponse(f"The result is {last['content']}", [], None, used)
        word, _, rest = str(last["content"]).partition(" ")
        if word == "calculate":
            call = ToolCall("calculate", {"expression": rest}, f"call-{len(messages)}")
            return LLMResponse(None, [call], None, used)
        return LLMResponse(f"You said: {last['content']}", [], None, used)

    def structured_complete(self, messages, output_schema, **kwargs):
        raise NotImplementedError


def create_agent():
    return Agent("example", llm=Parrot(), tools=[calculate])


if __name__ == "__main__":
    host(create_agent)
