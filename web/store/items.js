// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// What a transcript shows, made of rows (doc/oip.txt section 15). fold() is a pure function,
// and the same rows in any order, doubled or late, give the same items.
//
// An item is {key, kind, turn, at, pos, ts, ...}: "at" is its place among the items, pos the
// position of its first row. By kind it has
//
//	user		text, images, inputId, isRuntime, state: "waiting" (the agent did not take
//			it up yet), "taken", "dropped"
//	agent		text, isStreaming
//	thinking	text, what
//	tool		toolId, name, args, summary, status: "running", "success", "error", "blocked",
//			"stopped" (its turn ended before it), result, ms
//	question	text, options, isMulti
//	approval	tool, args, text, toolId
//	review		text
//			these three also row, state: "open", "answered", "over", and answer
//	plan		entries, isOver
//	image, files	image (a data URL); files
//	terminal	text, of what a command wrote
//	error		reason, message, code, ms, inputId: the turn failed
//	end		ms, reason, inputId, usage: {input, output, total, cost, calls} or null, model,
//			contextPercent: the turn is done
//	note		what: "compact", "intent", "eval", "interrupt", "blocked", "command", "model",
//			"missed" (so many rows are not kept), status, text, row
//	unknown		row
//
// A turn is {n, pos, ts, end, isOver, isThinking, usage, model, contextPercent, ...}.
import { NO_KEYS } from "./keymap.js";
import { PagesDraft } from "./pages.js";

/** What is known of a session before its first row. */
export const NO_ITEMS = Object.freeze({
	pages: [], turns: new Map(), joined: new Map(), first: 0, last: 0, running: 0,
	question: null,
});

// What becomes of an item whose turn is over. Those that have a rule here are open until then.
const OVER = {
	tool: (item) => item.status === "running" && { status: "stopped" },
	agent: (item) => item.isStreaming && { isStreaming: false },
	question: (item) => item.state === "open" && { state: "over" },
	plan: (item) => !item.isOver && { isOver: true },
};
OVER.approval = OVER.review = OVER.question;

const NEW_TURN = { n: 0, pos: Infinity, ts: 0, end: null, isOver: false, reason: null,
	lastSaid: null, usages: new Map(), usage: null, model: null, contextPercent: null,
	calls: new Map(), isThinking: false, questions: [], answers: new Map(), index: NO_KEYS,
	open: NO_KEYS };

/**
 * Add a row.
 * @param {object} state NO_ITEMS, or what fold() gave; it stays as it is
 * @param {object} row
 * @returns {object} the state with it
 */
export const fold = (state, row) => foldAll(state, [row]);

/**
 * Add rows, in less time than one by one.
 * @param {object} state
 * @param {object[]} rows
 * @returns {object}
 */
export function foldAll(state, rows) {
	const draft = new Draft(state);
	for (const row of rows) draft.add(row);
	return draft.state();
}

/** All items. @param {object} state @returns {object[]} */
export const itemsOf = (state) => state.pages.flat();

/** The item of a key. @param {object} state @param {number} turn @param {string} key */
export function itemOf(state, turn, key) {
	const at = state.turns.get(turn)?.index.get(key);
	return at === undefined ? undefined : new PagesDraft(state.pages).at(at);
}

/**
 * A divider for rows that are not kept any more.
 * @param {object} state
 * @param {number} missed how many
 * @returns {object}
 */
export function foldMissed(state, missed) {
	const pos = state.last + 0.25;
	const draft = new Draft(state);
	draft.put(draft.turn(0), { key: `missed:${pos}`, kind: "note", what: "missed", pos, at: pos,
		ts: 0, text: "", status: "", missed });
	return draft.state();
}

const CONVERSATION = {
	user: (item) => ({ kind: "user", text: textOf(item.content), images: textsOf(item.images),
		isRuntime: false, state: "taken" }),
	agent: (item) => ({ kind: "agent", text: textOf(item.content), isStreaming: false }),
	thinking: (item) => ({ kind: "thinking", text: textOf(item.content), what: null }),
	tool_call: (item) => ({ ...NEW_TOOL, kind: "tool", toolId: item.id, name: textOf(item.name),
		args: item.args, summary: textOf(item.summary), result: item.result, ms: item.timing_ms,
		status: item.status === "error" ? "error" : "success" }),
	files_received: (item) => ({ kind: "files", files: objectsOf(item.files) }),
};

