// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The fold of rows into items.
import assert from "node:assert/strict";
import { test } from "node:test";
import "./kit.mjs";
import { NO_ITEMS, fold, foldAll, foldMissed, itemOf, itemsOf } from "../store/items.js";
import { PAGE_ITEMS } from "../store/pages.js";

/** Rows with positions, ids and times: each is [type, members]; "turn" begins another turn. */
function rowsOf(...given) {
	let [turn, pos] = [1, 0];
	const rows = [];
	for (const [type, members] of given) {
		if (type === "turn") turn++;
		else rows.push({ pos: ++pos, turn, type, id: `e-${pos}`, ts: 100 + pos, ...members });
	}
	return rows;
}

const shown = (rows) => itemsOf(foldAll(NO_ITEMS, rows));
const brief = (rows, ...names) => shown(rows).map((item) =>
	[item.kind, ...names.map((name) => item[name])]);

const STORY = rowsOf(
	["input", { prompt: "do it", input_id: "i1", images: ["data:image/png;base64,"] }],
	["start"], ["user_input", { content: "do it" }],
	["llm_call", { id: "l1", model: "m" }], ["thinking", { content: "hm" }],
	["assistant_delta", { id: "a1", content: "I will " }],
	["assistant_delta", { id: "a1", content: "do it" }],
	["assistant", { id: "a1", content: "I will do it." }],
	["llm_result", { id: "l1", usage: { input_tokens: 10, output_tokens: 3, cost: 0.1 } }],
	["tool_call", { tool_id: "c1", name: "sh", args: { a: 1 } }],
	["approval_needed", { tool: "sh", arguments: { a: 1 }, description: "may it?" }],
	["answer", { kind: "approval_needed", question: 11, answer: { approved: true } }],
	["tool_result", { tool_id: "c1", name: "sh", status: "success", result: "ok", timing_ms: 4 }],
	["more_input", { prompt: "and this", input_id: "i2", id: "x2" }],
	["user_input", { content: "and this", id: "x2", runtime_input: true }],
	["more_input", { prompt: "late", input_id: "i3", id: "x3" }],
	["plan", { entries: [{ content: "a", status: "pending" }] }],
	["plan", { entries: [{ content: "a", status: "completed" }] }],
	["llm_call", { id: "l2", model: "m2" }],
	["llm_result", { id: "l2", context_percent: 12,
		usage: { input_tokens: 20, output_tokens: 4, total_tokens: 30, cost: 0.2 } }],
	["progress", { percent: 5 }], ["turn_result", { reason: "natural" }],
	["done", { result: "All done", duration_ms: 70, input_id: "i1" }],
	["turn"], ["input", { prompt: "late", input_id: "i3" }],
	["user_input", { content: "late", id: "x3" }],
	["ask_user", { question: "Color?", options: ["red"], multi_select: false }],
	["tool_call", { tool_id: "c1", name: "sh" }], ["interrupt"],
	["failed", { reason: "timeout", message: "Unable to run agent", code: -32603 }],
	["turn"], ["input", { prompt: "again" }], ["ask_user", { question: "Which?" }],
);

test("a story is shown as items, in the order of their first rows", () => {
	const state = foldAll(NO_ITEMS, STORY);
	assert.deepEqual(itemsOf(state).map((item) => [item.turn, item.kind, item.state
		?? item.status ?? item.text ?? null]), [
		[1, "user", "taken"], [1, "thinking", "hm"], [1, "agent", "I will do it."],
		[1, "tool", "success"], [1, "approval", "answered"], [1, "user", "taken"],
		[1, "plan", null], [1, "unknown", null], [1, "agent", "All done"], [1, "end", null],
		[2, "user", "taken"], [2, "question", "over"], [2, "tool", "stopped"],
		[2, "note", ""], [2, "error", null],
		[3, "user", "taken"], [3, "question", "open"],
	]);
	assert.deepEqual([state.running, state.question.text, state.first, state.last],
		[3, "Which?", 1, STORY.length]);
	const end = itemOf(state, 1, "end");
	assert.deepEqual(end.usage, { input: 30, output: 7, total: 43, cost: 0.30000000000000004,
		calls: 2 });
	assert.deepEqual([end.ms, end.model, end.contextPercent, end.reason, end.inputId],
		[70, "m2", 12, "natural", "i1"]);
	const plan = itemOf(state, 1, "plan");
	assert.deepEqual([plan.entries[0].status, plan.isOver], ["completed", true]);
});

