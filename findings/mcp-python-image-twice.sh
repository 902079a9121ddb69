#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# mcp 1.30.0 (PyPI): a tool that says in its type that it returns a picture sends it twice.
#
# FastMCP makes structured output of what a function is annotated to return, if that is a class of
# pydantic. ImageContent is one, so that the picture is in "content", as it should be, and once
# more, with all its base64, in "structuredContent"; so it is with list[ImageContent]. The same
# function without the annotation, or with FastMCP's own Image, sends it once. A client that shows a
# model the structured content gives it the base64 as text. structured_output=False turns it off;
# mcp 2.3.0 sends the picture once.
#
# Expected: the annotation does not change what is sent: blocks of content are content.
# Seen, with a picture of 30000 bytes (40000 of base64): "-> ImageContent" and
# "-> list[ImageContent]" twice, with an output schema; "-> Image" and no annotation once, without.
#
# Exits with 0 while that is so, 1 when it has changed, 2 if a package cannot be installed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check --no-input \
	-c "$here/../t/clients/mcp-older.txt" mcp==1.30.0 || exit 2

cat >both.py <<'EOF'
import asyncio
import base64
import importlib.metadata
import sys

from mcp.server.fastmcp import FastMCP, Image
from mcp.shared.memory import create_connected_server_and_client_session
from mcp.types import ImageContent

PICTURE = bytes(30000)
TEXT = base64.b64encode(PICTURE).decode()
BLOCK = ImageContent(type="image", data=TEXT, mimeType="image/png")
server = FastMCP("any", log_level="ERROR")


@server.tool()
def image_content() -> ImageContent:
    return BLOCK


@server.tool()
def list_of_image_content() -> list[ImageContent]:
    return [BLOCK]


@server.tool()
def image() -> Image:
    return Image(data=PICTURE, format="png")


@server.tool()
def not_annotated():
    return BLOCK


async def main():
    """How often each tool sends the picture, and whether it has an output schema."""
    seen = {}
    async with create_connected_server_and_client_session(server._mcp_server) as client:
        for tool in (await client.list_tools()).tools:
            sent = (await client.call_tool(tool.name)).model_dump_json()
            seen[tool.name] = sent.count(TEXT), tool.outputSchema is not None
            print(f"{tool.name}: the picture {seen[tool.name][0]} times in {len(sent)} bytes,",
                  "with an output schema" if seen[tool.name][1] else "without an output schema")
    return seen


print("mcp", importlib.metadata.version("mcp"))
same = asyncio.run(main()) == {"image_content": (2, True), "list_of_image_content": (2, True),
                               "image": (1, False), "not_annotated": (1, False)}
print("as described" if same else "this has changed")
sys.exit(0 if same else 1)
EOF
venv/bin/python both.py
