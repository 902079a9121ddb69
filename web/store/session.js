// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// One session as signals: what was kept is painted first, then the connection brings what is
// new, and older pages come when they are asked for.
import { batch, computed, signal } from "@preact/signals-core";
import { newUuid } from "../oip/canonical.js";
import { Talk } from "../oip/talk.js";
import { NO_ITEMS, foldAll, foldConversation, foldMissed, itemOf } from "./items.js";
import { KEPT_ROWS, keptOf } from "./kept.js";

const PAGE_ROWS = 200;
const SAVE_MS = 1000;
const DRAFT_MS = 300;
const TITLE_CHARACTERS = 60;

const IDLE = Object.freeze({ phase: "idle", why: null, retryAt: null, isNew: false, unsent: [],
	isSealed: false, aheadMs: 0, onboard: null, modes: [], mode: null, turnsLeft: null, title: "",
	epoch: 0, head: 0, first: 0, profile: null, dashboard: null, isStopping: false, level: "" });

// The first words of a text, on one line.
function titleOf(text) {
	const line = text.trim().replace(/\s+/g, " ");
	if (line.length <= TITLE_CHARACTERS) return line;
	return line.slice(0, TITLE_CHARACTERS).replace(/\s\S*$/, "") + "…";
}

/**
 * Open a session.
 * @param {object} o
 * @param {object} o.host see host.js
 * @param {string|null} o.id null: a new one, which the server knows once something was said
 * @param {string} [o.newId] its id, if it was opened before
 * @returns {Session}
 * @typedef {object} Session its members but the functions are signals
 * @property {string} id
 * @property {object[][]} pages of items
 * @property {string} title
 * @property {boolean} isNew whether nothing was said in it
 * @property {{isRunning: boolean, since: number, isThinking: boolean}} turn since: in ms of our
 *	clock, 0 if none runs
 * @property {object|null} question the item that waits for an answer
 * @property {object|null} plan the item of the running turn
 * @property {{tokens: number, cost: number}} usage of all turns that are there
 * @property {boolean} hasOlder whether there are items that older() brings
 * @property {number} first the position of the oldest row that is there
 * @property {object} state of the connection, see TalkState
 * @property {string} draft what was typed and not sent; to be written
 * @property {object|null} problem the last refusal: a Why; input: what was not taken
 */
