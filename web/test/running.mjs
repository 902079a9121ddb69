// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Stories of the page's modules at a running server with the demo agent.
//
//	node running.mjs URL STORY...
//
// INVITE is a code that opens the server's door.
import process from "node:process";
import WebSocket from "ws";
import { CopyingTables, until } from "./kit.mjs";
import { lineTo } from "./line.mjs";
import { systemClock } from "../oip/line.js";
import { Disk } from "../store/disk.js";
import { openHost } from "../store/host.js";
import { itemsOf } from "../store/items.js";

const [base, ...wanted] = process.argv.slice(2);

// ---- checks ----

function ok(isSo, name) {
	console.log(`${isSo ? "ok" : "not ok"} - ${name}`);
	return isSo;
}

function same(got, wantedValue, name) {
	const [a, b] = [JSON.stringify(got), JSON.stringify(wantedValue)];
	if (!ok(a === b, name)) console.log(`# got ${a}, wanted ${b}`);
}

// ---- visits ----

const stores = new Set();

/** A browser; visits with the same tables are tabs or reloads of one. */
function visit({ tables = new CopyingTables(), at = base, clock, fetch, prefs = {} } = {}) {
	const disk = new Disk(tables);
	const store = openHost({ base: at, disk: Promise.resolve(disk), WebSocket, clock, fetch });
	for (const [name, value] of Object.entries(prefs)) store.prefs[name].value = value;
	store.tables = tables;
	stores.add(store);
	return store;
}

const items = (chat) => chat.pages.value.flat();
const kinds = (chat, kind) => items(chat).filter((item) => item.kind === kind);
const said = (chat) => kinds(chat, "agent").at(-1)?.text;
const ends = (chat) => items(chat).filter(({ kind }) => kind === "end" || kind === "error");
const phase = (chat, word) => until(() => chat.state.value.phase === word, `phase ${word}`);

/** Say something and wait for the end of its turn; returns the last text. */
async function talk(chat, prompt, more = {}) {
	const n = ends(chat).length;
	chat.send({ prompt, ...more });
	await until(() => ends(chat).length > n && !chat.turn.value.isRunning, `the end of ${prompt}`);
	return said(chat);
}

/** Positions of all rows that come, doubled ones twice. */
function watchRows(store) {
	const got = [];
	const { WebSocket: Real } = store;
	store.WebSocket = class extends Real {
		constructor(url) {
			super(url);
			this.addEventListener("message", ({ data }) => {
				const { pos } = JSON.parse(data);
				if (pos) got.push(pos);
			});
		}
	};
	return got;
}

// What 200 steps are, as items; "events" is how many rows came.
function checkSteps(chat, n, how) {
	const tools = kinds(chat, "tool");
	const done = tools.filter((item) => item.status === "success");
	same([tools.length, done.length, new Set(tools.map((item) => item.toolId)).size], [n, n, n],
		`each step is shown once: ${how}`);
	same(items(chat).filter(({ kind }) => !["tool", "user", "agent", "end"].includes(kind)), [],
		`nothing else is shown: ${how}`);
	same([kinds(chat, "user").length, ends(chat).length, said(chat)],
		[1, 1, `Streamed ${n} steps.`], `one prompt, one answer, one end: ${how}`);
}

// Positions of one journal, in the order in which they were shown.
function checkOrder(chat, how) {
	const at = items(chat).map((item) => item.at);
	ok(at.every((place, i) => !i || place > at[i - 1]), `the items are in order: ${how}`);
}

async function steps(store, how, disturb) {
	const chat = store.open(null);
	const got = watchRows(store);
	chat.send({ prompt: "stream 200 20" });
	const stop = disturb(chat);
	await until(() => ends(chat).length, `200 steps: ${how}`).catch((e) => {
		const { phase: now, why } = chat.state.value;
		throw new Error(`${e.message}: ${now} ${why?.word}, ${items(chat).length} items`);
	});
	stop();
	checkSteps(chat, 200, how);
	checkOrder(chat, how);
	// input, user_input, 400 of the steps, turn_result, done; perhaps starts.
	const last = Math.max(...got);
	same([got.length, new Set(got).size], [last, last], `no row is lost or comes twice: ${how}`);
	ok(last >= 404, `the turn has its 404 rows: ${how}`);
	chat.close();
}

