#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# rust_socketio 0.6.0 (crates.io) at socket.io 4.8.4 (npm): an event with bytes that asks for an
# acknowledgement does not reach the handlers of the server, and is never acknowledged.
#
# emit_with_ack() with a Payload::Binary sends a packet of type 6 (BINARY_ACK), which answers an
# event, instead of type 5 (BINARY_EVENT). The server has no event of its own that waits for an
# acknowledgement with this id, and ignores the packet. emit_with_ack() returns Ok. Upstream knows
# this as 1c3t3a/rust-socketio 422.
#
# Expected: the server gets the event, and the client its acknowledgement, as with text.
# Seen: "text" and "bytes without an ack" arrive, and the first is acknowledged. Of "bytes with an
# ack" the server gets a packet of type 6 and no event, and the client gets nothing.
#
# Exits with 0 while that is so, 1 when it has changed, 2 if a package cannot be installed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund socket.io@4.8.4 >/dev/null || exit 2
mkdir src
cp "$here/../t/clients/drivers/rust/Cargo.toml" "$here/../t/clients/drivers/rust/Cargo.lock" .

cat >src/main.rs <<'EOF'
use rust_socketio::{ClientBuilder, Payload, RawClient};
use std::sync::mpsc::channel;
use std::time::Duration;

fn main() {
    let (connected, is_connected) = channel();
    let (over, is_over) = channel();
    let url = std::env::args().nth(1).unwrap();
    let client = ClientBuilder::new(url)
        .on("open", move |_: Payload, _: RawClient| connected.send(()).unwrap())
        .on("over", move |_: Payload, _: RawClient| over.send(()).unwrap())
        .connect()
        .unwrap();
    is_connected.recv_timeout(Duration::from_secs(60)).unwrap();
    let wait = Duration::from_secs(60);
    let acked = |what: &'static str| move |_: Payload, _: RawClient| println!("client: ack of {what}");
    client.emit("bytes without an ack", vec![1u8, 2, 3]).unwrap();
    client.emit_with_ack("bytes with an ack", vec![1u8, 2, 3], wait, acked("bytes")).unwrap();
    client.emit_with_ack("text", "hello", wait, acked("text")).unwrap();
    // The server answers in order: when this has come, so has all that it sends for the above.
    client.emit("end", "").unwrap();
    is_over.recv_timeout(Duration::from_secs(60)).unwrap();
    client.disconnect().unwrap();
}
EOF

cat >server.js <<'EOF'
const http = require("http").createServer();
const io = new (require("socket.io").Server)(http);
io.on("connection", (socket) => {
	socket.conn.on("packet", ({ data }) => {
		if (typeof data === "string" && /^[56]/.test(data))
			console.log(`server: packet ${data.replace(/-\d+/, "-ID")}`);
	});
	socket.onAny((event, ...args) => {
		const ack = args.pop();
		if (event === "end")
			return socket.emit("over", true); // without an argument it would come as "message"
		console.log(`server: event ${event}`);
		if (typeof ack === "function")
			ack("done");
	});
});
http.listen(0, "127.0.0.1", () => require("fs").writeFileSync("port", `${http.address().port}\n`));
EOF

echo 'rust_socketio 0.6.0, socket.io 4.8.4'
cargo build -q --locked || exit 2
mkfifo port
node server.js >>seen &
server=$!
read -r port <port
"${CARGO_TARGET_DIR:-target}/debug/driver" "http://127.0.0.1:$port" >>seen
LC_ALL=C sort seen | tee sorted
cat >expected <<'EOF'
client: ack of text
server: event bytes without an ack
server: event text
server: packet 51-["bytes without an ack",{"_placeholder":true,"num":0}]
server: packet 61-ID["bytes with an ack",{"_placeholder":true,"num":0}]
EOF
if cmp -s sorted expected; then echo 'as described'; else echo 'this has changed'; exit 1; fi
