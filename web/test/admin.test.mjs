// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, watch } from "../board/admin.js";

const refusal = (status) => Object.assign(new Error("refused"), { status });

// A server that takes each signature once: one for each path and second.
function server({ isDeaf } = {}) {
	const used = new Set();
	const take = (path, second) => {
		const key = `${path} ${second}`;
		if (isDeaf || used.has(key)) throw refusal(401);
		used.add(key);
		return second;
	};
	return { aheadMs: 0, refused: 0, get timestamp() { return Math.floor(Date.now() / 1000); },
		async get(path) {
			try {
				return take(path, this.timestamp);
			} catch (error) {
				this.refused++;
				throw error;
			}
		},
		stream(path, onEvent, { onError }) {
			try {
				take(path, this.timestamp);
				onEvent({ event: "snapshot", data: "{\"n\":1}" });
				onEvent({ event: "snapshot", data: "no JSON" });
			} catch (error) {
				onError(error);
			}
			return () => {};
		} };
}

test("a second request for a path waits for a second, a request for another path does not", async () => {
	const http = server();
	const [first, other, second] = await Promise.all([ask(http, "/admin/a"), ask(http, "/admin/b"),
		ask(http, "/admin/a")]);
	assert.ok(second > first);
	assert.ok(other <= second);
	assert.equal(http.refused, 0);
});

test("a request that another tab was first with is made again", async () => {
	const http = server();
	await http.get("/admin/c");
	assert.ok(await ask(http, "/admin/c"));
});

test("a refusal for any other reason is told at once", async () => {
	const http = { aheadMs: 0, timestamp: 1, get: async () => { throw refusal(403); } };
	await assert.rejects(ask(http, "/admin/d"), { status: 403 });
});

test("a stream begins, also twice in a second, and takes nothing but JSON", async () => {
	const http = server();
	const seen = [];
	const stops = [0, 1].map(() => watch(http, "/admin/e", ({ data }) => seen.push(data.n),
		(error) => assert.fail(error)));
	for (let i = 0; i < 300 && seen.length < 2; i++) await new Promise((done) => setTimeout(done, 10));
	assert.deepEqual(seen, [1, 1]);
	stops.forEach((stop) => stop());
});

test("a signature that is never taken is told", async () => {
	const errors = [];
	const stop = watch(server({ isDeaf: true }), "/admin/f", () => {}, (e) => errors.push(e.status));
	for (let i = 0; i < 400 && !errors.length; i++) await new Promise((done) => setTimeout(done, 10));
	stop();
	assert.deepEqual(errors, [401]);
});
