// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// What a dashboard of Onsembl knows: agents, commands and what they wrote, made from the
// messages of doc/onsembl.txt. Pure: no document, no socket. The same message twice changes
// nothing.
import { Output } from "./ons_output.js";

/** The most commands whose output is kept; the oldest that have ended go first. */
export const MAX_COMMANDS = 200;

/** States of a command, in their order; a command never goes back to an earlier one. */
export const STATES = ["sending", "queued", "executing", "completed", "failed", "cancelled",
	"refused"];

const OVER = new Set(["completed", "failed", "cancelled", "refused"]);

/** Whether a command in this state has ended. */
export const isOver = (state) => OVER.has(state);

const time = (value) => typeof value === "number" ? value : Date.parse(value) || 0;
const stateOf = (word) => ({ PENDING: "queued", RUNNING: "executing" })[word] ??
	string(word).toLowerCase();
const string = (value) => typeof value === "string" ? value : "";

/** Whether this is the agent that the server itself hosts: it can only be stopped. */
export const isHosted = (agent) => agent.type === "custom" && /^custom-[0-9a-f]+$/.test(agent.id);

/**
 * The state of a dashboard. `agents` and `commands` are Maps by id; `banner` is the newest
 * emergency stop; `version` grows with each change.
 */
export class OnsStore {
	constructor({ now = Date.now } = {}) {
		this.now = now;
		this.agents = new Map();
		this.commands = new Map();
		this.banner = null;
		this.answers = new Map(); // id of an answer -> id of the command that asked
		this.nOdd = 0; // messages that could not be understood
		this.version = 0;
	}

	// ---- agents ----

