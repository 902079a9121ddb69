// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The connection machine against a scripted host, with a clock that the test moves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StoppedClock, promptIdentity, settle } from "./kit.mjs";
import { ScriptedHost } from "./host.mjs";
import { Talk, UNSENT_MAX } from "../oip/talk.js";

const identity = promptIdentity(7);

async function begin(more = {}) {
	const host = new ScriptedHost();
	const clock = new StoppedClock();
	const seen = { rows: [], inputs: [], resets: [], errors: [], phases: [] };
	const talk = new Talk({
		url: "ws://host/ws", identity, to: host.address, session: "s", clock,
		WebSocket: host.WebSocket,
		onRow: (row) => seen.rows.push(row),
		onInput: (input) => seen.inputs.push(input),
		onReset: (reset) => seen.resets.push(reset),
		onError: (why) => seen.errors.push(why),
		onState: ({ phase }) => seen.phases.at(-1) === phase || seen.phases.push(phase),
		...more,
	});
	talk.start();
	await settle();
	return { host, clock, talk, seen };
}

async function ready(more) {
	const all = await begin(more);
	all.connect = await all.host.welcome();
	return all;
}

test("a talk connects with a signed CONNECT that asks for rows", async () => {
	const { host, clock, talk, seen, connect } = await ready();
	assert.deepEqual({ ...connect, nonce: typeof connect.nonce }, { to: host.address, rows: "",
		signed_commands: 1, timestamp: Math.floor(clock.now() / 1000), nonce: "string" });
	assert.deepEqual(seen.phases, ["opening", "greeting", "ready"]);
	assert.deepEqual([talk.state.session, talk.state.mode, talk.state.isNew], ["s", "auto", true]);
});

test("an input is acknowledged by its row, and is no longer kept", async () => {
	const { host, talk, seen } = await ready();
	const id = talk.send({ prompt: "echo hi" });
	const payload = await host.command("INPUT");
	assert.deepEqual([payload.prompt, payload.input_id, payload.to],
		["echo hi", id, host.address]);
	assert.equal(talk.state.unsent.length, 1);
	await host.say(host.row("input", { input_id: id, prompt: "echo hi" }));
	assert.deepEqual([talk.state.unsent, seen.inputs],
		[[], [{ id, input: { id, prompt: "echo hi", images: undefined, files: undefined, why: null },
			isAccepted: true, why: null }]]);
	assert.equal(seen.rows.length, 1);
});

test("after a cut nothing is lost and no row is doubled", async () => {
	const { host, clock, talk, seen } = await ready();
	await host.say(host.row("start"), host.row("thinking"));
	const id = talk.send({ prompt: "one" });
	await host.heard();
	host.socket.cut();
	assert.deepEqual([talk.state.phase, talk.state.why.word], ["waiting", "lost"]);
	const later = talk.send({ prompt: "two" });
	await clock.pass(300);
	const connect = await host.welcome();
	assert.equal(connect.rows, "7-2");
	assert.equal((await host.command("INPUT")).input_id, id);
	assert.deepEqual(await host.heard(), [], "one input at a time");
	host.socket.say({ ...host.row("x"), pos: 2 });
	await host.say(host.row("input", { pos: 3, input_id: id }));
	assert.deepEqual(seen.rows.map((row) => row.pos), [1, 2, 3]);
	assert.equal((await host.command("INPUT")).input_id, later);
	await host.say({ type: "RUNTIME_INPUT_ACK", id: "x", input_id: later });
	assert.deepEqual(talk.state.unsent, []);
});

test("an input whose turn is over is acknowledged by its end", async () => {
	const { host, talk, seen } = await ready({ unsent: [{ id: "a", prompt: "p" },
		{ id: "b", prompt: "p" }] });
	await host.say({ type: "OUTPUT", input_id: "a", result: "r" });
	await host.say({ type: "ERROR", input_id: "b", code: -32603, message: "Unable to run agent" });
	assert.deepEqual(seen.inputs.map((input) => [input.id, input.isAccepted]),
		[["a", true], ["b", true]]);
	assert.deepEqual(talk.state.unsent, []);
});

