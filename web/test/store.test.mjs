// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// What the page keeps: sessions that are left and opened again, drafts, the list of sessions,
// and a storage that is forbidden or full. The host is scripted.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CopyingTables, StoppedClock, promptIdentity, settle } from "./kit.mjs";
import { ScriptedHost } from "./host.mjs";
import { Disk } from "../store/disk.js";
import { sessionAsMarkdown } from "../store/export.js";
import { openHost } from "../store/host.js";
import { KEPT_ROWS } from "../store/kept.js";

/** A visit of the page; visits that share tables are those of one browser. */
async function visit({ tables = new CopyingTables(), answers = {}, ...more } = {}) {
	const host = new ScriptedHost();
	const clock = new StoppedClock();
	const requests = [];
	const { address } = promptIdentity(7);
	await tables.put("identity", "own", { address, seed: new Uint8Array(32).fill(7) });
	const all = { "/info": { address: host.address, name: "demo" },
		"/sessions": { sessions: [], before: null }, ...answers };
	const fetch = async (url, o) => {
		const { pathname, search } = new URL(url);
		requests.push(`${o.method} ${pathname}${search}`);
		const answer = all[`${o.method} ${pathname}`] ?? all[pathname];
		const value = typeof answer === "function" ? answer(new URLSearchParams(search), o) : answer;
		if (value === undefined) return Response.json({ error: "not found" }, { status: 404 });
		return Response.json(value);
	};
	const store = openHost({ base: "http://localhost", disk: Promise.resolve(new Disk(tables)),
		clock, WebSocket: host.WebSocket, fetch, soon: queueMicrotask, ...more });
	await settle();
	return { host, clock, store, tables, requests };
}

async function chat(more, id = "s") {
	const all = await visit(more);
	all.chat = all.store.open(id);
	await settle();
	return all;
}

const texts = (session) => session.pages.value.flat().map((item) => item.text ?? item.kind);

test("a new session is shown as it grows, and has the first words for its title", async () => {
	const { host, chat: session } = await chat({}, null);
	assert.match(session.id, /^[\da-f-]{36}$/);
	await host.welcome();
	assert.deepEqual([session.isNew.value, session.title.value], [true, ""]);
	session.send({ prompt: "tell me\nmore" });
	const { input_id } = await host.command("INPUT");
	assert.deepEqual([session.isNew.value, session.title.value], [false, "tell me more"]);
	await host.say(host.row("input", { prompt: "tell me\nmore", input_id, ts: 50 }));
	assert.deepEqual([texts(session), session.state.value.unsent], [["tell me\nmore"], []]);
	assert.deepEqual(session.turn.value, { isRunning: true, since: 50_000, isThinking: false });
	await host.say(host.row("plan", { entries: [{ content: "a", status: "pending" }] }),
		host.row("ask_user", { question: "Which?" }));
	assert.deepEqual([session.question.value.text, session.plan.value.entries.length],
		["Which?", 1]);
	session.answer(session.question.value, "this");
	assert.equal((await host.command("ASK_USER_RESPONSE")).request_id, "e7-3");
	await host.say(host.row("answer", { question: 3, answer: "this" }),
		host.row("llm_result", { usage: { total_tokens: 9, cost: 0.5 } }),
		host.row("done", { result: "well" }));
	assert.deepEqual([session.question.value, session.plan.value, session.turn.value.isRunning],
		[null, null, false]);
	assert.deepEqual(session.usage.value, { tokens: 9, cost: 0.5 });
});

test("a session is painted from what was kept, and goes on from there", async () => {
	const first = await chat();
	await first.host.welcome();
	await first.host.say(first.host.row("input", { prompt: "a" }),
		first.host.row("assistant", { content: "b" }));
	first.chat.close();
	await settle();
	const second = await chat({ tables: first.tables });
	assert.deepEqual(texts(second.chat), ["a", "b"]);
	second.host.head = 2;
	const { rows } = await second.host.welcome({ status: "running" });
	assert.equal(rows, "7-2");
	await second.host.say(second.host.row("done", { result: "c" }));
	assert.deepEqual(texts(second.chat), ["a", "b", "c", "end"]);
});

