#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# mcp 1.30.0 (PyPI), a server by streamable HTTP: the refusal of a request that opens no session
# names a session in mcp-session-id, and this session ends with the refusal.
#
# A client of both generations of the protocol asks server/discover first (2026-07-28, Versioning
# and Compatibility), and sends initialize if that is refused with a status 4xx. The server makes a
# session for each POST without an id, refuses what is not initialize with the id of the session in
# the answer, and ends the session. A client that takes the id from any answer sends it with
# initialize, and is told that there is no such session.
#
# Expected: an id comes with the result of initialize only (2025-11-25, Transports, Session
# Management), or is one that holds.
# Seen: 400 with an id; initialize with this id: 404 "Session not found"; initialize without: 200,
# with another id.
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
import importlib.metadata
import json
import socket
import sys
import threading
import urllib.error
import urllib.request

import uvicorn
from mcp.server.fastmcp import FastMCP

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
URL = f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
app = FastMCP("any", log_level="ERROR").streamable_http_app()
server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
threading.Thread(target=server.run, args=([listener],), daemon=True).start()


def post(method, params, headers):
    """The status, the id of the session and the text that answer a request."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(URL, body, {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream", **headers})
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers.get("mcp-session-id"), answer.read().decode()


ME = {"name": "any", "version": "1"}
DISCOVER = {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
                      "io.modelcontextprotocol/clientInfo": ME,
                      "io.modelcontextprotocol/clientCapabilities": {}}}
INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": ME}

print("mcp", importlib.metadata.version("mcp"))
status, ended, text = post("server/discover", DISCOVER, {
    "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "server/discover"})
print("server/discover:", status, "with an id," if ended else "without an id,", text)
same = status == 400 and bool(ended)
if ended:
    status, again, text = post("initialize", INITIALIZE, {"mcp-session-id": ended})
    print("initialize with this id:", status, text)
    same = same and status == 404
status, good, text = post("initialize", INITIALIZE, {})
print("initialize without an id:", status, "with another id" if good and good != ended else good)
same = same and status == 200 and bool(good) and good != ended
print("as described" if same else "this has changed")
server.should_exit = True
sys.exit(0 if same else 1)
EOF
venv/bin/python both.py
