#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# python-socketio 5.18.1 (PyPI) by long polling, at socket.io 4.8.4 (npm): a client that is sent
# more than 16 events at once is disconnected, and does not get them.
#
# The server puts all packets that wait into the answer to one poll. The Python client decodes
# at most 16 packets of an answer (Payload.max_decode_packets of python-engineio) and takes a
# longer one for an error: it drops the connection. The JavaScript client has no such limit, nor
# has a WebSocket, so servers and tests that use those do not see it.
#
# Expected: an answer that the protocol allows (Engine.IO 4, maxPayload bytes) is read.
# Seen: a burst of 10 events arrives whole; of a burst of 40 by polling one event arrived, in an
# answer of its own, before the client disconnected ("transport error"); by WebSocket all 40 did.
#
# Exits with 0 while that is so, 1 when it has changed, 2 if a package cannot be installed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check --no-input \
	-c "$here/../t/clients/socketio.txt" python-socketio==5.18.1 requests websocket-client || exit 2
npm install --silent --no-audit --no-fund socket.io@4.8.4 >/dev/null || exit 2

cat >server.js <<'EOF'
const http = require("http").createServer();
const io = new (require("socket.io").Server)(http);
io.on("connection", (socket) => socket.on("burst", (n) => {
	for (let i = 0; i < n; i++)
		socket.emit("item", i);
}));
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
EOF

cat >client.py <<'EOF'
import importlib.metadata
import sys
import threading

import socketio


def burst(transport, n):
    """Whether all of n events arrive at a client that stays connected."""
    client = socketio.Client(reconnection=False)
    got = []
    over = threading.Event()
    ends = []

    @client.on("item")
    def item(i):
        got.append(i)
        if len(got) == n:
            over.set()

    @client.event
    def disconnect(reason):
        ends.append(reason)
        over.set()

    client.connect(f"http://127.0.0.1:{sys.argv[1]}", transports=[transport])
    client.emit("burst", n)
    if not over.wait(20):
        sys.exit(f"{transport} {n}: neither the events nor an end came")
    print(f"{transport}: {len(got)} of {n} events, {ends[0] if ends else 'connected'}")
    is_whole = len(got) == n and not ends
    client.disconnect()
    return is_whole


print("python-socketio", importlib.metadata.version("python-socketio"),
      "python-engineio", importlib.metadata.version("python-engineio"))
same = burst("polling", 10) and not burst("polling", 40) and burst("websocket", 40)
print("as described" if same else "this has changed")
sys.exit(0 if same else 1)
EOF
mkfifo port
node server.js >port &
server=$!
read -r port <port
venv/bin/python client.py "$port"
