// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
import assert from "node:assert/strict";
import { test } from "node:test";
import { OnsTalk } from "../board/ons_talk.js";

// Sockets that the test answers, and a clock that it moves.
function stage(token) {
	const s = { sockets: [], states: [], messages: [], tokens: [], now: 0, due: new Map(), n: 0 };
	class Socket {
		constructor(url) {
			Object.assign(this, { url, readyState: 0, sent: [] });
			s.sockets.push(this);
		}
		send(text) { this.sent.push(JSON.parse(text)); }
		close() { this.readyState = 3; }
		open() { this.readyState = 1; this.onopen({}); }
		say(type, payload) { this.onmessage({ data: JSON.stringify({ type, id: "s", payload }) }); }
		welcome() { this.say("ACK", { messageId: this.sent[0].id }); }
	}
	const timers = {
		set: (f, ms) => { s.due.set(++s.n, { f, at: s.now + ms }); return s.n; },
		clear: (t) => s.due.delete(t), now: () => s.now, random: () => 0.5,
	};
	s.pass = (ms) => {
		for (const end = s.now + ms;;) {
			const next = [...s.due].filter(([, d]) => d.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
			if (!next) {
				s.now = end;
				return;
			}
			s.due.delete(next[0]);
			s.now = next[1].at;
			next[1].f();
		}
	};
	s.talk = new OnsTalk({ url: "ws://x/ws/dashboard", token, WebSocket: Socket, timers,
		onState: (x) => s.states.push(x), onMessage: (m) => s.messages.push(m),
		onToken: (x) => s.tokens.push(x) });
	s.socket = () => s.sockets.at(-1);
	s.phase = () => s.states.at(-1).phase;
	return s;
}

test("a dashboard shows its token in the first message, never in the URL", () => {
	const s = stage("secret");
	s.talk.open();
	s.socket().open();
	assert.equal(s.socket().url, "ws://x/ws/dashboard");
	assert.equal(s.socket().sent[0].type, "DASHBOARD_INIT");
	assert.equal(s.socket().sent[0].payload.token, "secret");
	s.socket().welcome();
	assert.equal(s.phase(), "ready");
});

test("a lost connection comes back, each time after a longer wait, and at once when woken", () => {
	const s = stage("t");
	s.talk.open();
	const waits = [];
	for (let i = 0; i < 8; i++) {
		s.socket().onclose({ reason: "" });
		waits.push(Math.round(s.states.at(-1).retryAt - s.now));
		s.pass(10000);
		s.socket().readyState = 0;
	}
	assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);
	s.socket().onclose({});
	const before = s.sockets.length;
	s.talk.wake();
	assert.equal(s.sockets.length, before + 1);
	s.socket().open();
	s.socket().welcome();
	s.socket().onclose({});
	assert.equal(Math.round(s.states.at(-1).retryAt - s.now), 250, "a good one begins anew");
});

test("a silent connection is given up", () => {
	const s = stage("t");
	s.talk.open();
	s.socket().open();
	s.socket().welcome();
	s.pass(49000);
	s.socket().say("PING", { timestamp: 5 });
	assert.deepEqual(s.socket().sent.at(-1).payload, { timestamp: 5 });
	assert.equal(s.socket().sent.at(-1).type, "PONG");
	s.pass(49000);
	assert.equal(s.phase(), "ready");
	s.pass(1100);
	assert.equal(s.phase(), "waiting");
});

test("a page that was away finds out within 3 s that its connection is dead", () => {
	const s = stage("t");
	s.talk.open();
	s.socket().open();
	s.socket().welcome();
	s.talk.wake();
	s.pass(2000);
	s.socket().say("PONG", {});
	s.pass(10000);
	assert.equal(s.phase(), "ready");
	s.talk.wake();
	s.pass(3000);
	assert.equal(s.phase(), "waiting");
});

test("a bad token is told, and is not shown again and again", () => {
	const s = stage("bad");
	s.talk.open();
	s.socket().open();
	s.socket().say("ERROR", { code: "UNAUTHORIZED", message: "Invalid",
		details: { reason: "the token has expired" } });
	assert.deepEqual(s.states.at(-1), { phase: "refused", why: "the token has expired" });
	s.pass(60000);
	assert.equal(s.sockets.length, 1);
});

test("a new token of the server replaces the old one", () => {
	const s = stage("old");
	s.talk.open();
	s.socket().open();
	s.socket().welcome();
	s.socket().say("TOKEN_REFRESH", { accessToken: "new" });
	assert.deepEqual(s.tokens, ["new"]);
	s.socket().onclose({});
	s.pass(300);
	s.socket().open();
	assert.equal(s.socket().sent[0].payload.token, "new");
});

test("late events of a connection that was given up change nothing", () => {
	const s = stage("t");
	s.talk.open();
	const first = s.socket();
	s.talk.open();
	first.onclose?.({});
	first.readyState = 1;
	first.onopen({});
	assert.equal(first.sent.length, 0);
	assert.equal(s.phase(), "opening");
});

test("what is no JSON is passed on as nothing", () => {
	const s = stage("t");
	s.talk.open();
	s.socket().open();
	s.socket().onmessage({ data: "<html>" });
	assert.deepEqual(s.messages, [null]);
});
