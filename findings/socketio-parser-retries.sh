#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# socket.io-client 4.8.4 (npm) with socket.io-msgpack-parser 3.0.2, at socket.io 4.8.4 without it:
# the client tries for ever, with the shortest delay, and tells of no error.
#
# The server ends a connection whose first packet it cannot decode. The client counts an attempt
# as a success once Engine.IO is open, before it has joined a namespace: it sets back its backoff,
# so that the delay does not grow up to reconnectionDelayMax, and reconnectionAttempts is never
# reached. There is no "connect_error"; "disconnect" comes each time, with no "connect" before it.
#
# Expected: attempts that do not come to "connect" are counted, and told as errors.
# Seen, with reconnectionAttempts 3, at a port where nobody listens: attempts 1, 2 and 3, and
# "reconnect_failed". At the server: attempts with the number 1 only, "reconnect" after each, and no
# "connect_error", until the client was ended after 10.
#
# Exits with 0 while that is so, 1 when it has changed, 2 if a package cannot be installed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund socket.io@4.8.4 socket.io-client@4.8.4 \
	socket.io-msgpack-parser@3.0.2 >/dev/null || exit 2

cat >both.js <<'EOF'
const http = require("http").createServer();
const { io: connect } = require("socket.io-client");
const { Server } = require("socket.io");
const parser = require("socket.io-msgpack-parser");

// What a client with this parser tells until it gives up, or has tried 10 times.
function tries(port) {
	return new Promise((resolve) => {
		const told = { numbers: [], connect: 0, connect_error: 0, disconnect: 0, reconnect: 0, failed: 0 };
		const socket = connect(`http://127.0.0.1:${port}`, {
			parser, forceNew: true, transports: ["websocket"],
			reconnectionAttempts: 3, reconnectionDelay: 20, reconnectionDelayMax: 5000,
		});
		const end = () => { socket.disconnect(); resolve(told); };
		for (const event of ["connect", "connect_error", "disconnect"])
			socket.on(event, () => told[event]++);
		socket.io.on("reconnect", () => told.reconnect++);
		socket.io.on("reconnect_failed", () => { told.failed++; end(); });
		socket.io.on("reconnect_attempt", (number) => {
			if (told.numbers.length === 10)
				return end();
			told.numbers.push(number);
		});
	});
}

(async () => {
	const io = new Server(http);
	await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
	const { port } = http.address();
	const there = await tries(port);
	await new Promise((resolve) => io.close(resolve));
	const nobody = await tries(port);
	console.log("socket.io-client 4.8.4, socket.io-msgpack-parser 3.0.2, socket.io 4.8.4");
	console.log("at a server without the parser:", JSON.stringify(there));
	console.log("where nobody listens:", JSON.stringify(nobody));
	const same = there.numbers.length === 10 && there.numbers.every((number) => number === 1) &&
		there.connect === 0 && there.connect_error === 0 && there.failed === 0 &&
		nobody.numbers.join() === "1,2,3" && nobody.connect_error === 4 && nobody.failed === 1;
	console.log(same ? "as described" : "this has changed");
	process.exit(same ? 0 : 1);
})();
EOF
node both.js
