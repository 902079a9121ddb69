# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""MCP servers made with the Python package mcp, 1 (old) or 2 (new): servers.py stdio|http.

With http the URL is the first line printed.
"""
import asyncio
import socket
import sys
from typing import Annotated, Literal

from pydantic import BaseModel

try:
    from mcp.server import MCPServer
    from mcp.server.mcpserver.context import Context
    from mcp.server.mcpserver.resolve import Elicit, Resolve
    from mcp_types import ImageContent
    is_new = True
except ImportError:
    from mcp.server.fastmcp import Context
    from mcp.server.fastmcp import FastMCP as MCPServer
    from mcp.types import ImageContent
    is_new = False
from mcp.server.streamable_http import EventMessage, EventStore


class Colour(BaseModel):
    colour: Literal["red", "green"] if is_new else str


class Kept(EventStore):
    """Events, so that a stream can be read on."""

    def __init__(self):
        self.events = []

    async def store_event(self, stream_id, message):
        self.events.append((stream_id, message))
        return str(len(self.events))

    async def replay_events_after(self, last_event_id, send_callback):
        at = int(last_event_id)
        stream = self.events[at - 1][0]
        for number, (of, message) in enumerate(self.events[at:], at + 1):
            if of == stream and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


kept = {"event_store": Kept(), "retry_interval": 100}
server = MCPServer("python") if is_new else MCPServer("python", **kept)


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers"""
    return a + b


@server.tool()
def fail() -> str:
    """Fail"""
    raise ValueError("it broke")


@server.tool()
def picture() -> ImageContent:
    """A picture"""
    return ImageContent(type="image", data="aGVsbG8=", mimeType="image/png")


@server.tool()
async def slow(seconds: float, ctx: Context) -> str:
    """Wait"""
    await ctx.report_progress(1, 2, "half")
    await asyncio.sleep(seconds)
    return "slept"


@server.tool()
async def cut(ctx: Context) -> str:
    """Close the stream"""
    await ctx.close_sse_stream()
    await asyncio.sleep(0.3)
    return "resumed"


if is_new:
    async def ask() -> Elicit[Colour]:
        return Elicit("Which colour?", Colour)

    @server.tool()
    def paint(c: Annotated[Colour, Resolve(ask)]) -> str:
        """Paint"""
        return c.colour
else:
    @server.tool()
    async def paint(ctx: Context) -> str:
        """Paint"""
        answer = await ctx.elicit("Which colour?", Colour)
        return answer.data.colour if answer.action == "accept" else answer.action


def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


if sys.argv[1] == "stdio":
    server.run("stdio")
else:
    import uvicorn
    place = port()
    app = server.streamable_http_app(**kept if is_new else {})
    print("http://127.0.0.1:%d/mcp" % place, flush=True)
    uvicorn.run(app, host="127.0.0.1", port=place, log_level="warning")