	#agent(id) {
		if (!this.agents.has(id))
			this.agents.set(id, { id, name: id, type: "", version: "", host: "",
				status: "offline", activity: "", queued: 0, seen: 0, metrics: null,
				description: "", capabilities: [], queue: [] });
		return this.agents.get(id);
	}

	#status(agent, word) {
		agent.status = word === "DISCONNECTED" ? "offline" : string(word).toLowerCase();
	}

	#listed(all) {
		const ids = new Set();
		for (const one of Array.isArray(all) ? all : []) {
			if (!string(one?.agentId)) continue;
			const agent = this.#agent(one.agentId);
			ids.add(one.agentId);
			Object.assign(agent, { name: string(one.name) || one.agentId,
				type: string(one.type).toLowerCase(), version: string(one.version),
				capabilities: one.capabilities ?? [], metrics: one.metrics ?? agent.metrics });
			agent.seen = Math.max(agent.seen, time(one.lastHeartbeat));
			this.#status(agent, one.status);
		}
		for (const id of [...this.agents.keys()]) if (!ids.has(id)) this.agents.delete(id);
	}

	/** Take the objects of GET /api/agents, which know the machine and the newest heartbeat. */
	takeRecords(all) {
		for (const one of all) {
			const agent = this.#agent(one.agent_id);
			Object.assign(agent, { name: one.name, type: one.type, version: one.version,
				host: string(one.metadata?.hostMachine), status: one.status,
				description: string(one.description), metrics: one.last_metrics ?? null,
				capabilities: one.capabilities ?? [], isRecord: true });
			agent.seen = Math.max(agent.seen, time(one.last_heartbeat));
		}
		this.version++;
	}

	/** Forget an agent whose record was deleted. */
	dropAgent(id) {
		this.agents.delete(id);
		this.version++;
	}

	// ---- commands ----

	/**
	 * Remember a command that is about to be sent.
	 * @param {{id: string, agent: string, text: string, priority?: string, kind?: string,
	 *	options?: object}} command
	 */
	add(command) {
		const it = { priority: "normal", kind: "command", options: {}, state: "sending",
			startedAt: 0, endedAt: 0, createdAt: this.now(), exitCode: null, error: "",
			position: 0, question: null, isMine: true, isSent: false, seq: 0, part: -1,
			nTools: 0, output: new Output(), ...command };
		this.commands.set(it.id, it);
		this.#thin();
		this.version++;
		return it;
	}

	/** Take the objects of GET /api/commands: commands of this user from before. */
	takeHistory(all) {
		for (const one of all) {
			if (this.commands.has(one.id)) continue;
			this.add({ id: one.id, agent: string(one.agentId ?? one.targetAgents?.[0]),
				text: string(one.content), state: stateOf(one.status),
				startedAt: time(one.startedAt), endedAt: time(one.completedAt),
				createdAt: time(one.createdAt), error: string(one.error), isMine: false,
				isSent: true });
		}
	}

	#thin() {
		for (const [id, it] of this.commands) {
			if (this.commands.size <= MAX_COMMANDS) return;
			if (isOver(it.state)) this.commands.delete(id);
		}
	}

	#command(id, agent) {
		const own = this.commands.get(id);
		if (own) return own;
		const isStream = id.startsWith("agent-session-");
		return this.add({ id, agent: string(agent), text: "", isMine: false, isSent: true,
			kind: isStream ? "stream" : "command", state: isStream ? "executing" : "queued" });
	}

	// Whether a message about a command is new: their ids grow within a command.
	#isNew(it, message) {
		const [, seq, part] = /^msg-(\d+)-(\d+)$/.exec(message.id) ?? [];
		if (!seq || seq === "0") return true;
		if (+seq < it.seq || (+seq === it.seq && +part <= it.part)) return false;
		it.seq = +seq;
		it.part = +part;
		return true;
	}

	#to(it, word) {
		const state = stateOf(word);
		if (STATES.indexOf(state) > STATES.indexOf(it.state) && !isOver(it.state))
			it.state = state;
		if (isOver(it.state)) it.question = null;
	}

	#onStatus(it, p) {
		this.#to(it, p.status);
		if (p.queuePosition) it.position = p.queuePosition;
		if (p.startedAt) it.startedAt = p.startedAt;
		if (p.answered && it.question?.kind === p.answered) it.question = null;
		this.#onEnd(it, p);
	}

	#onEnd(it, p) {
		if (!isOver(it.state)) return;
		if (typeof p.exitCode === "number") it.exitCode = p.exitCode;
		if (p.error) it.error = string(p.error);
		it.endedAt ||= p.completedAt || this.now();
	}

	#onStream(it, p) {
		it.output.append(string(p.content), p.streamType === "STDERR");
		if (p.question && !isOver(it.state)) it.question = p.question;
	}

	/** A command was refused: ERROR of the server, or it could not be sent. */
	refuse(id, why) {
		const it = this.commands.get(id);
		if (!it || isOver(it.state)) return;
		this.#to(it, "refused");
		it.error = why;
		it.endedAt = this.now();
		this.version++;
	}

	/** Remember that the message `id` answers the question of a command. */
	addAnswer(id, command, text) {
		const it = this.commands.get(command);
		it.answered = { text, failure: "" };
		it.question = null;
		this.answers.set(id, command);
		this.version++;
	}

	#onError(p) {
		const id = p.commandId ?? p.details?.commandId;
		const why = string(p.details?.reason) || string(p.message);
		const asked = this.commands.get(this.answers.get(id));
		if (asked) asked.answered.failure = why;
		if (id) this.refuse(id, why);
		return !!id;
	}

	#onQueue(p) {
		const agent = this.agents.get(p.agentId);
		if (!agent) return;
		agent.queued = p.queueSize | 0;
		agent.queue = Array.isArray(p.queued) ? p.queued : [];
		for (const { commandId, position } of agent.queue) {
			const it = this.commands.get(commandId);
			if (it) it.position = position;
		}
	}

	/**
	 * Take a message of the server.
	 * @param {{type: string, id: string, payload: object}} message
	 * @returns {boolean} whether it was of use
	 */
	fold(message) {
		const p = message?.payload;
		if (!p || typeof p !== "object") {
			this.nOdd++;
			return false;
		}
		this.version++;
		switch (message.type) {
		case "DASHBOARD_CONNECTED":
			this.#listed(p.agents);
			return true;
		case "AGENT_CONNECTED":
			Object.assign(this.#agent(p.agentId), { name: string(p.agentName) || p.agentId,
				type: string(p.agentType).toLowerCase(), version: string(p.version),
				host: string(p.hostMachine), status: "online", seen: this.now() });
			return true;
		case "AGENT_STATUS": {
			const agent = this.#agent(p.agentId);
			this.#status(agent, p.status);
			agent.activity = string(p.activityState).toLowerCase();
			agent.queued = p.queuedCommands | 0;
			agent.seen = Math.max(agent.seen, time(p.lastPing));
			return true;
		}
		case "AGENT_DISCONNECT":
			if (this.agents.has(p.agentId)) this.#agent(p.agentId).status = "offline";
			return true;
		case "QUEUE_UPDATE":
			this.#onQueue(p);
			return true;
		case "EMERGENCY_STOP":
			this.banner = { by: string(p.triggeredBy), reason: string(p.reason),
				nAgents: p.agentsStopped | 0, nCommands: p.commandsCancelled | 0,
				at: this.now() };
			return true;
		case "ERROR":
			return this.#onError(p);
		}
		return this.#foldCommand(message, p);
	}

	#foldCommand(message, p) {
		// An answer is over at once.
		if (this.answers.has(p.commandId)) return true;
		if (message.type === "ACK") {
			const it = this.commands.get(p.commandId);
			if (!it) return false;
			it.isSent = true;
			this.#to(it, "queued");
			return true;
		}
		if (!["COMMAND_STATUS", "COMMAND_COMPLETE", "TERMINAL_STREAM", "TRACE_STREAM"]
			.includes(message.type) || !string(p.commandId))
			return false;
		const it = this.#command(p.commandId, p.agentId);
		if (!this.#isNew(it, message)) return false;
		if (message.type === "TERMINAL_STREAM") this.#onStream(it, p);
		else if (message.type === "TRACE_STREAM") it.nTools += p.trace?.startedAt ? 1 : 0;
		else this.#onStatus(it, p);
		return true;
	}

	// ---- what views ask ----

	/** Agents by what needs eyes first, then by name. */
	sortedAgents() {
		const rank = { error: 0, busy: 1, executing: 1, online: 2, offline: 3 };
		return [...this.agents.values()].sort((a, b) =>
			(rank[a.status] ?? 2) - (rank[b.status] ?? 2) || a.name.localeCompare(b.name));
	}

	/** Commands that have not ended, the oldest first. */
	running() {
		return [...this.commands.values()].filter((c) => c.kind === "command" &&
			!isOver(c.state));
	}

	/** What an emergency stop would hit: {agents, busy, commands}. */
	reach() {
		const there = [...this.agents.values()].filter((a) => a.status !== "offline" &&
			!isHosted(a));
		return { agents: there.length, busy: there.filter((a) => a.status === "busy").length,
			commands: this.running().length };
	}
}
