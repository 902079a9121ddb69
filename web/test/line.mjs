// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// A network between a page and its server that a story can cut: the offline switch of a
// browser's driver leaves open WebSockets alone.
import { connect, createServer } from "node:net";

/**
 * Listen beside a server and pass everything on.
 * @param {string} url the server's
 * @returns {Promise<{url: string, cut: function(): void, down: function(): void,
 *	up: function(): void, close: function(): void}>} url is that to open; cut() breaks off all
 *	connections; down() does so and breaks off new ones too, until up()
 */
export async function lineTo(url) {
	const { hostname, port } = new URL(url);
	const sockets = new Set();
	let isDown = false;
	const cut = () => sockets.forEach((socket) => socket.resetAndDestroy());
	const keep = (socket, other) => {
		sockets.add(socket);
		socket.on("close", () => {
			sockets.delete(socket);
			other.destroy();
		});
		socket.on("error", () => other.destroy());
	};
	const server = createServer((near) => {
		if (isDown) {
			near.resetAndDestroy();
			return;
		}
		const far = connect(port, hostname);
		keep(near, far);
		keep(far, near);
		near.pipe(far).pipe(near);
	});
	await new Promise((done) => server.listen(0, "127.0.0.1", done));
	return {
		url: `http://127.0.0.1:${server.address().port}`,
		cut,
		down() { isDown = true; cut(); },
		up() { isDown = false; },
		close() { cut(); server.close(); },
	};
}
