// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The connection of one session: it is kept, made again when it breaks, and loses and doubles
// nothing (doc/oip.txt sections 1 to 10 and 15). Phases:
//
//	idle -> opening -> [sealing] -> greeting -> ready
//	any of these -> waiting -> opening		the line broke, or the server is busy
//	greeting -> onboarding -> ready			a code or a payment is asked for
//	any -> refused					until retry(); a person has to do something
//
// The owner gives a hint, wake(), when the network or the page is back.
import { randomHex, signed } from "./canonical.js";
import { answerOf, listOf, parseFrame, textOf } from "./frames.js";
import { Line, systemClock } from "./line.js";
import { why, whyClosed, whyOf } from "./why.js";

const BACKOFF_MS = [250, 500, 1000, 2000, 4000, 8000];
const ANSWER_MS = 10_000; // for SEALED_OK, CONNECTED
const PROBE_MS = 3000;
const STEADY_MS = 5000; // a line that lived so long did not fail
/** The most inputs that may wait to be sent. */
export const UNSENT_MAX = 100;

/**
 * @typedef {object} TalkState replaced as a whole when something changes
 * @property {"idle"|"opening"|"sealing"|"greeting"|"onboarding"|"ready"|"waiting"|"refused"
 *	} phase
 * @property {import("./why.js").Why|null} why of waiting and refused, or of a refused code
 * @property {number|null} retryAt of waiting: when it goes on, in ms of the clock
 * @property {string} session its id
 * @property {boolean} isNew whether nothing was said in it yet
 * @property {boolean} isSealed
 * @property {number} aheadMs how far the server's clock is ahead of ours
 * @property {object|null} onboard {methods, payment_amount, payment_address} of onboarding
 * @property {{id: string, name: string}[]} modes that the session may have
 * @property {string|null} mode
 * @property {number|null} turnsLeft of a mode for some turns
 * @property {string} level of a caller that answered what the door asks
 * @property {string} title
 * @property {number} epoch and
 * @property {number} head: newest position, of the journal as CONNECTED said
 * @property {number} first oldest position that is kept
 * @property {object|null} profile AGENT_PROFILE
 * @property {string|null} dashboard HTML of DASHBOARD_SNAPSHOT; never part of a document
 * @property {object[]} unsent inputs that the server did not acknowledge yet, the oldest first:
 *	{id, prompt, images, files, why}
 * @property {boolean} isStopping whether an interrupt is under way
 */

export class Talk {
	#o;
	#clock;
	#line = null;
	#seal = null;
	#finishSeal = null;
	#state;
	#sending = Promise.resolve(); // commands are signed and sent one after another
	#timer = null; // of the back-off, or of an answer that is awaited
	#attempt = 0; // since a line brought a row, or was steady
	#readyAt = Infinity; // when this line became ready
	#hasCorrected = false; // the clock, since the last CONNECTED
	#last; // position of the newest row that came
	#epoch;
	#turn = 0; // the newest, and
	#stopped = 0; // the one that is to stop
	#answers = new Map(); // position of a question -> the command that answers it
	#inFlight = null; // id of the input that was sent on this line
	#inputTimer = null;
	#asked = new Map(); // request_id -> {resolve, reject, command}
	#isOver = false;

