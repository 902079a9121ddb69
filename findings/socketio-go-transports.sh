#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# github.com/zishang520/socket.io/clients/socket/v3 v3.0.6 (Go) at socket.io 4.8.4 (npm): with the
# default options, some clients do not connect, at random.
#
# The option "transports" is said to be a list in order of preference, and is by default polling,
# WebSocket, WebTransport. But it is a set, kept in a map, whose order Go makes random at each
# iteration: the client begins with any of the three. WebTransport needs a server with QUIC; without
# one the attempt ends after 25 seconds. A server sees nothing of these clients.
#
# Expected: as in JavaScript, each client begins with polling, and goes on to better transports.
# Seen (100 clients at once): with the default options 80 began with polling and 9 with WebSocket;
# 11 did not connect ("timeout"). When polling and WebSocket are named, all 100 connect.
#
# Exits with 0 while that is so, 1 when it has changed, 2 if a package cannot be installed. By its
# nature this is a matter of chance: no client of 100 begins with WebTransport about once in 600,000
# runs, when its chance is 1 in 8.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund socket.io@4.8.4 >/dev/null || exit 2
cp "$here/../t/clients/drivers/go/go.mod" "$here/../t/clients/drivers/go/go.sum" .

cat >clients.go <<'EOF'
package main

import (
	"fmt"
	"os"

	"github.com/zishang520/socket.io/clients/socket/v3"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

const n = 100

func main() {
	ends := make(chan string, n)
	for range n {
		opts := socket.DefaultOptions()
		opts.SetForceNew(true)
		opts.SetReconnection(false)
		if os.Args[2] == "named" {
			opts.SetTransports(types.NewSet(socket.Polling, socket.WebSocket))
		}
		client, err := socket.Connect(os.Args[1], opts)
		if err != nil {
			panic(err)
		}
		client.Once("connect", func(...any) { ends <- "connected" })
		client.Once("connect_error", func(args ...any) { ends <- fmt.Sprint(args...) })
	}
	for range n {
		fmt.Println(<-ends)
	}
}
EOF

cat >server.js <<'EOF'
const http = require("http").createServer();
const io = new (require("socket.io").Server)(http);
io.on("connection", (socket) => console.log(`began with ${socket.handshake.query.transport}`));
http.listen(0, "127.0.0.1", () => require("fs").writeFileSync("port", `${http.address().port}\n`));
EOF

GOFLAGS=-mod=readonly GOTOOLCHAIN=local go build -o clients . || exit 2
mkfifo port

# Runs the clients, and counts what they and the server tell into a file: N TEXT, in order of TEXT.
try() {
	node server.js >began &
	server=$!
	read -r port <port
	./clients "http://127.0.0.1:$port" "$1" >ended
	kill "$server"
	wait "$server" 2>/dev/null || true
	server=
	cat began ended | LC_ALL=C sort | uniq -c | sed 's/^ *//' >"$1"
	echo "$1 transports:"
	sed 's/^/	/' "$1"
}

echo 'github.com/zishang520/socket.io/clients/socket/v3 v3.0.6, socket.io 4.8.4'
try default
try named
if grep -q 'began with polling' default && grep -q 'began with websocket' default &&
	grep -q '^[0-9]* timeout$' default && grep -qx '100 connected' named; then
	echo 'as described'
else
	echo 'this has changed'
	exit 1
fi