// A generator with a seed, so that a failure can be seen again.
function randomOf(seed) {
	let x = seed;
	return (n) => {
		x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
		return Math.floor((x / 2 ** 32) * n);
	};
}

function shuffled(rows, random) {
	const list = [...rows];
	for (let i = list.length - 1; i > 0; i--) {
		const j = random(i + 1);
		[list[i], list[j]] = [list[j], list[i]];
	}
	return list;
}

// What a view shows: not how the fold remembers.
const visible = (state) => [itemsOf(state).map(({ pieces, ...item }) => item), state.running,
	state.question, [...state.turns.values()].sort((a, b) => a.n - b.n).map((turn) =>
		[turn.n, turn.pos, turn.isOver, turn.isThinking, turn.usage, turn.model])];

test("rows in any order, doubled and late, give the same items", () => {
	const story = [...STORY, ...rowsOf(...Array.from({ length: 150 }, (_, i) =>
		["tool_call", { tool_id: `t${i % 75}`, name: "x" }])).map((row) =>
		({ ...row, pos: row.pos + STORY.length, turn: 3 }))];
	const wanted = visible(foldAll(NO_ITEMS, story));
	for (let seed = 1; seed <= 200; seed++) {
		const random = randomOf(seed);
		const doubled = story.flatMap((row) => (random(4) ? [row] : [row, structuredClone(row)]));
		let state = NO_ITEMS;
		for (const row of shuffled(doubled, random)) state = fold(state, row);
		assert.deepEqual(visible(state), wanted, `seed ${seed}`);
		for (const page of state.pages) assert.ok(page.length && page.length <= PAGE_ITEMS);
	}
});

test("older pages that come late give the same items as all rows in order", () => {
	const wanted = visible(foldAll(NO_ITEMS, STORY));
	for (const size of [1, 5, 13]) {
		let state = NO_ITEMS;
		for (let end = STORY.length; end > 0; end -= size)
			state = foldAll(state, STORY.slice(Math.max(0, end - size), end));
		assert.deepEqual(visible(state), wanted, `pages of ${size}`);
	}
});

test("a fold leaves the state before as it was", () => {
	let state = NO_ITEMS;
	for (const row of STORY) {
		const before = structuredClone(visible(state));
		const next = fold(state, row);
		assert.deepEqual(visible(state), before);
		state = next;
	}
	assert.deepEqual(itemsOf(NO_ITEMS), []);
});

test("only pages that changed are other arrays", () => {
	const rows = rowsOf(...Array.from({ length: 120 }, () => ["thinking", { content: "x" }]));
	const before = foldAll(NO_ITEMS, rows);
	const [added] = rowsOf(["thinking", { content: "y" }]);
	const after = fold(before, { ...added, pos: 121 });
	assert.deepEqual(before.pages.map((page) => page.length), [50, 50, 20]);
	assert.deepEqual(after.pages.map((page, i) => page === before.pages[i]), [true, true, false]);
});

test("pieces of a text grow, and the whole text takes their place", () => {
	const rows = rowsOf(["assistant_delta", { id: "a", content: "He" }],
		["assistant_delta", { id: "a", content: "llo" }],
		["assistant", { id: "a", content: "Hello!" }]);
	assert.deepEqual(brief(rows.slice(0, 2), "text", "isStreaming"), [["agent", "Hello", true]]);
	assert.deepEqual(brief(rows, "text", "isStreaming"), [["agent", "Hello!", false]]);
});

const RESULTS = [
	["equal to the last text is shown once", [["assistant", { content: "12\n" }],
		["done", { result: "12" }]], ["12\n"]],
	["other than the last text is shown after it", [["assistant", { content: "wait" }],
		["done", { result: "12" }]], ["wait", "12"]],
	["equal to an earlier text is shown after the last", [["assistant", { content: "12" }],
		["assistant", { content: "or so" }], ["done", { result: "12" }]], ["12", "or so", "12"]],
	["that is empty is not shown", [["done", { result: "" }]], []],
];

for (const [name, given, texts] of RESULTS)
	test(`a result ${name}`, () => assert.deepEqual(shown(rowsOf(...given))
		.filter((item) => item.kind === "agent").map((item) => item.text), texts));