test("the back-off doubles up to 8 s, and a hint ends it", async () => {
	const { host, clock, talk } = await begin();
	host.isUp = false;
	host.socket.cut();
	const delays = [];
	for (let i = 0; i < 8; i++) {
		assert.equal(talk.state.phase, "waiting");
		// 1 ms of it has passed already, but for the first.
		delays.push(talk.state.retryAt - clock.now());
		await clock.pass(talk.state.retryAt - clock.now() + 1);
	}
	assert.equal(talk.state.why.word, "unreachable");
	for (const [i, ms] of [250, 500, 1000, 2000, 4000, 8000, 8000, 8000].entries())
		assert.ok(delays[i] > 0.8 * ms - 2 && delays[i] <= 1.2 * ms, `${i}: ${delays[i]}`);
	host.isUp = true;
	talk.wake();
	await settle();
	await host.welcome();
	assert.equal(talk.state.phase, "ready");
	await clock.pass(5000);
	host.socket.cut();
	assert.ok(talk.state.retryAt - clock.now() <= 300, "a steady line lets it begin again");
});

test("a line that ends as soon as it is ready is made again less and less often", async () => {
	const { host, clock, talk } = await ready();
	host.socket.cut(1012);
	for (const ms of [0, 500, 1000, 2000]) {
		const wait = talk.state.retryAt - clock.now();
		assert.ok(wait >= 0.8 * ms && wait <= 1.2 * ms, `${ms}: ${wait}`);
		await clock.pass(wait);
		await host.welcome();
		host.socket.cut(1012);
	}
	await clock.pass(talk.state.retryAt - clock.now());
	await host.welcome();
	await host.say(host.row("assistant", { content: "x" }));
	host.socket.cut(1012);
	assert.equal(talk.state.retryAt, clock.now(), "a row shows that the line works");
	await clock.pass(0);
	await host.welcome();
	await clock.pass(5000);
	host.socket.cut(1012);
	assert.equal(talk.state.retryAt, clock.now(), "as time does");
});

test("a server that is asked again too soon, or never, is asked by the back-off", async () => {
	for (const retry_after_ms of [0, -5, "soon", null]) {
		const { host, clock, talk } = await begin();
		await host.say({ type: "ERROR", message: "busy", retryable: true, retry_after_ms });
		assert.ok(talk.state.retryAt - clock.now() >= 200, String(retry_after_ms));
	}
	const { host, clock, talk } = await begin();
	await host.say({ type: "ERROR", message: "busy", retryable: true, retry_after_ms: 1e20 });
	assert.ok(talk.state.retryAt - clock.now() < 2 ** 32 / 2, "as long as timers can wait");
});

test("members of other types than a server sends are left out", async () => {
	const { host, talk } = await begin();
	await host.say({ type: "ONBOARD_REQUIRED", methods: {} });
	assert.deepEqual(talk.state.onboard.methods, []);
	await host.welcome({ session_modes: { availableModes: [null, 5, { id: {} }, { id: "auto" }] },
		mode: {}, title: { a: 1 } });
	assert.deepEqual([talk.state.modes, talk.state.mode, talk.state.title],
		[[{ id: "auto" }], null, ""]);
});

test("a server that restarts is asked again at once", async () => {
	const { host, clock, talk } = await ready();
	host.socket.cut(1012);
	assert.deepEqual([talk.state.why.word, talk.state.retryAt], ["restart", clock.now()]);
	await clock.pass(0);
	await host.welcome();
	assert.equal(talk.state.phase, "ready");
});

test("a line that gives no sign of life is replaced", async () => {
	const { host, clock, talk } = await ready();
	await clock.pass(44_000);
	await host.say({ type: "PING" });
	assert.deepEqual(await host.heard(), [{ type: "PONG" }]);
	await clock.pass(44_000);
	assert.deepEqual(await host.heard(), []);
	await clock.pass(1_100);
	assert.deepEqual(await host.heard(), [{ type: "PING" }]);
	await host.say({ type: "PONG" });
	await clock.pass(20_000);
	assert.equal(talk.state.phase, "ready");
	talk.wake();
	assert.deepEqual(await host.heard(), [{ type: "PING" }]);
	const old = host.socket;
	await clock.pass(3_000);
	assert.deepEqual([talk.state.phase, talk.state.why.word, old.isClosed],
		["waiting", "silent", true]);
});

const REFUSALS = [
	["forbidden", { message: "forbidden: Denied by fast rules" }],
	["blocked", { message: "forbidden: blocked" }],
	["address", { message: "unauthorized: wrong recipient" }],
	["clock", { message: "unauthorized: signature expired" }],
	["damaged", { message: "what is stored of this is damaged; the log of the server has more" }],
	["other", { message: "something else" }],
];

for (const [word, frame] of REFUSALS)
	test(`an ERROR before CONNECTED is a refusal: ${word}`, async () => {
		const { host, clock, talk } = await begin();
		await host.say({ type: "ERROR", ...frame });
		assert.deepEqual([talk.state.phase, talk.state.why.word, talk.state.why.message],
			["refused", word, frame.message]);
		await clock.pass(60_000);
		assert.equal(host.sockets.length, 1, "it does not try again by itself");
		talk.retry();
		await settle();
		await host.welcome();
		assert.equal(talk.state.phase, "ready");
	});