test("a session is painted while the host cannot be reached", async () => {
	const first = await chat();
	await first.host.welcome();
	await first.host.say(first.host.row("input", { prompt: "a" }));
	first.chat.close();
	await settle();
	const isDown = { value: true };
	const { host, clock, store, chat: session } = await chat({ tables: first.tables,
		answers: { "/info": () => {
			if (isDown.value) throw new TypeError("no network");
			return { address: first.host.address };
		} } });
	assert.deepEqual([texts(session), store.error.value.message, host.sockets.length],
		[["a"], "The server cannot be reached.", 0]);
	isDown.value = false;
	await clock.pass(2000);
	assert.equal((await host.command("CONNECT")).rows, "7-1");
});

test("of a long session the last rows are kept, and older ones are read", async () => {
	const first = await chat();
	await first.host.welcome();
	await first.host.say(...Array.from({ length: 450 }, () =>
		first.host.row("thinking", { content: "x" })));
	await first.clock.pass(1000);
	const second = await chat({ tables: first.tables });
	assert.equal(texts(second.chat).length, KEPT_ROWS);
	second.host.head = 450;
	await second.host.welcome({ first: 1 });
	assert.equal(second.chat.hasOlder.value, true);
	second.chat.older();
	second.chat.older();
	const { before, limit, request_id } = await second.host.command("ROWS");
	assert.deepEqual([before, limit, await second.host.heard()], [251, 200, []]);
	const rows = Array.from({ length: 250 }, (_, i) =>
		({ pos: i + 1, turn: 1, type: "thinking", content: "x", ts: 1 }));
	await second.host.say({ type: "ROWS", request_id, before: null, rows });
	assert.deepEqual([texts(second.chat).length, second.chat.hasOlder.value], [450, false]);
});

test("a session of another device is read from its end", async () => {
	const { host, chat: session } = await chat();
	host.head = 300;
	await host.welcome({ title: "From the phone", first: 1 });
	const { before, request_id } = await host.command("ROWS");
	assert.equal(before, 301);
	await host.say(host.row("thinking", { content: "live" }));
	await host.say({ type: "ROWS", request_id, before: 300, rows: [{ pos: 300, turn: 1,
		type: "thinking", content: "old", ts: 1 }] });
	assert.deepEqual([texts(session), session.title.value, session.hasOlder.value],
		[["old", "live"], "From the phone", true]);
});

test("long rows are kept in part, and come whole again", async () => {
	const long = "x".repeat(100_000);
	const first = await chat();
	await first.host.welcome();
	await first.host.say(first.host.row("thinking", { content: "a" }),
		first.host.row("agent_image", { image: "data:image/png;base64,AAAA" }),
		first.host.row("done", { result: long }));
	first.chat.close();
	await settle();
	const [[, kept]] = await first.tables.entries("rows");
	assert.ok(JSON.stringify(kept).length < 5000);
	const second = await chat({ tables: first.tables });
	second.host.head = 3;
	await second.host.welcome();
	const { after, request_id } = await second.host.command("ROWS");
	assert.equal(after, 1);
	await second.host.say({ type: "ROWS", request_id, before: 2, after: null, rows: [
		{ pos: 2, turn: 1, type: "agent_image", image: "data:image/png;base64,AAAA", ts: 1 },
		{ pos: 3, turn: 1, type: "done", result: long, ts: 1 }] });
	const items = second.chat.pages.value.flat();
	assert.deepEqual([items[1].image, items[2].text === long, items.length],
		["data:image/png;base64,AAAA", true, 4]);
});

test("inputs and drafts outlive the page", async () => {
	const first = await chat();
	first.chat.send({ prompt: "one", files: [{ name: "a", data: "data:,a" }] });
	first.chat.draft.value = "half a sen";
	await first.clock.pass(300);
	const second = await chat({ tables: first.tables });
	assert.equal(second.chat.draft.value, "half a sen");
	assert.deepEqual(second.chat.state.value.unsent.map((input) => input.prompt), ["one"]);
	await second.host.welcome();
	const { input_id, files } = await second.host.command("INPUT");
	assert.deepEqual([input_id, files], [first.chat.state.value.unsent[0].id,
		[{ name: "a", data: "data:,a" }]]);
	await second.host.say(second.host.row("input", { prompt: "one", input_id }));
	second.chat.draft.value = "";
	await second.clock.pass(300);
	assert.deepEqual([await first.tables.entries("unsent"), await first.tables.entries("drafts")],
		[[], []]);
});

