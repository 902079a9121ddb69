// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Signed requests and event streams, against a server of the test.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { promptIdentity, settle, until } from "./kit.mjs";
import { canonical } from "../oip/canonical.js";
import { Http, HttpError, eventReader } from "../oip/http.js";

const identity = promptIdentity(7);

// A server whose answers are given by a function, and a client of it.
async function serve(t, answer, more = {}) {
	const asked = [];
	const server = createServer(async (request, response) => {
		let body = "";
		for await (const piece of request) body += piece;
		asked.push({ method: request.method, url: request.url, headers: request.headers, body });
		answer(response, request, asked.length);
	});
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	t.after(() => { server.closeAllConnections(); server.close(); });
	const base = `http://127.0.0.1:${server.address().port}`;
	return { http: new Http({ base, identity, to: "0xhost", ...more }), asked };
}

const json = (value, status = 200, headers = {}) => (response) => {
	response.writeHead(status, { "content-type": "application/json", ...headers });
	response.end(JSON.stringify(value));
};

test("an answer about the server that is none is said plainly", async (t) => {
	for (const text of ["null", "5", "<h1>hello</h1>"]) {
		const { http } = await serve(t, (response) => response.end(text));
		await assert.rejects(http.info(), /is not what was asked for/, text);
	}
});

test("a GET is signed by headers over its path without the query", async (t) => {
	const { http, asked } = await serve(t, json({ rows: [] }));
	await http.rows("a b/c", { before: 7 });
	const [{ method, url, headers }] = asked;
	assert.deepEqual([method, url], ["GET", "/sessions/a%20b%2Fc/journal?before=7&limit=200"]);
	const text = canonical({ method, path: "/sessions/a%20b%2Fc/journal",
		timestamp: Number(headers["x-co-timestamp"]) });
	assert.ok(await identity.verify(headers["x-co-from"], headers["x-co-signature"], text));
});

test("bodies are signed, each with a nonce of its own", async (t) => {
	const { http, asked } = await serve(t, json({}));
	await http.rename("s", "Zoë");
	await http.remove("s");
	await http.remove("s");
	assert.deepEqual(asked.map(({ method, url }) => `${method} ${url}`),
		["PATCH /sessions/s", "DELETE /sessions/s", "DELETE /sessions/s"]);
	const bodies = asked.map(({ body }) => JSON.parse(body));
	const [{ payload, from, signature }, second, third] = bodies;
	assert.deepEqual([payload.title, payload.to], ["Zoë", "0xhost"]);
	assert.ok(await identity.verify(from, signature, canonical(payload)));
	assert.notEqual(second.signature, third.signature);
});

test("the server's clock and address are those of its answer to /info", async (t) => {
	const ahead = new Date(Date.now() + 600_000).toUTCString();
	const { http, asked } = await serve(t, json({ address: "0xother" }, 200, { date: ahead }),
		{ to: undefined });
	assert.equal((await http.info()).address, "0xother");
	assert.ok(Math.abs(http.aheadMs - 600_000) < 5000, String(http.aheadMs));
	await http.post("/x", {});
	const { payload } = JSON.parse(asked[1].body);
	assert.ok(Math.abs(payload.timestamp - Date.now() / 1000 - 600) < 5);
	assert.equal(payload.to, "0xother");
});

const FAILURES = [
	["the server's words", json({ error: "not found" }, 404),
		{ message: "not found", status: 404 }],
	["when to come again",
		json({ error: "slow", code: -32029, data: { retry_after_ms: 2990 } }, 429),
		{ message: "slow", status: 429, code: -32029, retryAfterMs: 2990 }],
	["Retry-After", json({}, 503, { "retry-after": "3" }), { status: 503, retryAfterMs: 3000 }],
	["an answer that is not JSON", (response) => response.end("<html>"),
		{ message: "The server's answer is not what was asked for." }],
	["a line that breaks", (response) => response.destroy(),
		{ message: "The server cannot be reached.", status: 0 }],
];

for (const [name, answer, wanted] of FAILURES)
	test(`a request that fails tells why: ${name}`, async (t) => {
		const { http } = await serve(t, answer);
		const error = await http.get("/x").catch((e) => e);
		assert.ok(error instanceof HttpError);
		for (const [key, value] of Object.entries(wanted)) assert.equal(error[key], value, key);
	});

test("events are read from pieces of any size, with any end of line", () => {
	const text = "id: 1\ndata: a\ndata:b\n\n: comment\r\nevent: x\r\ndata:  c\r\n\r\n"
		+ "data: d\r\rid: 9\n\n";
	const wanted = [{ id: "1", event: "message", data: "a\nb" },
		{ id: "", event: "x", data: " c" },
		{ id: "", event: "message", data: "d" }];
	for (const size of [1, 2, 3, 7, text.length]) {
		const events = [];
		const feed = eventReader((event) => events.push(event));
		for (let i = 0; i < text.length; i += size) feed(text.slice(i, i + size));
		assert.deepEqual(events, wanted, `pieces of ${size}`);
	}
});

test("a stream goes on after its last event, and ends when it is stopped", async (t) => {
	const { http, asked } = await serve(t, (response, request, n) => {
		response.writeHead(200, { "content-type": "text/event-stream" });
		response.write(`id: ${n}\ndata: Zoë ${n}\n\n`);
		if (n < 3) response.end();
	});
	const events = [];
	const stop = http.stream("/logs", (event) => events.push(event.data), { query: { q: 1 } });
	await until(() => events.length === 3, "three events");
	stop();
	assert.deepEqual(events, ["Zoë 1", "Zoë 2", "Zoë 3"]);
	assert.deepEqual(asked.map(({ url, headers }) => [url, headers["last-event-id"]]),
		[["/logs?q=1", undefined], ["/logs?q=1", "1"], ["/logs?q=1", "2"]]);
});

test("a stream that is refused is not asked for again", async (t) => {
	let nTimers = 0;
	const clock = { now: Date.now, setTimeout: () => nTimers++ };
	const { http, asked } = await serve(t, json({ error: "admins only" }, 403), { clock });
	const errors = [];
	http.stream("/logs", () => {}, { onError: (e) => errors.push(e.message) });
	await until(() => errors.length, "an error");
	await settle();
	assert.deepEqual([errors, asked.length, nTimers], [["admins only"], 1, 0]);
});