test("a session of somebody else, or one that was deleted, is refused", async () => {
	const { host, talk } = await begin();
	await host.welcome({ session_id: "another" });
	assert.deepEqual([talk.state.phase, talk.state.why.word], ["refused", "gone"]);
	const other = await ready();
	await other.host.say({ type: "DELETED", session_id: "t" });
	assert.equal(other.talk.state.phase, "ready");
	await other.host.say({ type: "DELETED", session_id: "s" });
	assert.deepEqual([other.talk.state.phase, other.talk.state.why.word], ["refused", "deleted"]);
});

test("a UUID with and without dashes names one session", async () => {
	const { host, talk } = await begin({ session: "01a22363-61c1-7373-93f3-f75be4a1862b" });
	await host.welcome({ session_id: "01A2236361c1737393f3f75be4a1862b" });
	assert.equal(talk.state.phase, "ready");
});

test("a blocked caller's close is a refusal", async () => {
	const { host, talk } = await ready();
	host.socket.cut(1008, "blocked");
	assert.deepEqual([talk.state.phase, talk.state.why.word], ["refused", "blocked"]);
});

test("a server that is full is asked again when it says", async () => {
	const { host, clock, talk } = await begin();
	await host.say({ type: "ERROR", code: -32000, message: "server is full", retryable: true,
		retry_after_ms: 5000 });
	assert.deepEqual([talk.state.phase, talk.state.why.word], ["waiting", "busy"]);
	assert.ok(talk.state.retryAt - clock.now() >= 4000);
});

test("a wrong clock is measured and corrected, once", async () => {
	let asked = 0;
	const { host, clock, talk } = await begin({ measureClock: async () => (asked++, 600_000) });
	await host.heard();
	await host.say({ type: "ERROR", message: "unauthorized: signature expired" });
	assert.equal((await host.welcome()).timestamp, Math.floor(clock.now() / 1000) + 600);
	assert.deepEqual([talk.state.phase, talk.state.aheadMs], ["ready", 600_000]);
	host.socket.cut(1012);
	await clock.pass(0);
	await host.say({ type: "ERROR", message: "unauthorized: signature expired" });
	await host.say({ type: "ERROR", message: "unauthorized: signature expired" });
	assert.deepEqual([talk.state.phase, talk.state.why.word, asked], ["refused", "clock", 2]);
});

test("an answer names its question and is said again until its row came", async () => {
	const { host, clock, talk } = await ready();
	const [ask, approval, plan] = [host.row("ask_user", { question: "?" }),
		host.row("approval_needed", { tool: "shell" }), host.row("plan_review")];
	await host.say(ask, approval, plan);
	talk.answer(ask, ["red", "blue"]);
	talk.answer(approval, { approved: false, mode: "reject_explain", feedback: "no" });
	talk.answer(plan, "go");
	const said = [await host.command("ASK_USER_RESPONSE"), await host.command("APPROVAL_RESPONSE"),
		await host.command("PLAN_REVIEW_RESPONSE")];
	assert.deepEqual(said.map((payload) => payload.request_id), ["e7-1", "e7-2", "e7-3"]);
	assert.deepEqual([said[0].answer, said[1].approved, said[1].feedback, said[2].message],
		[["red", "blue"], false, "no", "go"]);
	await host.say(host.row("answer", { question: 1, kind: "ask_user", answer: "red, blue" }));
	host.socket.cut();
	await clock.pass(300);
	await host.welcome();
	const again = [await host.command("APPROVAL_RESPONSE"),
		await host.command("PLAN_REVIEW_RESPONSE")];
	assert.notEqual(again[0].nonce, said[1].nonce);
	assert.deepEqual(await host.heard(), []);
	assert.throws(() => talk.answer(host.row("thinking"), "x"), TypeError);
});

test("an input that is refused is given back with the reason", async () => {
	const { host, talk, seen } = await ready();
	const id = talk.send({ prompt: "x" });
	await host.heard();
	await host.say({ type: "ERROR", message: "file a.txt is larger than max_file_size" });
	assert.deepEqual(seen.inputs.map((each) => [each.id, each.isAccepted, each.why.word]),
		[[id, false, "other"]]);
	assert.equal(talk.state.phase, "ready");
});