test("an input that is refused comes back as the draft, with the reason", async () => {
	const { host, chat: session } = await chat();
	await host.welcome();
	session.send({ prompt: "too much" });
	await host.heard();
	await host.say({ type: "ERROR", message: "file a is larger than max_file_size" });
	assert.deepEqual([session.draft.value, session.problem.value.message],
		["too much", "file a is larger than max_file_size"]);
	session.send({ prompt: "less" });
	assert.equal(session.problem.value, null);
});

test("after a boot of the machine the conversation stands for its rows", async () => {
	const first = await chat();
	await first.host.welcome();
	await first.host.say(first.host.row("input", { prompt: "old" }));
	first.chat.close();
	await settle();
	const { host, chat: session } = await chat({ tables: first.tables });
	await host.command("CONNECT");
	await host.say({ type: "CONNECTED", session_id: "s", status: "connected", epoch: 8, head: 0,
		first: 0, chat_items: [{ type: "user", content: "old" }, { type: "agent", content: "yes" },
			{ type: "tool_call", name: "sh", status: "done" }, { type: "constructor" }] });
	await host.say({ type: "reset", recovered: false }, host.row("input", { prompt: "new" }));
	assert.deepEqual(texts(session), ["old", "yes", "tool", "unknown", "new"]);
});

test("rows that are not kept by the server leave a divider", async () => {
	const { host, clock, chat: session } = await chat();
	await host.welcome();
	await host.say(host.row("input", { prompt: "a" }));
	host.socket.cut(1012);
	await clock.pass(0);
	await host.welcome();
	await host.say({ type: "reset", missed: 5 });
	assert.equal(session.pages.value.flat().at(-1).missed, 5);
});

const LIST = [{ session_id: "a", title: "A", status: "idle", last: "x", updated: 3 },
	{ session_id: "b", title: "B", status: "waiting", waits_for: "ask_user", updated: 2 }];

test("the list of sessions is searched and paged by the server", async () => {
	const second = { sessions: [LIST[0], { session_id: "c", updated: 1 }], before: null };
	const { store, requests } = await visit({ answers: { "/sessions": (query) =>
		(query.get("before") ? second
			: { sessions: query.get("q") ? [LIST[1]] : LIST, before: "n1" }) } });
	const { sessions } = store;
	const ids = () => sessions.list.value.map((entry) => entry.id).join("");
	assert.deepEqual([ids(), sessions.hasMore.value, sessions.list.value[1].waitsFor],
		["ab", true, "ask_user"]);
	await sessions.more();
	assert.deepEqual([ids(), sessions.hasMore.value], ["abc", false]);
	await sessions.refresh();
	assert.equal(ids(), "abc", "what was read stays");
	await sessions.search("b c");
	assert.deepEqual([ids(), requests.at(-1)], ["b", "GET /sessions?q=b+c&limit=50"]);
});

test("a session is deleted after the time to undo it", async () => {
	const { store, clock, requests } = await visit({ answers: {
		"/sessions": { sessions: LIST, before: null }, "DELETE /sessions/a": { deleted: true } } });
	const ids = () => store.sessions.list.value.map((entry) => entry.id).join("");
	store.sessions.remove("a")();
	await clock.pass(9000);
	assert.deepEqual([ids(), requests.some((each) => each.startsWith("DELETE"))], ["ab", false]);
	store.sessions.remove("a");
	assert.equal(ids(), "b");
	await clock.pass(8000);
	assert.ok(requests.includes("DELETE /sessions/a"));
	const errors = [];
	store.sessions.remove("b", { onError: (e) => errors.push(e.message) });
	await clock.pass(8000);
	assert.deepEqual([ids(), errors], ["", []], "a session that is not there counts as deleted");
});

test("a session whose deletion fails is in the list again", async () => {
	const { store, clock } = await visit({ answers: {
		"/sessions": { sessions: LIST, before: null },
		"DELETE /sessions/a": () => { throw new TypeError("no network"); } } });
	const errors = [];
	store.sessions.remove("a", { onError: (e) => errors.push(e.message) });
	await clock.pass(8000);
	assert.deepEqual([store.sessions.list.value.length, errors],
		[2, ["The server cannot be reached."]]);
});

test("a session that was about to be deleted when the page went is deleted later", async () => {
	const first = await visit();
	first.store.sessions.remove("a");
	await settle();
	const { requests } = await visit({ tables: first.tables });
	assert.ok(requests.includes("DELETE /sessions/a"), requests.join());
	assert.deepEqual(await first.tables.entries("deletes"), []);
});