/**
 * A conversation whose rows are not kept: its chat_items (doc/oip.txt section 11) stand
 * before all rows, in turn 0.
 * @param {object} state
 * @param {object[]} chatItems
 * @returns {object}
 */
export function foldConversation(state, chatItems) {
	const draft = new Draft(state);
	const list = objectsOf(chatItems);
	list.forEach((item, i) => {
		const at = i - list.length;
		const members = Object.hasOwn(CONVERSATION, item.type) ? CONVERSATION[item.type](item)
			: { kind: "unknown", row: item };
		draft.put(draft.turn(0), { key: `before:${i}`, pos: at, at, ts: 0, ...members });
	});
	return draft.state();
}

class Draft {
	#old;
	#pages;
	#turns;
	#joined;
	#own = new Map(); // turns that were copied
	#hasChanged = false;
	#first;
	#last;

	constructor(state) {
		this.#old = state;
		this.#pages = new PagesDraft(state.pages);
		this.#turns = state.turns;
		this.#joined = state.joined;
		this.#first = state.first;
		this.#last = state.last;
	}

	add(row) {
		if (!Number.isSafeInteger(row.pos) || row.pos < 1) return;
		if (!this.#first || row.pos < this.#first) this.#first = row.pos;
		if (row.pos > this.#last) this.#last = row.pos;
		const turn = this.turn(row.turn ?? 0);
		if (row.pos < turn.pos) {
			turn.pos = row.pos;
			turn.ts = row.ts ?? 0;
		}
		(RULES.get(row.type) ?? unknown)(this, turn, row);
	}

	state() {
		if (!this.#own.size && !this.#hasChanged && this.#last === this.#old.last
			&& this.#first === this.#old.first) return this.#old;
		const turns = new Map(this.#turns);
		for (const [n, turn] of this.#own) turns.set(n, turn);
		let running = null;
		for (const turn of turns.values()) if (!running || turn.n > running.n) running = turn;
		const isRunning = running && running.n > 0 && !running.isOver;
		const open = isRunning ? this.#openQuestion(running) : null;
		return { pages: this.#pages.pages, turns, joined: this.#joined, first: this.#first,
			last: this.#last, running: isRunning ? running.n : 0, question: open };
	}

	#openQuestion(turn) {
		const open = turn.questions.map((key) => this.item(turn, key))
			.filter((item) => item.state === "open");
		return open.sort((a, b) => a.at - b.at).at(-1) ?? null;
	}

	/** The turn of a number, to be changed. */
	turn(n) {
		let turn = this.#own.get(n);
		if (!turn) {
			const old = this.#turns.get(n);
			turn = { ...(old ?? NEW_TURN), n };
			this.#own.set(n, turn);
		}
		return turn;
	}

	item(turn, key) {
		const at = turn.index.get(key);
		return at === undefined ? undefined : this.#pages.at(at);
	}

	/** Put an item where it belongs, in the place of the one with its key. */
	put(turn, item) {
		const at = turn.index.get(item.key);
		item.turn = turn.n;
		this.#hasChanged = true;
		const over = OVER[item.kind]?.(item);
		if (over && turn.isOver) Object.assign(item, over);
		else if (over) turn.open = turn.open.with(item.key, true);
		else turn.open = turn.open.without(item.key);
		if (at === item.at) return this.#pages.replace(item);
		if (at !== undefined) this.#pages.remove(at);
		turn.index = turn.index.with(item.key, item.at);
		return this.#pages.insert(item);
	}

	remove(turn, key) {
		const at = turn.index.get(key);
		if (at === undefined) return;
		this.#pages.remove(at);
		turn.index = turn.index.without(key);
		this.#hasChanged = true;
	}

	/**
	 * Change the item of a key, or begin it. The change gets the members known so far, and gives
	 * some more; pos and ts are those of the first row.
	 */
	change(turn, key, kind, row, change) {
		const old = this.item(turn, key);
		const isFirst = !old || row.pos < old.pos;
		const base = old ?? { key, kind };
		this.put(turn, { ...base, ...change(base), pos: isFirst ? row.pos : old.pos,
			at: isFirst ? row.pos : old.at, ts: isFirst ? row.ts : old.ts });
	}

	/** The prompts that joined a turn and those that began one, by input_id. */
	join(id, change) {
		const joined = new Map(this.#joined);
		const both = { ...joined.get(id), ...change };
		joined.set(id, both);
		this.#joined = joined;
		this.#hasChanged = true;
		// One that no turn took up began the next: it is shown there alone.
		if (both.began && both.more) this.remove(this.turn(both.more.turn), both.more.key);
		return both;
	}
}

const textOf = (value) => (typeof value === "string" ? value
	: value === undefined || value === null ? "" : JSON.stringify(value));
const listOf = (value) => (Array.isArray(value) ? value : []);
const textsOf = (value) => listOf(value).map(textOf);
const objectsOf = (value) => listOf(value).filter((each) => each && typeof each === "object");
const copyOf = (map, key, value) => new Map(map).set(key, value);

// ---- pieces: texts that come in parts ----

function withPiece(old, row, text) {
	const pieces = old.pieces ?? [];
	const last = pieces.at(-1);
	if (!last || row.pos > last.pos)
		return { pieces: [...pieces, { pos: row.pos, text }], text: (old.text ?? "") + text };
	if (pieces.some((piece) => piece.pos === row.pos)) return {};
	const sorted = [...pieces, { pos: row.pos, text }].sort((a, b) => a.pos - b.pos);
	return { pieces: sorted, text: sorted.map((piece) => piece.text).join("") };
}

// ---- what was said ----

function input(draft, turn, row) {
	if (row.input_id !== undefined) draft.join(row.input_id, { began: true });
	draft.change(turn, "input", "user", row, (old) => ({
		text: textOf(row.prompt), images: textsOf(row.images), inputId: row.input_id,
		isRuntime: false, state: old.state ?? "taken", isFromInput: true,
	}));
}

function moreInput(draft, turn, row) {
	const key = `more:${row.id}`;
	if (row.input_id !== undefined
		&& draft.join(row.input_id, { more: { turn: turn.n, key } }).began) return;
	draft.change(turn, key, "user", row, (old) => ({
		text: textOf(row.prompt), images: [], inputId: row.input_id, isRuntime: true,
		state: old.state ?? "waiting", isFromInput: true,
	}));
}

function userInput(draft, turn, row) {
	const key = row.runtime_input ? `more:${row.id}` : "input";
	const text = textOf(row.content);
	draft.change(turn, key, "user", row, (old) => ({
		text: old.isFromInput ? old.text : text, images: old.images ?? [],
		isRuntime: row.runtime_input === true, state: "taken",
	}));
}

function inputDropped(draft, turn, row) {
	draft.change(turn, `more:${row.id}`, "user", row, (old) => ({
		text: old.text ?? "", images: old.images ?? [], isRuntime: true, state: "dropped",
	}));
}

// The result is an item of its own, unless the last text of the turn said it already.
function showResult(draft, turn) {
	const { end, lastSaid } = turn;
	const text = end?.type === "done" ? textOf(end.result) : "";
	if (!text || lastSaid?.text.trim() === text.trim()) return draft.remove(turn, "result");
	return draft.put(turn, { key: "result", kind: "agent", text, isStreaming: false,
		pos: end.pos, at: end.pos - 0.5, ts: end.ts });
}

function assistant(draft, turn, row) {
	const text = textOf(row.content);
	draft.change(turn, `said:${row.id}`, "agent", row, (old) => (old.said > row.pos ? {}
		: { text, said: row.pos, isStreaming: false, pieces: undefined }));
	if (!turn.lastSaid || row.pos >= turn.lastSaid.pos) turn.lastSaid = { pos: row.pos, text };
	if (turn.end) showResult(draft, turn);
}

function assistantDelta(draft, turn, row) {
	draft.change(turn, `said:${row.id}`, "agent", row, (old) => (old.said ? {}
		: { ...withPiece(old, row, textOf(row.content)), isStreaming: true }));
}

function thinking(draft, turn, row) {
	draft.change(turn, `thinking:${row.pos}`, "thinking", row,
		() => ({ text: textOf(row.content), what: row.kind ?? null }));
}

function image(draft, turn, row) {
	draft.change(turn, `image:${row.pos}`, "image", row, () => ({ image: textOf(row.image) }));
}

function files(draft, turn, row) {
	draft.change(turn, `files:${row.pos}`, "files", row, () => ({ files: objectsOf(row.files) }));
}

function terminal(draft, turn, row) {
	draft.change(turn, `terminal:${row.command_id ?? ""}`, "terminal", row,
		(old) => withPiece(old, row, textOf(row.content)));
}

// ---- tools ----

const NEW_TOOL = { name: "", args: undefined, summary: "", status: "running", result: undefined,
	ms: undefined, hasResult: false };

function toolCall(draft, turn, row) {
	draft.change(turn, `tool:${row.tool_id}`, "tool", row, (old) => ({
		...NEW_TOOL, ...old, toolId: row.tool_id, name: textOf(row.name),
		args: row.args ?? old.args, summary: textOf(row.summary),
		status: old.hasResult ? old.status : "running",
	}));
}

function toolResult(draft, turn, row) {
	draft.change(turn, `tool:${row.tool_id}`, "tool", row, (old) => ({
		...NEW_TOOL, ...old, toolId: row.tool_id, name: old.name || textOf(row.name),
		args: old.args ?? row.args, status: row.status === "error" ? "error" : "success",
		result: row.result, ms: row.timing_ms, hasResult: true,
	}));
}

function toolBlocked(draft, turn, row) {
	const id = row.tool_id ?? row.tool_call_id;
	const text = textOf(row.message ?? row.reason);
	if (id === undefined) return note("blocked", () => text)(draft, turn, row);
	return draft.change(turn, `tool:${id}`, "tool", row, (old) => ({
		...NEW_TOOL, ...old, toolId: id, name: old.name || textOf(row.tool), status: "blocked",
		result: old.result ?? text, hasResult: true,
	}));
}

// ---- questions ----

function question(kind, members) {
	return (draft, turn, row) => {
		const key = `question:${row.pos}`;
		if (!turn.questions.includes(key)) turn.questions = [...turn.questions, key];
		draft.change(turn, key, kind, row, () => ({ ...members(row), row,
			state: turn.answers.has(row.pos) ? "answered" : "open",
			answer: turn.answers.get(row.pos)?.answer }));
	};
}

function answer(draft, turn, row) {
	// The first answer counts.
	if (turn.answers.get(row.question)?.pos <= row.pos) return;
	turn.answers = copyOf(turn.answers, row.question, { pos: row.pos, answer: row.answer });
	const asked = draft.item(turn, `question:${row.question}`);
	if (asked) draft.put(turn, { ...asked, state: "answered", answer: row.answer });
}

// ---- plans and notes ----

function plan(draft, turn, row) {
	draft.change(turn, "plan", "plan", row, (old) => (old.seen > row.pos ? {}
		: { entries: objectsOf(row.entries), seen: row.pos, isOver: false }));
}

// A note whose rows share an id: the last one is shown.
function note(what, text, keyOf = (row) => row.pos) {
	return (draft, turn, row) => draft.change(turn, `${what}:${keyOf(row)}`, "note", row,
		(old) => (old.seen > row.pos ? {}
			: { what, text: textOf(text(row)), status: textOf(row.status), row, seen: row.pos }));
}

const byId = (row) => row.id;

function unknown(draft, turn, row) {
	draft.change(turn, `row:${row.pos}`, "unknown", row, () => ({ row }));
}

// ---- models and the end ----

const count = (value) => (Number.isFinite(value) ? value : 0);

function sumOf(usages) {
	if (!usages.size) return null;
	const sum = { input: 0, output: 0, total: 0, cost: 0, calls: 0 };
	for (const usage of usages.values()) {
		const [input, output] = [count(usage.input_tokens), count(usage.output_tokens)];
		sum.input += input;
		sum.output += output;
		sum.total += count(usage.total_tokens) || input + output;
		sum.cost += count(usage.cost);
		sum.calls++;
	}
	return sum;
}

function addUsage(turn, key, usage) {
	if (!usage || typeof usage !== "object" || turn.usages.has(key)) return;
	turn.usages = copyOf(turn.usages, key, usage);
	// Sums in the order of the keys: additions of fractions depend on it.
	const calls = [...turn.usages].filter(([name]) => name !== "turn")
		.sort(([a], [b]) => a - b);
	turn.usage = sumOf(calls.length ? new Map(calls) : turn.usages);
}

function llmCall(draft, turn, row) {
	if (!(turn.calls.get(row.id)?.pos >= row.pos))
		turn.calls = copyOf(turn.calls, row.id, { pos: row.pos, isRunning: true });
	modelIs(turn, row);
	showEnd(draft, turn);
}

function llmResult(draft, turn, row) {
	if (!(turn.calls.get(row.id)?.pos > row.pos))
		turn.calls = copyOf(turn.calls, row.id, { pos: row.pos, isRunning: false });
	addUsage(turn, row.pos, row.usage);
	modelIs(turn, row);
	if (row.status === "error")
		note("model", () => textOf(row.error))(draft, turn, row);
	showEnd(draft, turn);
}

function modelIs(turn, row) {
	turn.isThinking = !turn.isOver && [...turn.calls.values()].some((call) => call.isRunning);
	latest(turn, "model", row, row.model);
	latest(turn, "contextPercent", row, row.context_percent);
}

// The value of the newest row that has one.
function latest(turn, name, row, value) {
	const at = `${name}At`;
	if (value === undefined || turn[at] > row.pos) return;
	turn[at] = row.pos;
	turn[name] = value;
}

function turnResult(draft, turn, row) {
	latest(turn, "reason", row, row.reason);
	addUsage(turn, "turn", row.usage);
	showEnd(draft, turn);
}

function showEnd(draft, turn) {
	const { end, usage, model, contextPercent, reason } = turn;
	if (!end) return;
	const base = { key: "end", pos: end.pos, at: end.pos, ts: end.ts, ms: end.duration_ms,
		inputId: end.input_id, usage, model, contextPercent };
	draft.put(turn, end.type === "done" ? { ...base, kind: "end", reason }
		: { ...base, kind: "error", reason: textOf(end.reason), message: textOf(end.message),
			code: end.code });
}

function end(draft, turn, row) {
	if (turn.end?.pos < row.pos) return;
	turn.end = row;
	turn.isOver = true;
	turn.isThinking = false;
	showResult(draft, turn);
	showEnd(draft, turn);
	for (const key of turn.open.keys()) {
		const item = draft.item(turn, key);
		if (item) draft.put(turn, { ...item });
	}
	turn.open = NO_KEYS;
}

const nothing = () => {};

const RULES = new Map(Object.entries({
	input,
	more_input: moreInput,
	user_input: userInput,
	input_dropped: inputDropped,
	assistant,
	assistant_delta: assistantDelta,
	thinking,
	agent_image: image,
	files_received: files,
	terminal_output: terminal,
	tool_call: toolCall,
	tool_result: toolResult,
	tool_blocked: toolBlocked,
	ask_user: question("question", (row) => ({ text: textOf(row.question ?? row.text),
		options: textsOf(row.options), isMulti: row.multi_select === true })),
	approval_needed: question("approval", (row) => ({ tool: textOf(row.tool),
		args: row.arguments, text: textOf(row.description), toolId: row.tool_call_id })),
	plan_review: question("review", (row) => ({ text: textOf(row.plan_content) })),
	answer,
	plan,
	compact: note("compact", (row) => textOf(row.error), byId),
	intent: note("intent", (row) => textOf(row.ack ?? row.summary), byId),
	eval: note("eval", (row) => textOf(row.summary ?? row.reason), byId),
	interrupt: note("interrupt", () => ""),
	command_status: note("command", (row) => textOf(row.error), (row) => row.command_id ?? ""),
	llm_call: llmCall,
	llm_result: llmResult,
	turn_result: turnResult,
	done: end,
	failed: end,
	start: nothing,
	checkpoint: nothing,
}));
