#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# io.socket:socket.io-client 2.1.2 (Maven) by WebSocket, at socket.io 4.8.4 (npm): when the server
# closes in an orderly way, the client stays connected until its ping timeout.
#
# The server ends with io.close(), which sends a close frame to each client. The JavaScript client
# answers it, is disconnected ("transport close"), and can come back at once. That for Java has no
# WebSocketListener.onClosing(): OkHttp reads nothing after a close frame, and waits for its user
# to close as well; so a client that only listens does not notice the end of TCP either. It tells
# of a disconnect ("ping timeout") after pingInterval + pingTimeout, which is 45 seconds by default,
# and tries to come back only then.
#
# Expected: the disconnect comes when the server closes, as with the JavaScript client.
# Seen: with an interval and a timeout of 4 seconds each, JavaScript: "transport close"; Java:
# "ping timeout", though the server has ended the TCP connection before.
#
# Exits with 0 while that is so, 1 when it has changed, 2 if a package cannot be installed.
set -eu
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund socket.io@4.8.4 socket.io-client@4.8.4 >/dev/null || exit 2
cat >pom.xml <<'EOF'
<project xmlns="http://maven.apache.org/POM/4.0.0">
	<modelVersion>4.0.0</modelVersion>
	<groupId>findings</groupId>
	<artifactId>findings</artifactId>
	<version>1</version>
	<dependencies>
		<dependency>
			<groupId>io.socket</groupId>
			<artifactId>socket.io-client</artifactId>
			<version>2.1.2</version>
		</dependency>
	</dependencies>
</project>
EOF
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib >log 2>&1 || { cat log; exit 2; }

cat >Client.java <<'EOF'
import io.socket.client.IO;
import io.socket.client.Socket;
import java.net.URI;

public class Client {
	public static void main(String[] argv) {
		IO.Options options = new IO.Options();
		options.transports = new String[] {"websocket"};
		options.reconnection = false;
		Socket socket = IO.socket(URI.create(argv[0]), options);
		socket.on(Socket.EVENT_DISCONNECT, args -> {
			System.out.println(args[0]);
			System.exit(0);
		});
		socket.on(Socket.EVENT_CONNECT_ERROR, args -> {
			System.out.println("not connected: " + args[0]);
			System.exit(0);
		});
		socket.connect();
	}
}
EOF

cat >client.js <<'EOF'
const socket = require("socket.io-client")(process.argv[2], {
	transports: ["websocket"], reconnection: false,
});
socket.on("disconnect", (reason) => console.log(reason));
socket.on("connect_error", (error) => console.log("not connected:", error.message));
EOF

# It closes when a client has come, and ends with the last TCP connection.
cat >server.js <<'EOF'
const http = require("http").createServer();
const io = new (require("socket.io").Server)(http, { pingInterval: 4000, pingTimeout: 4000 });
io.on("connection", (socket) => setTimeout(() => {
	io.close();
	// As does a server whose process ends after a while. By itself "ws" waits for 30 s.
	setTimeout(() => process.exit(0), 500);
}, 500));
http.listen(0, "127.0.0.1", () => require("fs").writeFileSync("port", `${http.address().port}\n`));
EOF

# The reason of the disconnect that this client tells
try() {
	mkfifo port
	node server.js &
	server=$!
	read -r port <port
	rm port
	"$@" "http://127.0.0.1:$port"
	wait "$server"
	server=
}

javac -cp 'lib/*' Client.java
try node client.js >javascript
try java -cp '.:lib/*' Client >java
echo "socket.io-client 4.8.4 (npm): $(cat javascript)"
echo "socket.io-client 2.1.2 (Maven): $(cat java)"
if [ "$(cat javascript)" = 'transport close' ] && [ "$(cat java)" = 'ping timeout' ]; then
	echo 'as described'
else
	echo 'this has changed'
	exit 1
fi