test("an input that comes too soon is said again when the server says", async () => {
	const { host, clock, talk } = await ready();
	const id = talk.send({ prompt: "x" });
	await host.heard();
	await host.say({ type: "ERROR", code: -32029, message: "too many requests", retryable: true,
		retry_after_ms: 2990 });
	assert.equal(talk.state.unsent[0].why.word, "limit");
	await clock.pass(2_000);
	assert.deepEqual(await host.heard(), []);
	await clock.pass(1_000);
	assert.equal((await host.command("INPUT")).input_id, id);
});

test("files wait for the end of the running turn", async () => {
	const { host, clock, talk } = await ready();
	await host.say(host.row("input"));
	const id = talk.send({ prompt: "x", files: [{ name: "a", data: "data:,a" }] });
	await host.heard();
	await host.say({ type: "ERROR", code: "RUNTIME_INPUT_REJECTED", message: "no files now",
		retryable: true });
	assert.equal(talk.state.unsent[0].why.word, "files");
	await clock.pass(40_000);
	await host.heard();
	await host.say(host.row("done", { result: "r" }));
	await clock.pass(0);
	assert.equal((await host.command("INPUT")).input_id, id);
});

test("a message that is too large is given back, and the line is made again", async () => {
	const { host, talk, seen } = await ready();
	talk.send({ prompt: "x" });
	await host.heard();
	host.socket.cut(1009);
	assert.deepEqual([seen.inputs[0].why.word, talk.state.phase], ["large", "waiting"]);
});

test("what waits to be sent can be taken back, and is limited", async () => {
	const { talk } = await begin();
	const id = talk.send({ prompt: "x" });
	assert.ok(talk.takeBack(id));
	assert.ok(!talk.takeBack(id));
	for (let i = 0; i < UNSENT_MAX; i++) talk.send({ prompt: "x" });
	assert.throws(() => talk.send({ prompt: "x" }), /100 messages wait/);
});

test("a stranger is asked for a code; a wrong one is told, a right one connects", async () => {
	const { host, talk } = await begin();
	await host.heard();
	await host.say({ type: "ONBOARD_REQUIRED", identity: host.address, methods: ["invite_code"] });
	assert.deepEqual([talk.state.phase, talk.state.onboard.methods],
		["onboarding", ["invite_code"]]);
	await talk.onboard({ code: "wrong" });
	const payload = await host.command("ONBOARD_SUBMIT");
	assert.equal(payload.invite_code, "wrong");
	await host.say({ type: "ERROR", message: "invalid code" });
	assert.deepEqual([talk.state.phase, talk.state.why.message], ["onboarding", "invalid code"]);
	await talk.onboard({ code: "sesame" });
	await host.heard();
	await host.say({ type: "ONBOARD_SUCCESS", level: "contact" },
		{ type: "CONNECTED", session_id: "s", status: "new", epoch: 7, head: 0 });
	assert.deepEqual([talk.state.phase, talk.state.onboard], ["ready", null]);
});

test("an interrupt is shown until the turn ends", async () => {
	const { host, talk } = await ready();
	await host.say(host.row("input"));
	talk.interrupt();
	await host.command("INTERRUPT");
	assert.equal(talk.state.isStopping, true);
	await host.say(host.row("interrupt"), host.row("done", { result: "" }));
	assert.equal(talk.state.isStopping, false);
	talk.interrupt();
	await host.say({ type: "ERROR", message: "interrupt requires an active turn" });
	assert.equal(talk.state.isStopping, false);
});

test("pages of rows are asked for again after a cut, and fail with the talk", async () => {
	const { host, clock, talk } = await ready();
	const page = talk.page({ before: 50, limit: 20 });
	const asked = await host.command("ROWS");
	assert.deepEqual([asked.before, asked.limit], [50, 20]);
	host.socket.cut();
	await clock.pass(300);
	await host.welcome();
	const { request_id } = await host.command("ROWS");
	await host.say({ type: "ROWS", request_id, rows: [{ pos: 49 }], before: null });
	assert.deepEqual((await page).rows, [{ pos: 49 }]);
	const left = assert.rejects(talk.page({ before: 1 }), /left/);
	talk.close();
	await left;
});

test("an interrupt without a line is said when it is back, to the same turn only", async () => {
	for (const [turn, wanted] of [[1, true], [2, false]]) {
		const { host, clock, talk } = await ready();
		await host.say(host.row("input"));
		host.socket.cut();
		talk.interrupt();
		await clock.pass(300);
		await host.welcome({ running: true, turn });
		assert.equal(talk.state.isStopping, wanted);
		const heard = (await host.heard()).map((frame) => frame.type);
		assert.deepEqual(heard, wanted ? ["INTERRUPT"] : []);
	}
});

