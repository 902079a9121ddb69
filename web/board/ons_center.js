// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The command centre without its views: connection, state and requests together, as signals.
import { signal } from "@preact/signals";
import { randomHex } from "../oip/canonical.js";
import { OnsRest } from "./ons_rest.js";
import { OnsStore, isHosted, isOver } from "./ons_store.js";
import { OnsTalk } from "./ons_talk.js";

// The age of a heartbeat is told by HTTP only.
const AGENTS_MS = 10000;

const KEY = "onsembl-token";

// Storage may be forbidden.
function stored(kind, value) {
	try {
		const storage = globalThis[kind];
		if (value === undefined) return storage.getItem(KEY) ?? "";
		if (value) storage.setItem(KEY, value);
		else storage.removeItem(KEY);
	} catch { /* then it is kept in memory alone */ }
	return "";
}

/** The user that a token names, for show alone; "" if it is no token. */
function userOf(token) {
	try {
		const part = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
		const bytes = Uint8Array.from(atob(part), (c) => c.charCodeAt(0));
		const claims = JSON.parse(new TextDecoder().decode(bytes));
		return String(claims.sub ?? claims.id ?? "");
	} catch {
		return "";
	}
}

const newId = () => `cmd-${randomHex(9)}`;

/**
 * The command centre of one page. Signals: `line` ({phase, why, retryAt}, as of OnsTalk),
 * `tick` (changes when the store did, once a frame at most), `user`, `failure` (the last
 * request that failed, a text, or "").
 */
export class Center {
	constructor({ base = new URL(".", document.baseURI).href } = {}) {
		this.token = stored("sessionStorage") || stored("localStorage");
		this.store = new OnsStore();
		this.line = signal({ phase: "closed" });
		this.tick = signal(0);
		this.user = signal(userOf(this.token));
		this.failure = signal("");
		this.isThere = false; // whether the server speaks Onsembl, or was asked
		this.rest = new OnsRest({ base, token: () => this.token });
		this.talk = new OnsTalk({
			url: base.replace(/^http/, "ws") + "ws/dashboard",
			onState: (state) => this.#onState(state),
			onMessage: (message) => {
				this.store.fold(message);
				this.#changed();
			},
			onToken: (token) => this.#keep(token, !!stored("localStorage")),
		});
		this.wake = () => {
			if (document.visibilityState === "visible") this.talk.wake();
		};
	}

	/** Begin; without a token it may still be let in, where onsembl_auth is off. */
	open() {
		this.talk.token = this.token;
		this.talk.open();
		addEventListener("online", this.wake);
		addEventListener("pageshow", this.wake);
		document.addEventListener("visibilitychange", this.wake);
	}

	close() {
		this.talk.close();
		clearInterval(this.polling);
		removeEventListener("online", this.wake);
		removeEventListener("pageshow", this.wake);
		document.removeEventListener("visibilitychange", this.wake);
	}