const stories = {
	async hello() {
		const store = visit();
		const chat = store.open(null);
		same(await talk(chat, "echo hello"), "hello", "a prompt is answered");
		same(items(chat).map((item) => item.kind), ["user", "agent", "end"],
			"a turn is a prompt, an answer and an end");
		await talk(chat, "calculate 6 * 7");
		same(kinds(chat, "tool").map((item) => [item.name, item.status]), [["calculate", "success"]],
			"a tool is shown with its state");
		await talk(chat, "think 3");
		same(kinds(chat, "thinking").length, 3, "thoughts are shown");
		await talk(chat, "events");
		ok(kinds(chat, "image").length === 1 && kinds(chat, "note").length >= 3,
			"an image and notes are shown");
		same(kinds(chat, "unknown").map((item) => item.row.type), ["progress"],
			"an event of the agent's own is kept");
		await talk(chat, "fail on purpose");
		same(ends(chat).at(-1).reason, "failed", "a turn that fails has its reason");
		const long = "€".repeat(300_000);
		ok(await talk(chat, `echo ${long}`) === long, "a long answer comes back whole");
		const { id } = chat;
		chat.close();
		const again = visit({ tables: store.tables }).open(id);
		await until(() => items(again).length, "the kept items");
		await phase(again, "ready");
		await until(() => said(again) === long, "the whole long answer");
		same(items(again).map((item) => [item.key, item.text]).flat().length, items(chat).length * 2,
			"a reload shows the same items");
		const elsewhere = visit({ tables: new CopyingTables() });
		same(elsewhere.identity.value, null, "another browser is somebody else");
		const foreign = elsewhere.open(id);
		await phase(foreign, "refused");
		same([foreign.state.value.why.word, items(foreign).length], ["gone", 0],
			"a session of another caller is as if it did not exist");
	},

	async ask() {
		const chat = visit().open(null);
		chat.send({ prompt: "ask Which?|red|green" });
		const question = await until(() => chat.question.value, "a question");
		same([question.text, question.options, question.isMulti], ["Which?", ["red", "green"], false],
			"a question is shown with its options");
		chat.answer(question, "green");
		await until(() => ends(chat).length, "the end");
		same([said(chat), kinds(chat, "question")[0].answer, chat.question.value],
			["You answered: green", "green", null], "the answer to a question arrives, and is shown");
		chat.send({ prompt: "ask Which?|red|green" });
		await until(() => chat.question.value, "a question");
		chat.send({ prompt: "blue" });
		await until(() => ends(chat).length === 2, "the end");
		same([said(chat), chat.state.value.unsent], ["You answered: blue", []],
			"a prompt answers a question that waits");
	},

	async approve() {
		const chat = visit().open(null);
		for (const [answer, words] of [
			[{ approved: true, scope: "once" }, "bash was approved and ran."],
			[{ approved: false, mode: "reject_explain", feedback: "too late" },
				"bash was not approved."]]) {
			chat.send({ prompt: "approve bash" });
			const question = await until(() => chat.question.value, "an approval");
			same([question.kind, question.tool], ["approval", "bash"], "an approval is asked for");
			const n = ends(chat).length;
			chat.answer(question, answer);
			await until(() => ends(chat).length > n, "the end");
			ok(said(chat).startsWith(words), `the verdict arrives: ${words}`);
			same(kinds(chat, "approval").at(-1).answer.approved, answer.approved,
				"the verdict is shown");
		}
	},

	async plan() {
		const chat = visit().open(null);
		chat.send({ prompt: "plan one|two" });
		const question = await until(() => chat.question.value, "a review");
		same([question.kind, question.text], ["review", "1. one\n2. two"],
			"a plan is to be reviewed");
		chat.answer(question, "go on");
		await until(() => ends(chat).length, "the end");
		same(kinds(chat, "plan").map((item) => item.entries.map((entry) => entry.status)),
			[["completed", "completed"]], "the last state of a plan is shown");
		ok(said(chat).endsWith("You said: go on"), "what was said of the plan arrives");
	},

	async interrupt() {
		const chat = visit().open(null);
		chat.send({ prompt: "stream 6000 10" });
		await until(() => kinds(chat, "tool").length > 3, "steps");
		chat.interrupt();
		await until(() => ends(chat).length, "the end");
		same([said(chat), chat.state.value.isStopping], ["What would you like me to do?", false],
			"a turn is interrupted");
		same(kinds(chat, "note").map((item) => item.what), ["interrupt"], "the wish is shown");
		same(await talk(chat, "echo on"), "on", "the session goes on");
	},

	async join() {
		const chat = visit().open(null);
		chat.send({ prompt: "stream 60 20" });
		await until(() => kinds(chat, "tool").length > 3, "steps");
		chat.send({ prompt: "and faster" });
		await until(() => ends(chat).length, "the end");
		same(kinds(chat, "user").map((item) => [item.text, item.isRuntime, item.state]),
			[["stream 60 20", false, "taken"], ["and faster", true, "taken"]],
			"a prompt while a turn runs joins it");
		ok(said(chat).endsWith("and faster"), "the agent heard it");
		same(chat.state.value.unsent, [], "both prompts are acknowledged");
	},

	async files() {
		const chat = visit().open(null);
		const data = "data:text/plain;base64,aGVsbG8K";
		const file = (name) => ({ name, data });
		const answer = await talk(chat, "look", { files: [file("a.txt")] });
		ok(answer.includes("a.txt"), "a file arrives");
		same(kinds(chat, "files")[0].files[0].name, "a.txt", "the file is shown");
		chat.send({ prompt: "look", files: Array.from({ length: 11 }, (_, n) => file(`${n}.txt`)) });
		await until(() => chat.problem.value, "a refusal");
		same([chat.problem.value.message, chat.draft.value, chat.state.value.unsent],
			["Too many files: 11 (max: 10). Increase max_files_per_request in host.yaml", "look",
				[]], "too many files are given back");
		same(await talk(chat, "echo on"), "on", "the session goes on after a refusal");
	},

	async tabs() {
		const tables = new CopyingTables();
		const first = visit({ tables });
		const one = first.open(null);
		one.send({ prompt: "ask Which?|red|green" });
		await until(() => one.question.value, "a question");
		const two = visit({ tables }).open(one.id);
		const question = await until(() => two.question.value, "the question in the other tab");
		same(items(two).map((item) => item.kind), ["user", "question"],
			"a second tab shows the running turn");
		two.answer(question, "red");
		await until(() => ends(one).length && ends(two).length, "both ends");
		same([kinds(one, "question")[0].answer, kinds(two, "question")[0].answer], ["red", "red"],
			"an answer given in one tab is shown in both");
		await talk(two, "echo from two");
		await until(() => ends(one).length === 2, "the turn of the other tab");
		same(items(one).map((item) => item.text), items(two).map((item) => item.text),
			"both tabs show the same items");
		const three = Array.from({ length: 3 }, () => visit({ tables }).open(one.id));
		for (const chat of three) await phase(chat, "ready");
		ok(true, "three tabs connect in the same moment");
	},

	async cuts() {
		await Promise.all([false, true].map(async (seal) => {
			const line = await lineTo(base);
			const store = visit({ at: line.url, prefs: { seal } });
			const chat = store.open(null);
			chat.send({ prompt: "stream 200 15" });
			for (let n = 1; n <= 6; n++) {
				await until(() => kinds(chat, "tool").length >= 30 * n, "more steps");
				line.cut();
			}
			await until(() => ends(chat).length, "the end");
			same(chat.state.value.isSealed, seal, seal ? "sealed" : "in clear");
			checkSteps(chat, 200, `six cuts, ${seal ? "sealed" : "in clear"}`);
			line.close();
		}));
	},

	async unsent() {
		const line = await lineTo(base);
		const chat = visit({ at: line.url }).open(null);
		await talk(chat, "echo one");
		line.cut();
		chat.send({ prompt: "echo two" });
		chat.send({ prompt: "echo three" });
		await until(() => ends(chat).length + kinds(chat, "user").filter((item) =>
			item.isRuntime).length >= 3 && !chat.turn.value.isRunning, "all turns");
		same(kinds(chat, "user").map((item) => item.text), ["echo one", "echo two", "echo three"],
			"what was said without a line arrives, once and in order");
		line.close();
	},

	async killed() {
		const line = visit();
		await steps(line, "workers are killed", () => () => {});
	},

	async seal() {
		const store = visit({ prefs: { seal: true } });
		const chat = store.open(null);
		same(await talk(chat, "echo Zoë"), "Zoë", "a sealed prompt is answered");
		ok(chat.state.value.isSealed, "the connection is sealed");
		const long = "x".repeat(900_000);
		ok(await talk(chat, `echo ${long}`) === long, "900 kB come back through a seal");
		for (let i = 0; i < 5; i++) await talk(chat, "stream 100");
		const { id } = chat;
		chat.close();
		const [[key, kept]] = await store.tables.entries("rows");
		await store.tables.put("rows", key, { ...kept, rows: kept.rows.slice(-10) });
		const again = visit({ tables: store.tables, prefs: { seal: true } }).open(id);
		await phase(again, "ready");
		while (again.hasOlder.value) await again.older();
		same(items(again).length, items(chat).length, "older items come through the seal");
	},

	async clock() {
		const clock = { ...systemClock, now: () => Date.now() - 20 * 60_000 };
		const store = visit({ clock });
		const chat = store.open(null);
		same(await talk(chat, "echo late"), "late", "a clock that is 20 minutes late does no harm");
		ok(Math.abs(chat.state.value.aheadMs - 20 * 60_000) < 5000, "the difference is known");
	},

	async sessions(seal = false) {
		// Time for the one who deletes to think again passes quicker.
		const clock = { ...systemClock, setTimeout: (act, ms) => setTimeout(act, ms / 20) };
		const asked = [];
		const store = visit({ clock, prefs: { seal }, fetch(request, o) {
			asked.push(new URL(request).pathname);
			return fetch(request, o);
		} });
		const chat = store.open(null);
		await talk(chat, "echo needle in a haystack");
		const other = store.open(null);
		await talk(other, "echo something else");
		const { sessions } = store;
		await until(() => sessions.list.value.length === 2, "both sessions in the list");
		same(sessions.list.value.map((entry) => entry.id), [other.id, chat.id],
			"sessions are listed, the newest first");
		sessions.search("NEEDLE");
		await until(() => sessions.list.value.length, "what was searched");
		same(sessions.list.value.map((entry) => entry.id), [chat.id], "sessions are searched");
		await sessions.rename(chat.id, "Found");
		same([sessions.list.value[0].title, chat.title.value], ["Found", "Found"], "a session is renamed");
		const text = await sessions.export(chat.id, "markdown");
		ok(text.startsWith("# Found\n\n## You\n\necho needle"), "a session is exported as Markdown");
		const { rows } = JSON.parse(await sessions.export(chat.id, "json"));
		same(rows.map((row) => row.pos), rows.map((_, i) => i + 1), "a session is exported as JSON");
		sessions.search("");
		await until(() => sessions.list.value.length === 2, "all sessions again");
		other.close();
		const open = store.open(other.id);
		await phase(open, "ready");
		sessions.remove(other.id);
		await until(() => store.tables.entries("deletes").then((all) => !all.length), "the deletion");
		await until(() => sessions.list.value.length === 1, "the list without it");
		same(sessions.list.value.map((entry) => entry.id), [chat.id], "a session is deleted");
		await until(() => open.state.value.why?.word === "deleted", "the word of it");
		same(open.state.value.phase, "refused", "a tab with a session is told that it was deleted");
		if (seal) same([...new Set(asked)], ["/info"], "nothing of a sealed page goes by HTTP");
	},

	sealed_sessions: () => stories.sessions(true),

	async gate() {
		const chat = visit().open(null);
		chat.send({ prompt: "echo in" });
		await phase(chat, "onboarding");
		same(chat.state.value.onboard.methods, ["invite_code"], "a stranger is asked for a code");
		chat.onboard({ code: "wrong" });
		await until(() => chat.state.value.why, "a refusal");
		same([chat.state.value.why.message, chat.state.value.phase],
			["Invalid invite code", "onboarding"], "a wrong code is told");
		chat.onboard({ code: process.env.INVITE });
		await until(() => ends(chat).length, "the end");
		same(said(chat), "in", "the right code opens, and the prompt that waited is run");
	},

	async strict() {
		for (const seal of [false, true]) {
			const chat = visit({ prefs: { seal } }).open(null);
			await phase(chat, "refused");
			same([chat.state.value.why.word, chat.state.value.why.message],
				["forbidden", "forbidden: Denied by fast rules"],
				`a strict host refuses strangers, ${seal ? "sealed" : "in clear"}`);
		}
	},
};

// At once: each has callers and sessions of its own.
await Promise.all(wanted.map((name) => stories[name]().catch((error) => {
	ok(false, `${name} goes on to its end`);
	console.log(error);
})));
for (const store of stores) store.close();
console.log("# the end");
process.exit(0);