test("a prompt that the agent did not take up begins the next turn, and is shown there", () => {
	const rows = rowsOf(["input", { prompt: "a" }],
		["more_input", { prompt: "b", input_id: "i", id: "x" }]);
	assert.deepEqual(brief(rows, "text", "state"), [["user", "a", "taken"],
		["user", "b", "waiting"]]);
	const later = [...rows, ...rowsOf(["turn"], ["input", { prompt: "b", input_id: "i" }])
		.map((row) => ({ ...row, pos: 3 }))];
	assert.deepEqual(brief(later, "text", "turn", "state"), [["user", "a", 1, "taken"],
		["user", "b", 2, "taken"]]);
});

test("a prompt that an interrupt discarded is shown as dropped", () => {
	const rows = rowsOf(["more_input", { prompt: "b", id: "x" }],
		["input_dropped", { id: "x", reason: "interrupted" }]);
	assert.deepEqual(brief(rows, "text", "state"), [["user", "b", "dropped"]]);
});

test("notes of one id are one item with the last state", () => {
	assert.deepEqual(brief(rowsOf(["compact", { id: "c", status: "compacting" }],
		["compact", { id: "c", status: "done" }], ["intent", { id: "d", ack: "Yes." }]),
	"what", "status", "text"), [["note", "compact", "done", ""], ["note", "intent", "", "Yes."]]);
});

test("a tool that is not allowed is shown with its call, or alone", () => {
	assert.deepEqual(brief(rowsOf(["tool_call", { tool_id: "c", name: "sh" }],
		["tool_blocked", { tool: "sh", tool_id: "c", message: "not allowed" }],
		["tool_blocked", { tool: "rm", message: "never" }]), "status", "result", "text"),
	[["tool", "blocked", "not allowed", undefined], ["note", "", undefined, "never"]]);
});

test("what a command wrote is one text, in order", () => {
	const rows = rowsOf(...["a\n", "b\n", "c\n"].map((content) =>
		["terminal_output", { content }]));
	for (const order of [rows, [rows[2], rows[0], rows[1], rows[0]]])
		assert.deepEqual(brief(order, "text"), [["terminal", "a\nb\nc\n"]]);
});

test("events of unknown types are kept, whatever their name and members", () => {
	const rows = rowsOf(["constructor", { x: 1 }], ["__proto__"], ["my_event", { kind: "user" }]);
	assert.deepEqual(shown(rows).map(({ kind, row }) => [kind, row.type]),
		[["unknown", "constructor"], ["unknown", "__proto__"], ["unknown", "my_event"]]);
});

test("members of the wrong type do no harm", () => {
	const types = ["input", "more_input", "user_input", "assistant", "assistant_delta", "thinking",
		"tool_call", "tool_result", "tool_blocked", "ask_user", "approval_needed", "plan_review",
		"answer", "plan", "compact", "intent", "eval", "files_received", "agent_image",
		"llm_call", "llm_result", "turn_result", "terminal_output", "command_status", "done"];
	for (const bad of [undefined, null, 7, "x", [], { a: [] }, [null]]) {
		const members = Object.fromEntries(["prompt", "images", "content", "name", "args", "result",
			"question", "options", "entries", "files", "image", "usage", "status", "answer",
			"arguments", "message", "model", "plan_content"].map((name) => [name, bad]));
		const items = shown(rowsOf(...types.map((type) => [type, members])));
		for (const item of items)
			for (const name of ["text", "summary", "name", "status", "message", "image", "tool"])
				assert.ok(["string", "undefined"].includes(typeof item[name]), `${item.kind} ${name}`);
	}
	for (const row of [{}, { pos: "1", type: "done" }, { pos: 0 }, { pos: -1 }, { pos: 1.5 }])
		assert.equal(fold(NO_ITEMS, row), NO_ITEMS);
});

test("rows that are not kept any more leave a divider", () => {
	const [first] = rowsOf(["thinking", { content: "x" }]);
	let state = foldMissed(fold(NO_ITEMS, first), 12);
	state = fold(state, { ...first, pos: 14 });
	assert.deepEqual(itemsOf(state).map((item) => [item.kind, item.missed]),
		[["thinking", undefined], ["note", 12], ["thinking", undefined]]);
});