	#changed() {
		if (this.frame) return;
		this.frame = requestAnimationFrame(() => {
			this.frame = 0;
			this.tick.value++;
		});
		// No frames come while the page is hidden.
		if (document.hidden) {
			cancelAnimationFrame(this.frame);
			this.frame = 0;
			this.tick.value++;
		}
	}

	#keep(token, isForever) {
		this.token = token;
		stored("sessionStorage", token);
		stored("localStorage", isForever ? token : "");
		this.user.value = userOf(token);
	}

	/** Show another token. isForever: keep it in this browser, not in this tab alone. */
	login(token, isForever) {
		this.#keep(token.trim().replace(/^Bearer\s+/i, ""), isForever);
		this.store = new OnsStore();
		this.talk.token = this.token;
		this.talk.open();
	}

	logout() {
		this.talk.close();
		clearInterval(this.polling);
		this.#keep("", false);
		this.store = new OnsStore();
		this.line.value = { phase: "refused", why: "" };
	}

	async #try(promise) {
		try {
			const value = await promise;
			this.failure.value = "";
			return value;
		} catch (error) {
			this.failure.value = error.message;
			return null;
		}
	}

	// A WebSocket does not say why it was refused.
	async #lookForDoor() {
		this.isThere = true;
		const isMissing = await this.rest.isMissing().catch(() => false);
		if (!isMissing) return;
		this.talk.close();
		this.line.value = { phase: "off" };
	}

	#onState(state) {
		const before = this.line.value.phase;
		this.line.value = state;
		clearInterval(this.polling);
		if (state.phase === "ready") this.isThere = true;
		else if (state.phase === "waiting" && !this.isThere) this.#lookForDoor();
		if (state.phase !== "ready" || before === "ready") return;
		this.#look();
		this.polling = setInterval(() => {
			if (document.visibilityState === "visible") this.#lookAtAgents();
		}, AGENTS_MS);
	}

	async #lookAtAgents() {
		const agents = await this.rest.agents().catch(() => null);
		if (agents) this.store.takeRecords(agents);
		this.#changed();
	}

	// What ran before is told again from its start; what is known changes nothing.
	async #look() {
		for (const it of this.store.running()) this.#send(it);
		await this.#lookAtAgents();
		const commands = await this.#try(this.rest.commands());
		if (!commands || this.line.value.phase !== "ready") return;
		const known = new Set(this.store.commands.keys());
		// Those of the hosted agent name none.
		const hosted = [...this.store.agents.values()].find(isHosted);
		this.store.takeHistory(commands.map((c) => ({ ...c,
			agentId: c.targetAgents?.[0] ?? hosted?.id ?? "" })).reverse());
		for (const it of this.store.running())
			if (!known.has(it.id) && it.agent) this.#send(it);
		this.#changed();
	}

	// The same request once more is not run again.
	#send(it) {
		return this.talk.say("COMMAND_REQUEST", { commandId: it.id, agentId: it.agent,
			command: it.text, args: [], env: {}, type: "NATURAL", priority: it.priority,
			...(it.options.dir ? { workingDirectory: it.options.dir } : {}),
			executionConstraints: { timeLimitMs: it.options.timeLimitMs ?? 300000,
				maxRetries: 0 } });
	}

	/**
	 * Run a text by each of these agents.
	 * @param {string[]} agents
	 * @param {string} text
	 * @param {{priority?: string, timeLimitMs?: number, dir?: string}} options
	 */
	run(agents, text, { priority = "normal", ...options } = {}) {
		for (const agent of agents) {
			const it = this.store.add({ id: newId(), agent, text, priority, options });
			// Without a connection it is sent when there is one again.
			this.#send(it);
		}
		this.#changed();
	}

	/** Stop a command; of one that was not sent, nothing is left. */
	async cancel(id) {
		const it = this.store.commands.get(id);
		if (!it || isOver(it.state)) return;
		it.isCancelling = true;
		this.#changed();
		if (this.talk.say("COMMAND_CANCEL", { commandId: id })) return;
		await this.#try(this.rest.cancel(id));
	}

	/** Answer the question of a command. */
	answer(id, text) {
		const it = this.store.commands.get(id);
		const commandId = newId();
		if (!it?.question || !this.talk.say("COMMAND_REQUEST", { agentId: it.agent, commandId,
			command: text, answerTo: id })) return false;
		this.store.addAnswer(commandId, id, text);
		this.#changed();
		return true;
	}

	/** action: STOP, RESTART, PAUSE or RESUME. */
	control(agentId, action) {
		this.talk.say("AGENT_CONTROL", { agentId, action });
	}

	/** Stop all commands of all agents that this user may see. */
	async stopAll(reason) {
		const done = await this.#try(this.rest.emergencyStop(reason || "Emergency stop"));
		if (done) return done;
		return this.talk.say("EMERGENCY_STOP", { reason }) ? {} : null;
	}

	async forgetAgent(id) {
		if (await this.#try(this.rest.deleteAgent(id))) {
			this.store.dropAgent(id);
			this.#changed();
		}
	}

	/** Let a program in. @returns {Promise<string>} "" or why not */
	async confirmDevice(code) {
		return this.rest.confirmDevice(code).then(() => "", (error) => error.message);
	}

	/** Fetch what an earlier command wrote. */
	async fetchOutput(id) {
		const it = this.store.commands.get(id);
		if (!it || it.isFetched || it.output.lines.length) return;
		it.isFetched = true;
		const pieces = await this.#try(this.rest.output(id));
		for (const { text, isError } of pieces ?? []) it.output.append(text, isError);
		this.#changed();
	}

	/** All of an output, for a file; what the page has dropped is asked for. */
	async wholeOutput(id) {
		const it = this.store.commands.get(id);
		if (!it.output.nDropped) return it.output.text();
		const pieces = await this.#try(this.rest.output(id));
		return pieces ? pieces.map((p) => p.text).join("") : it.output.text();
	}
}
