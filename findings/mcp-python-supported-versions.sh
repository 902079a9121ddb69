#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# mcp 2.3.0 (PyPI), a server by streamable HTTP: what it says of the versions that it supports
# leaves out those with initialize, which it serves at the same address.
#
# Both answers that name versions, "supportedVersions" of server/discover and "supported" of the
# error for an unknown version, have 2026-07-28 alone. initialize with 2025-11-25 works, as with
# the versions before. So these lists cannot be used to find out whether older clients may connect.
# (@modelcontextprotocol/server 2.4.0, npm, answers the same; it is not shown here.)
#
# Expected: all versions that the server supports, as in the example of the specification
# (2026-07-28, Versioning and Compatibility: "supported": ["2026-07-28", "2025-11-25"]).
# Seen: ["2026-07-28"] in both; initialize is answered with each of 2025-11-25, 2025-06-18,
# 2025-03-26 and 2024-11-05.
#
# Exits with 0 while that is so, 1 when it has changed, 2 if a package cannot be installed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check --no-input \
	-c "$here/../t/clients/mcp.txt" mcp==2.3.0 || exit 2

cat >both.py <<'EOF'
import importlib.metadata
import json
import re
import socket
import sys
import threading
import urllib.error
import urllib.request

import uvicorn
from mcp.server import MCPServer

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
URL = f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
app = MCPServer("any", log_level="ERROR").streamable_http_app()
server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
threading.Thread(target=server.run, args=([listener],), daemon=True).start()


def post(method, params, headers={}):
    """The status and the message that answer a request, as JSON or as an event."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(URL, body, {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream", **headers})
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        text = answer.read().decode()
    event = re.search(r"^data: (\{.*)$", text, re.M)
    return answer.status, json.loads(event[1] if event else text)


ME = {"name": "any", "version": "1"}


def modern(method, version):
    meta = {"io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientInfo": ME,
            "io.modelcontextprotocol/clientCapabilities": {}}
    return post(method, {"_meta": meta}, {"MCP-Protocol-Version": version, "Mcp-Method": method})


print("mcp", importlib.metadata.version("mcp"))
status, message = modern("server/discover", "2026-07-28")
discovered = message["result"]["supportedVersions"]
print("server/discover:", status, "supportedVersions", discovered)
status, message = modern("tools/list", "1900-01-01")
supported = message["error"]["data"]["supported"]
print("tools/list in version 1900-01-01:", status, message["error"]["code"], "supported", supported)
same = discovered == supported == ["2026-07-28"]
for version in "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05":
    status, message = post("initialize", {
        "protocolVersion": version, "capabilities": {}, "clientInfo": ME})
    agreed = message.get("result", {}).get("protocolVersion")
    print(f"initialize with {version}:", status, agreed)
    same = same and status == 200 and agreed == version
print("as described" if same else "this has changed")
server.should_exit = True
sys.exit(0 if same else 1)
EOF
venv/bin/python both.py