test("a session that another tab deletes is forgotten", async () => {
	const { host, tables, chat: session } = await chat();
	await host.welcome();
	await host.say(host.row("input", { prompt: "a" }));
	session.save();
	await settle();
	await host.say({ type: "DELETED", session_id: "s" });
	assert.deepEqual([texts(session), session.state.value.why.word, await tables.entries("rows")],
		[[], "deleted", []]);
});

test("a title is set in the list and in the open session", async () => {
	const { store } = await visit({ answers: { "/sessions": { sessions: LIST, before: null },
		"PATCH /sessions/a": (_, o) => ({ title: JSON.parse(o.body).payload.title.trim() }) } });
	const session = store.open("a");
	await store.sessions.rename("a", " New ");
	assert.deepEqual([store.sessions.list.value[0].title, session.title.value], ["New", "New"]);
});

test("all pages of a session are exported", async () => {
	const pages = {
		0: { rows: [{ pos: 1, turn: 1, type: "input", prompt: "hi" }], after: 1 },
		1: { rows: [{ pos: 2, turn: 1, type: "done", result: "ho" }], after: null },
	};
	const { store } = await visit({ answers: {
		"/sessions/a/journal": (query) => pages[query.get("after")] } });
	assert.deepEqual(JSON.parse(await store.sessions.export("a", "json")).rows.length, 2);
	assert.equal(await store.sessions.export("a", "markdown"),
		"# a\n\n## You\n\nhi\n\n## Agent\n\nho\n");
});

test("an export as Markdown cannot be broken by what tools return", () => {
	const rows = [["tool_call", { tool_id: "c", name: "sh", args: { a: "```" } }],
		["tool_result", { tool_id: "c", name: "sh", status: "success", result: "````\nx" }],
		["approval_needed", { tool: "sh", description: "may it?" }],
		["answer", { question: 3, answer: { approved: false, feedback: "no" } }]]
		.map(([type, members], i) => ({ pos: i + 1, turn: 1, type, ...members }));
	assert.equal(sessionAsMarkdown({ id: "a", title: "T", rows }), `# T

**Tool sh** (success)

\`\`\`\`json
{
  "a": "\`\`\`"
}
\`\`\`\`

\`\`\`\`\`
\`\`\`\`
x
\`\`\`\`\`

**May sh run?**

> may it?

Answer: no: no
`);
});

test("preferences are kept", async () => {
	const first = await visit();
	first.store.prefs.theme.value = "dark";
	await settle();
	const second = await visit({ tables: first.tables });
	assert.deepEqual([second.store.prefs.theme.value, second.store.prefs.seal.value],
		["dark", false]);
});

test("a storage that is forbidden is replaced by memory, and that is said once", async () => {
	let nLost = 0;
	const forbidden = { get() { throw new Error("SecurityError"); } };
	forbidden.put = forbidden.remove = forbidden.entries = forbidden.get;
	const disk = new Disk(forbidden, () => nLost++);
	assert.equal(await disk.get("prefs", "x"), undefined);
	await disk.put("prefs", "x", 1);
	await disk.put("prefs", "y", 2);
	await disk.remove("prefs", "y");
	assert.deepEqual([await disk.get("prefs", "x"), await disk.entries("prefs"), nLost,
		disk.isKept], [1, [["x", 1]], 1, false]);
});

test("a storage that is full gives up the rows of the oldest sessions first", async () => {
	class Full extends CopyingTables {
		async put(table, key, value) {
			const n = (await this.entries("rows")).length + (await this.entries("drafts")).length;
			if (n >= 3) throw new DOMException("full", "QuotaExceededError");
			return super.put(table, key, value);
		}
	}
	let nLost = 0;
	const tables = new Full();
	const disk = new Disk(tables, () => nLost++);
	for (const touched of [3, 1, 2]) await disk.put("rows", `s${touched}`, { touched });
	await disk.put("drafts", "d", "text");
	assert.deepEqual([(await tables.entries("rows")).map(([key]) => key), nLost],
		[["s3", "s2"], 0]);
	for (const key of ["e", "f", "g"]) await disk.put("drafts", key, "text");
	assert.deepEqual([(await disk.entries("drafts")).map(([key]) => key), nLost, disk.isKept],
		[["d", "e", "f", "g"], 1, true]);
});
