// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
import assert from "node:assert/strict";
import { test } from "node:test";
import { KEPT, Live } from "../board/live.js";

const snapshot = (s, totals, sessions = { known: 3, running: 1, list: [] }) =>
	({ version: 1, taken_ms: s * 1000, totals, sessions, processes: [] });

test("rates are differences of two snapshots, by their times", () => {
	const live = new Live();
	live.take(snapshot(10, { events_total: 100, websockets: 2 }));
	assert.equal(live.now("events"), 0);
	live.take(snapshot(12, { events_total: 150, websockets: 5, limited_requests_total: 4,
		http_refused_total: 2 }));
	assert.deepEqual(["turns", "events", "sessions", "sockets", "refused"].map((n) => live.now(n)),
		[1, 25, 3, 5, 3]);
	assert.equal(live.refusedTotal, 6);
});

test("a counter that shrinks with a dead process is no negative rate", () => {
	const live = new Live();
	live.take(snapshot(1, { events_total: 100 }));
	live.take(snapshot(2, { events_total: 40 }));
	assert.equal(live.now("events"), 0);
});

test("five minutes are kept, and old or strange snapshots are not taken", () => {
	const live = new Live();
	for (let s = 1; s <= KEPT + 20; s++) assert.ok(live.take(snapshot(s, { events_total: s })));
	assert.equal(live.lines.events.length, KEPT);
	assert.equal(live.take(snapshot(5, {})), false);
	for (const odd of [null, {}, { taken_ms: "x", totals: {} }, { taken_ms: 1e12 }])
		assert.equal(live.take(odd), false);
	assert.ok(live.take(snapshot(9999, {}, null)), "a snapshot without a registry is taken");
});