test("commands that come too soon are said again when the server says", async () => {
	const { host, clock, talk, seen } = await ready();
	const ask = host.row("ask_user", { question: "?" });
	await host.say(ask);
	const page = assert.rejects(talk.page({ before: "x" }), /before is not a number/);
	talk.answer(ask, "yes");
	talk.interrupt();
	await host.heard();
	await host.say({ type: "ERROR", code: -32029, message: "too many requests", retryable: true,
		retry_after_ms: 1000 });
	assert.equal(seen.errors[0].word, "limit");
	await clock.pass(1000);
	await host.command("ASK_USER_RESPONSE");
	const { request_id } = await host.command("ROWS");
	await host.command("INTERRUPT");
	await host.say({ type: "ERROR", message: "before is not a number", request_id });
	await page;
});

test("a request that an older server does not know fails", async () => {
	const { host, talk } = await ready();
	const list = assert.rejects(talk.ask({ type: "SESSIONS" }), /unknown message type/);
	await host.heard();
	await host.say({ type: "ERROR", message: "unknown message type: 'SESSIONS'" });
	await list;
	assert.equal(talk.state.phase, "ready");
});

test("rows that are gone are told, and a new epoch makes all that was known void", async () => {
	const { host, seen } = await begin({ cursor: { epoch: 6, pos: 40 } });
	host.head = 3;
	assert.equal((await host.welcome()).rows, "6-40");
	await host.say({ type: "reset", recovered: false });
	for (const pos of [1, 2, 3]) host.socket.say({ type: "thinking", pos });
	await host.say({ type: "reset", recovered: false, missed: 12 }, { type: "thinking", pos: 16 });
	assert.deepEqual(seen.resets, [{ missed: null, isVoid: true }, { missed: 12, isVoid: false }]);
	assert.deepEqual(seen.rows.map((row) => row.pos), [1, 2, 3, 16]);
});

test("a server that sends garbage is refused", async () => {
	for (const text of ["hello", "[]", "null", '"x"', ""]) {
		const { host, talk } = await ready();
		await host.say(text);
		assert.deepEqual([talk.state.phase, talk.state.why.word], ["refused", "garbage"], text);
	}
});

test("frames of unknown types are passed on, whatever their name", async () => {
	const frames = [];
	const { host, talk } = await ready({ onFrame: (frame) => frames.push(frame.type) });
	await host.say({ type: "constructor" }, { type: "__proto__" }, { type: "EXEC_RESULT" }, {});
	assert.deepEqual(frames, ["constructor", "__proto__", "EXEC_RESULT", undefined]);
	assert.equal(talk.state.phase, "ready");
});

test("a sealed talk says nothing in clear but SEAL", async () => {
	const { host, talk, seen } = await begin({ seal: true });
	await host.acceptSeal();
	const [connect] = await host.opened();
	assert.deepEqual([connect.type, connect.payload.rows], ["CONNECT", ""]);
	await host.sealedSay({ type: "CONNECTED", session_id: "s", epoch: 7, head: 0 });
	talk.send({ prompt: "secret" });
	await settle();
	assert.deepEqual(host.socket.sent.map((frame) => frame.type), ["SEALED"]);
	const [input] = await host.opened();
	assert.deepEqual([input.payload.prompt, talk.state.isSealed], ["secret", true]);
	await host.sealedSay(host.row("thinking"));
	assert.equal(seen.rows.length, 1);
	await host.say(host.row("thinking"));
	assert.deepEqual([talk.state.phase, talk.state.why.word, seen.rows.length],
		["refused", "seal", 1], "a row in clear is not believed");
});

test("a seal that another key answers is refused", async () => {
	const { host, talk } = await begin({ seal: true });
	await host.acceptSeal({ as: promptIdentity(9) });
	assert.deepEqual([talk.state.phase, talk.state.why.word], ["refused", "seal"]);
	assert.deepEqual(await host.heard(), []);
});

test("a host that cannot seal is never spoken to in clear", async () => {
	const answers = [{ type: "ERROR", message: "this host cannot seal" }, { type: "CONNECTED" }];
	for (const frame of answers) {
		const { host, clock, talk } = await begin({ seal: true });
		await host.heard();
		await host.say(frame);
		assert.deepEqual([talk.state.phase, talk.state.why.word], ["refused", "seal"]);
		await clock.pass(60_000);
		assert.deepEqual([host.sockets.length, await host.heard()], [1, []]);
	}
});

test("a host that does not answer a seal is given up after 10 s", async () => {
	const { clock, talk } = await begin({ seal: true });
	await clock.pass(10_000);
	assert.deepEqual([talk.state.phase, talk.state.why.word], ["refused", "seal"]);
});