	/**
	 * @param {object} o
	 * @param {string} o.url ws:// or wss:// of the server's /ws
	 * @param {object} o.identity who speaks, see identity/key.js
	 * @param {string} o.to address of the host
	 * @param {string} o.session its id; a new session begins with a new id (newUuid())
	 * @param {{epoch: number, pos: number}} [o.cursor] the newest row that is there already
	 * @param {boolean} [o.seal] whether to seal the connection
	 * @param {object[]} [o.unsent] inputs of an earlier visit: {id, prompt, images, files}
	 * @param {number} [o.aheadMs] how far the server's clock is ahead
	 * @param {function(): Promise<number>} [o.measureClock] how far it is, asked for when the
	 *	server says that a signature is stale
	 * @param {Function} [o.WebSocket]
	 * @param {object} [o.clock]
	 * @param {function(object): void} o.onRow a row that did not come before, in order
	 * @param {function({missed: number|null, isVoid: boolean}): void} [o.onReset] rows that are
	 *	not kept any more; isVoid: all rows that were known are void
	 * @param {function(object[]): void} [o.onConversation] the conversation as chat_items, where
	 *	its rows are not kept
	 * @param {function(TalkState): void} o.onState
	 * @param {function({id: string, input: object, isAccepted: boolean, why: object|null}): void
	 *	} [o.onInput] an input was taken or refused: it need not be kept any more
	 * @param {function(object): void} [o.onError] the server refused something: a Why
	 * @param {function(object): void} [o.onFrame] other frames: EXEC_RESULT, ADMIN_RESULT, ...
	 */
	constructor({ clock = systemClock, ...o }) {
		const ignore = () => {};
		this.#o = { WebSocket: globalThis.WebSocket, onReset: ignore, onConversation: ignore,
			onInput: ignore, onError: ignore, onFrame: ignore, ...o };
		this.#clock = clock;
		this.#last = o.cursor?.pos ?? null;
		this.#epoch = o.cursor?.epoch ?? null;
		this.#state = {
			phase: "idle", why: null, retryAt: null, session: o.session, isNew: false,
			isSealed: false, aheadMs: o.aheadMs ?? 0, onboard: null, modes: [], mode: null,
			turnsLeft: null, title: "", epoch: this.#epoch ?? 0, head: this.#last ?? 0, first: 0,
			profile: null, dashboard: null, isStopping: false, level: "",
			unsent: (o.unsent ?? []).map((input) => ({ why: null, ...input })),
		};
	}

	/** @returns {TalkState} */
	get state() {
		return this.#state;
	}

	/** Connect. */
	start() {
		if (this.#state.phase === "idle") this.#open();
	}

	/**
	 * The network or the page is back: what waits goes on now, and what seems connected is asked
	 * for a sign of life.
	 */
	wake() {
		if (this.#state.phase === "waiting") this.#open();
		else if (this.#line) this.#line.probe(PROBE_MS);
	}

	/** A person did something about the refusal: try again. */
	retry() {
		if (this.#state.phase === "refused" || this.#state.phase === "waiting") this.#open();
	}

	/** End it. Nothing is called after this. */
	close() {
		this.#isOver = true;
		this.#drop();
		this.#failAsked("The session was left.");
	}

	/**
	 * Say something. It is sent now or as soon as the line is back, and again until the server
	 * acknowledged it; it is run once.
	 * @param {{prompt: string, images?: string[], files?: {name: string, data: string}[],
	 *	id?: string}} input images and files are data URLs
	 * @returns {string} its input_id
	 * @throws {RangeError} if UNSENT_MAX inputs wait already
	 */
	send({ prompt, images, files, id = randomHex() }) {
		const { unsent } = this.#state;
		if (unsent.length >= UNSENT_MAX)
			throw new RangeError(`${UNSENT_MAX} messages wait to be sent; wait until some were.`);
		this.#set({ unsent: [...unsent, { id, prompt, images, files, why: null }] });
		this.#sendInput();
		return id;
	}

	/** Take back an input that was not sent yet. @param {string} id @returns {boolean} */
	takeBack(id) {
		if (id === this.#inFlight || !this.#state.unsent.some((input) => input.id === id))
			return false;
		this.#set({ unsent: this.#state.unsent.filter((input) => input.id !== id) });
		return true;
	}

	/**
	 * Answer a question; sent again after a lost line until its row "answer" came.
	 * @param {object} row of ask_user, approval_needed or plan_review
	 * @param {*} value to ask_user: a text or an array of texts; to approval_needed: {approved,
	 *	scope: "once"|"session", mode: "reject_soft"|"reject_hard"|"reject_explain", feedback}; to
	 *	plan_review: the text
	 * @throws {TypeError} if the row asks nothing
	 */
	answer(row, value) {
		const command = answerOf(row, value);
		this.#answers.set(row.pos, command);
		if (this.#state.phase === "ready") this.#command(command);
	}

	/** Ask the running turn to stop, as soon as there is a line. */
	interrupt() {
		this.#stopped = this.#turn;
		this.#set({ isStopping: true });
		if (this.#state.phase === "ready") this.#command({ type: "INTERRUPT" });
	}

	/**
	 * Set the mode of the session, between turns.
	 * @param {string} mode
	 * @param {number} [turns] of full-access
	 */
	setMode(mode, turns) {
		this.#command({ type: "mode_change", mode, turns });
	}

	/**
	 * Answer what the door asks.
	 * @param {{code?: string, payment?: *}} o
	 */
	async onboard({ code, payment }) {
		const payload = { ...this.#envelope(), type: "ONBOARD_SUBMIT", invite_code: code, payment };
		this.#set({ why: null });
		this.#say({ type: "ONBOARD_SUBMIT", ...await this.#signed(payload) });
	}

	/**
	 * A page of rows that are older, or newer.
	 * @param {{before?: number, after?: number, limit?: number}} query
	 * @returns {Promise<{rows: object[], before: number|null, after: number|null}>} fails when
	 *	the session is left or the server refuses
	 */
	page(query) {
		return this.ask({ type: "ROWS", ...query });
	}

	/**
	 * Send a command that has an answer of its own: ROWS, SESSIONS, RENAME, DELETE. It is sent
	 * again after a lost line.
	 * @param {object} command {type, ...members}
	 * @returns {Promise<object>} the answer; fails when the session is left, or as the server says
	 */
	ask(command) {
		return new Promise((resolve, reject) => {
			const id = randomHex(8);
			if (this.#state.phase === "refused")
				return reject(new Error(this.#state.why.message));
			this.#asked.set(id, { resolve, reject, command: { ...command, request_id: id } });
			return this.#state.phase === "ready" && this.#command(this.#asked.get(id).command);
		});
	}

	/** Send another signed command. @param {object} command {type, ...members} */
	command(command) {
		this.#command(command);
	}

	// ---- the state ----

	#set(changes) {
		this.#state = { ...this.#state, ...changes };
		if (!this.#isOver) this.#o.onState(this.#state);
	}

	#after(ms, then) {
		this.#clock.clearTimeout(this.#timer);
		this.#timer = then && this.#clock.setTimeout(then, ms);
	}

	#drop() {
		this.#after(0, null);
		this.#clock.clearTimeout(this.#inputTimer);
		this.#line?.close();
		this.#line = this.#seal = this.#finishSeal = this.#inFlight = null;
	}

	#refuse(reason) {
		this.#drop();
		this.#set({ phase: "refused", why: reason, retryAt: null });
		this.#failAsked(reason.message);
	}

	// Go on later: after what the server said, but not sooner than the back-off; or at once after
	// a restart.
	#wait(reason) {
		this.#drop();
		if (this.#clock.now() - this.#readyAt >= STEADY_MS) this.#attempt = 0;
		this.#readyAt = Infinity;
		const step = BACKOFF_MS[Math.min(this.#attempt++, BACKOFF_MS.length - 1)];
		const isFirst = this.#attempt === 1;
		const delay = reason.word === "restart" && isFirst ? 0
			: Math.max(reason.retryAfterMs ?? 0, step);
		const ms = delay * (0.8 + 0.4 * Math.random());
		this.#set({ phase: "waiting", why: reason, retryAt: this.#clock.now() + ms });
		this.#after(ms, () => this.#open());
	}

	// ---- opening ----

	#open() {
		if (this.#isOver) return;
		this.#drop();
		this.#set({ phase: "opening", retryAt: null });
		const line = new Line({
			url: this.#o.url,
			WebSocket: this.#o.WebSocket,
			clock: this.#clock,
			onOpen: () => this.#guard(line,
				() => (this.#o.seal ? this.#beginSeal() : this.#greet())),
			onText: (text) => this.#guard(line, () => this.#hear(text)),
			onClose: (end) => this.#closed(end),
			onQuiet: () => this.#say({ type: "PING" }),
		});
		this.#line = line;
	}

	// What fails belongs to this line, unless there is another one meanwhile.
	async #guard(line, act) {
		try {
			await act();
		} catch (e) {
			if (line !== this.#line || this.#isOver) return;
			this.#refuse(why(e.name === "SealError" ? "seal" : "other", e.message));
		}
	}

	#closed(end) {
		const reason = whyClosed(end);
		if (reason.word === "large") this.#inputEnded(this.#inFlight, reason);
		if (reason.word === "blocked" || reason.word === "seal") this.#refuse(reason);
		else this.#wait(reason);
	}

	async #beginSeal() {
		const line = this.#line;
		this.#set({ phase: "sealing" });
		this.#after(ANSWER_MS, () =>
			this.#refuse(why("seal", "The server did not answer the seal.")));
		const { identity, to } = this.#o;
		// Most lines are https or loopback, and need no seal.
		const { beginSeal } = await import("./seal.js");
		const { hello, finish } = await beginSeal({ identity, to, timestamp: this.#timestamp() });
		if (line !== this.#line) return;
		this.#finishSeal = finish;
		line.send(hello);
	}

	async #greet() {
		const line = this.#line;
		this.#set({ phase: "greeting", isSealed: this.#seal !== null });
		this.#after(ANSWER_MS, () => this.#wait(why("silent")));
		const rows = this.#last === null ? "" : `${this.#epoch}-${this.#last}`;
		const payload = { ...this.#envelope(), signed_commands: 1, rows };
		const frame = { type: "CONNECT", session_id: this.#o.session,
			...await this.#signed(payload) };
		if (line === this.#line) this.#say(frame);
	}

	// ---- what is sent ----

	#timestamp() {
		return Math.floor((this.#clock.now() + this.#state.aheadMs) / 1000);
	}

	#envelope() {
		return { to: this.#o.to, timestamp: this.#timestamp(), nonce: randomHex() };
	}

	#signed(payload) {
		return signed(this.#o.identity, payload);
	}

	#say(frame) {
		const text = JSON.stringify(frame);
		this.#line?.send(this.#seal ? this.#seal.seal(text) : text);
	}

	// Send a signed command on this line, in the order of the calls, or never.
	#command(command) {
		const line = this.#line;
		this.#sending = this.#sending.then(async () => {
			if (line !== this.#line || !line) return;
			const { type } = command;
			const frame = { type, ...await this.#signed({ ...command, ...this.#envelope() }) };
			if (line === this.#line) this.#say(frame);
		}).catch((e) => this.#o.onError(why("other", e.message)));
	}

	// The oldest input, unless one is on its way: so an ERROR is known to be about it.
	#sendInput() {
		const [input] = this.#state.unsent;
		if (!input || this.#inFlight || this.#state.phase !== "ready") return;
		this.#inFlight = input.id;
		const { id, prompt, images, files } = input;
		this.#command({ type: "INPUT", input_id: id, prompt, images, files });
	}

	#failAsked(message) {
		for (const { reject } of this.#asked.values()) reject(new Error(message));
		this.#asked.clear();
	}

	#answered(frame) {
		const asked = this.#asked.get(frame.request_id);
		this.#asked.delete(frame.request_id);
		asked?.resolve(frame);
	}

	// ---- what comes ----

	async #hear(text) {
		let frame = parseFrame(text);
		if (this.#finishSeal) {
			const [line, finish] = [this.#line, this.#finishSeal];
			this.#finishSeal = null;
			if (this.#isClockRefusal(frame)) return this.#correctClock();
			const seal = await finish(frame ?? {});
			if (line !== this.#line) return;
			this.#seal = seal;
			return this.#greet();
		}
		if (frame && this.#seal) frame = parseFrame(this.#seal.open(frame));
		if (!frame) return this.#refuse(why("garbage", "The server sent what is not a frame."));
		const handler = HANDLERS.get(frame.type);
		if (handler) handler.call(this, frame);
		else if (Number.isSafeInteger(frame.pos)) this.#row(frame);
		else this.#o.onFrame(frame);
	}

	static handlers = {
		PING() { this.#say({ type: "PONG" }); },
		PONG() {},
		CONNECTED(frame) { this.#connected(frame); },
		ONBOARD_REQUIRED(frame) {
			this.#after(0, null);
			this.#set({ phase: "onboarding",
				onboard: { ...frame, methods: listOf(frame.methods) } });
		},
		ONBOARD_SUCCESS({ level = "" }) {
			this.#set({ phase: "greeting", onboard: null, why: null, level });
			this.#after(ANSWER_MS, () => this.#wait(why("silent")));
		},
		AGENT_PROFILE(frame) { this.#set({ profile: frame }); },
		DASHBOARD_SNAPSHOT(frame) { this.#set({ dashboard: frame.html }); },
		RUNTIME_INPUT_ACK(frame) { this.#inputEnded(frame.input_id ?? this.#inFlight, null); },
		OUTPUT(frame) { this.#inputEnded(frame.input_id, null); },
		ERROR(frame) { this.#error(frame); },
		mode_changed({ mode, turns_left }) {
			this.#set({ mode: textOf(mode), turnsLeft: turns_left ?? null });
		},
		reset(frame) { this.#reset(frame); },
		DELETED(frame) {
			this.#answered(frame);
			if (this.#isOurs(frame)) this.#refuse(why("deleted", "This session was deleted."));
		},
		ROWS(frame) { this.#answered(frame); },
		SESSIONS(frame) { this.#answered(frame); },
		RENAMED(frame) { this.#answered(frame); },
	};

	// A UUID may have dashes or not: both name one session.
	#isOurs({ session_id }) {
		const plain = (id) => String(id).replaceAll("-", "").toLowerCase();
		return plain(session_id) === plain(this.#o.session);
	}

	#connected(frame) {
		this.#after(0, null);
		this.#hasCorrected = false;
		const { epoch = 0, head = 0, turn = 0 } = frame;
		// The server gives another session to who may not have this one.
		if (!this.#isOurs(frame))
			return this.#refuse(why("gone", "There is no such session, or it is not yours."));
		if (this.#last === null) [this.#epoch, this.#last] = [epoch, head];
		this.#readyAt = this.#clock.now();
		this.#set({
			phase: "ready", why: null, retryAt: null, onboard: null,
			// The turn that is to stop, not one that began meanwhile.
			isStopping: this.#state.isStopping && !!frame.running && turn === this.#stopped,
			session: frame.session_id, isNew: frame.status === "new" && head === 0,
			modes: listOf(frame.session_modes?.availableModes)
				.filter((mode) => typeof mode?.id === "string"),
			mode: textOf(frame.mode), turnsLeft: frame.turns_left ?? null,
			title: textOf(frame.title) ?? "", epoch, head,
			first: frame.first ?? 0,
		});
		this.#turn = Math.max(this.#turn, turn);
		if (frame.chat_items) this.#o.onConversation(frame.chat_items);
		this.#repeat();
		this.#sendInput();
	}

	// Say again what was not answered, besides inputs.
	#repeat() {
		if (this.#state.phase !== "ready") return;
		for (const command of this.#answers.values()) this.#command(command);
		for (const { command } of this.#asked.values()) this.#command(command);
		if (this.#state.isStopping) this.#command({ type: "INTERRUPT" });
	}

	#reset({ missed }) {
		const isVoid = missed === undefined;
		if (isVoid) [this.#epoch, this.#last] = [this.#state.epoch, 0];
		this.#o.onReset({ missed: missed ?? null, isVoid });
	}

	#row(row) {
		if (row.pos <= this.#last) return;
		this.#last = row.pos;
		this.#attempt = 0;
		this.#turn = row.turn ?? this.#turn;
		if (row.type === "answer") this.#answers.delete(row.question);
		if (row.type === "done" || row.type === "failed") this.#turnEnded();
		// The row first: an input is shown as one or the other.
		this.#o.onRow(row);
		if (row.input_id !== undefined) this.#inputEnded(row.input_id, null);
	}

	#turnEnded() {
		this.#answers.clear();
		if (this.#state.isStopping) this.#set({ isStopping: false });
		if (this.#state.unsent[0]?.why) this.#retryInput(0);
	}

	// An input was acknowledged, or refused: then there is a reason.
	#inputEnded(id, reason) {
		const input = this.#state.unsent.find((each) => each.id === id);
		if (!input) return;
		if (this.#inFlight === id) this.#inFlight = null;
		this.#set({ unsent: this.#state.unsent.filter((each) => each !== input) });
		this.#o.onInput({ id, input, isAccepted: !reason, why: reason });
		this.#sendInput();
	}

	#retryInput(ms) {
		this.#clock.clearTimeout(this.#inputTimer);
		this.#inputTimer = this.#clock.setTimeout(() => {
			this.#inFlight = null;
			this.#sendInput();
		}, ms);
	}

	#isClockRefusal(frame) {
		return frame?.type === "ERROR" && whyOf(frame).word === "clock" && !this.#hasCorrected
			&& this.#o.measureClock !== undefined;
	}

	async #correctClock() {
		this.#hasCorrected = true;
		this.#drop();
		try {
			this.#set({ aheadMs: await this.#o.measureClock() });
			this.#open();
		} catch {
			this.#wait(why("unreachable"));
		}
	}

	#error(frame) {
		const reason = whyOf(frame);
		if (this.#isClockRefusal(frame)) return this.#correctClock();
		if (this.#state.phase === "onboarding") return this.#set({ why: reason });
		if (this.#state.phase !== "ready")
			return reason.retryAfterMs === undefined ? this.#refuse(reason) : this.#wait(reason);
		if (frame.input_id !== undefined) return this.#inputEnded(frame.input_id, null);
		const id = this.#asked.has(frame.request_id) ? frame.request_id : this.#unknown(reason);
		if (id !== undefined) return this.#askRefused(id, reason);
		if (reason.word === "idle" && this.#state.isStopping)
			return this.#set({ isStopping: false });
		if (reason.word === "stale") this.#answers.clear();
		else if (this.#inFlight) return this.#inputRefused(reason);
		else if (reason.retryAfterMs !== undefined)
			this.#after(reason.retryAfterMs, () => this.#repeat());
		return this.#o.onError(reason);
	}

	// The request that an older server does not know, if this is what it says.
	#unknown({ message }) {
		const [, type] = /^unknown message type: '(\w+)'/.exec(message) ?? [];
		return [...this.#asked].find(([, { command }]) => command.type === type)?.[0];
	}

	#askRefused(id, reason) {
		if (reason.retryAfterMs !== undefined)
			return this.#after(reason.retryAfterMs, () => this.#repeat());
		const { reject } = this.#asked.get(id);
		this.#asked.delete(id);
		return reject(Object.assign(new Error(reason.message), { why: reason }));
	}

	#inputRefused(reason) {
		if (reason.retryAfterMs === undefined && reason.word !== "files")
			return this.#inputEnded(this.#inFlight, reason);
		this.#set({ unsent: this.#state.unsent.map((input) =>
			(input.id === this.#inFlight ? { ...input, why: reason } : input)) });
		// Files wait for the end of the turn; the rest as long as the server says.
		if (reason.word !== "files") this.#retryInput(reason.retryAfterMs);
	}
}

const HANDLERS = new Map(Object.entries(Talk.handlers));