export function openSession({ host, id: given, newId }) {
	const id = given ?? newId ?? newUuid();
	const state = signal(IDLE);
	const folded = signal(NO_ITEMS);
	const draft = signal("");
	const named = signal("");
	const hasOlder = signal(false);
	const problem = signal(null);
	const { clock, soon } = host;
	const early = []; // inputs that came before the connection was begun
	let [talk, key, kept, isOver] = [null, "", [], false];
	let [arrived, isLoading, hasGreeted] = [[], false, false];
	let conversation = []; // what stands for rows that are lost
	let [refusal, hasTold] = [null, false]; // of the WebSocket itself
	let saveTimer = null;
	let draftTimer = null;
	let keptDraft = "";

	// ---- rows ----

	function take() {
		const rows = arrived;
		arrived = [];
		if (!rows.length) return;
		batch(() => { folded.value = foldAll(folded.value, rows); });
		keep(rows);
		if (rows.some(({ type }) => CHANGES.has(type))) host.sessions.changed();
	}

	function keep(rows) {
		kept.push(...rows);
		if (kept.length > 2 * KEPT_ROWS) kept = kept.slice(-KEPT_ROWS);
		saveTimer ??= clock.setTimeout(save, SAVE_MS);
	}

	function saveDraft() {
		clock.clearTimeout(draftTimer);
		const text = draft.peek();
		if (!key || text === keptDraft) return;
		keptDraft = text;
		if (text) host.disk.put("drafts", key, text);
		else host.disk.remove("drafts", key);
	}

	function save() {
		saveDraft();
		clock.clearTimeout(saveTimer);
		saveTimer = null;
		if (kept.length && key) host.disk.put("rows", key, keptOf(state.value.epoch, kept));
	}

	function forget() {
		take();
		folded.value = NO_ITEMS;
		kept = [];
		clock.clearTimeout(saveTimer);
		saveTimer = null;
		host.disk.remove("rows", key);
		host.sessions.changed();
	}

	async function older() {
		const { first, pages } = folded.value;
		if (isLoading || !talk || (pages.length && !hasOlder.value)) return;
		isLoading = true;
		try {
			const before = first || state.value.head + 1;
			const page = await talk.page({ before, limit: PAGE_ROWS });
			kept = [...page.rows, ...kept].slice(-KEPT_ROWS);
			batch(() => {
				folded.value = foldAll(folded.value, page.rows);
				hasOlder.value = page.before !== null && page.rows.length > 0;
			});
			saveTimer ??= clock.setTimeout(save, SAVE_MS);
		} catch {
			// The session was left, or is refused: state says so.
		} finally {
			isLoading = false;
		}
	}

	// Rows of which only a part was kept come whole.
	async function complete() {
		const parts = kept.filter((row) => row.isPart);
		if (!parts.length) return;
		let after = parts[0].pos - 1;
		while (after < parts.at(-1).pos) {
			const { rows } = await talk.page({ after, limit: PAGE_ROWS });
			if (!rows.length) return;
			after = rows.at(-1).pos;
			const whole = new Map(rows.map((row) => [row.pos, row]));
			kept = kept.map((row) => whole.get(row.pos) ?? row);
			folded.value = foldAll(folded.value, rows);
		}
	}

	function greeted() {
		if (hasGreeted) return;
		hasGreeted = true;
		const { first, pages } = folded.value;
		if (!pages.length && state.value.head > 0) older();
		else hasOlder.value = first > state.value.first && state.value.first > 0;
		complete().catch(() => {});
	}

	// ---- the connection ----

	function onState(next) {
		const { unsent } = state.value;
		if (next.phase === "ready") [hasTold, refusal] = [true, null];
		state.value = refusal ? { ...next, phase: "refused", why: refusal } : next;
		if (next.phase === "waiting" && !hasTold) learnRefusal();
		if (next.unsent !== unsent) keepUnsent(next.unsent);
		if (next.phase === "ready") greeted();
		if (next.why?.word === "deleted") forget();
		if (next.level) host.level.value = next.level;
	}

	// A browser does not tell why a WebSocket was refused; the same by POST has the reason.
	async function learnRefusal() {
		hasTold = true;
		const { http } = await host.whenReady;
		const error = await http.post("/ws", {}).catch((e) => e);
		if (error?.status !== 403 || state.value.phase === "ready") return;
		refusal = { word: "other", message: error.message };
		state.value = { ...state.value, phase: "refused", why: refusal };
	}

	function keepUnsent(unsent) {
		if (unsent.length) host.disk.put("unsent", key, unsent.map(({ why, ...input }) => input));
		else host.disk.remove("unsent", key);
	}

	function onReset({ missed, isVoid }) {
		take();
		folded.value = isVoid ? foldConversation(NO_ITEMS, conversation)
			: foldMissed(folded.value, missed);
		if (isVoid) kept = [];
		hasOlder.value = false;
	}

	function onInput({ input, isAccepted, why }) {
		if (isAccepted) return;
		problem.value = { ...why, input };
		if (!draft.value) draft.value = input.prompt;
	}

	async function begin() {
		const identity = await host.whenOwn;
		key = `${identity.address}/${id}`;
		const [old, text, unsent] = await Promise.all(["rows", "drafts", "unsent"]
			.map((table) => host.disk.get(table, key)));
		if (isOver) return;
		if (old?.rows?.length) {
			kept = old.rows;
			batch(() => {
				folded.value = foldAll(NO_ITEMS, kept);
				hasOlder.value = kept[0].pos > 1;
			});
		}
		keptDraft = text ?? "";
		if (text && !draft.value) draft.value = text;
		const { to, url, seal, aheadMs } = await host.whenReady;
		if (isOver) return;
		const cursor = kept.length ? { epoch: old.epoch, pos: kept.at(-1).pos } : undefined;
		talk = new Talk({
			url, identity, to, session: id, cursor, seal, aheadMs, unsent: unsent ?? [],
			WebSocket: host.WebSocket, clock,
			measureClock: host.measureClock,
			onRow(row) {
				if (arrived.push(row) === 1) soon(take);
			},
			onState, onReset, onInput,
			onConversation(items) {
				conversation = items;
				if (!folded.value.pages.length)
					folded.value = foldConversation(folded.value, items);
			},
			onError(why) {
				problem.value = why;
			},
			onFrame: host.onFrame,
		});
		state.value = talk.state;
		for (const input of early.splice(0)) talk.send(input);
		talk.start();
	}

	const begun = begin();
	begun.catch((e) => {
		state.value = { ...state.value, phase: "refused",
			why: { word: "other", message: e.message } };
	});

	// ---- what is shown ----

	const isNew = computed(() => !folded.value.pages.length && !state.value.unsent.length
		&& (given === null || state.value.isNew));
	const turn = computed(() => {
		const { running, turns } = folded.value;
		if (!running) return { isRunning: false, since: 0, isThinking: false };
		const { ts, isThinking } = turns.get(running);
		return { isRunning: true, since: ts * 1000 - state.value.aheadMs, isThinking };
	});
	const firstPrompt = computed(() => folded.value.pages[0]
		?.find((item) => item.kind === "user")?.text ?? state.value.unsent[0]?.prompt ?? "");
	const usage = computed(() => {
		const sum = { tokens: 0, cost: 0 };
		for (const each of folded.value.turns.values()) {
			sum.tokens += each.usage?.total ?? 0;
			sum.cost += each.usage?.cost ?? 0;
		}
		return sum;
	});

	// A draft is kept soon after it was typed, and forgotten when it is empty.
	const stopDraft = draft.subscribe(() => {
		clock.clearTimeout(draftTimer);
		draftTimer = clock.setTimeout(saveDraft, DRAFT_MS);
	});

	return {
		id, draft, state, hasOlder, problem, isNew, turn, usage,
		pages: computed(() => folded.value.pages),
		first: computed(() => folded.value.first),
		title: computed(() => named.value || state.value.title || titleOf(firstPrompt.value)),
		question: computed(() => folded.value.question),
		plan: computed(() => {
			const { running } = folded.value;
			return (running && itemOf(folded.value, running, "plan")) || null;
		}),
		/** Say something. @param {{prompt: string, images?: string[], files?: object[]}} input */
		send(input) {
			problem.value = null;
			if (talk) return talk.send(input);
			early.push(input);
			state.value = { ...state.value, unsent: early.map((each, i) => ({ why: null,
				id: `early-${i}`, ...each })) };
			return undefined;
		},
		/** Answer a question. @param {object} item @param {*} value see Talk.answer() */
		answer: (item, value) => talk?.answer(item.row, value),
		/** Take back an input that was not sent; its text is the draft again. */
		takeBack(input) {
			if (talk?.takeBack(input.id) && !draft.value) draft.value = input.prompt;
		},
		interrupt: () => talk?.interrupt(),
		setMode: (mode, turns) => talk?.setMode(mode, turns),
		onboard: (answer) => talk?.onboard(answer),
		retry: () => talk?.retry(),
		wake: () => talk?.wake(),
		/** Send another signed command. @param {object} command */
		command: (command) => talk?.command(command),
		/** Send one that has an answer. @param {object} command @returns {Promise<object>} */
		ask: (command) => begun.then(() => talk.ask(command)),
		older,
		/** Show another title, which the server has. @param {string} title */
		rename(title) { named.value = title; },
		/** Keep now what is to be kept: the page may go. */
		save,
		/** Leave it. */
		close() {
			if (isOver) return;
			take();
			save();
			isOver = true;
			stopDraft();
			talk?.close();
			host.closed(id);
		},
	};
}

// Rows after which the list of sessions shows something else.
const CHANGES = new Set(["input", "done", "failed", "answer", "ask_user", "approval_needed",
	"plan_review"]);
