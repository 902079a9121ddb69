// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The page of Onsembl without its looks: the connection as its service keeps it, and the stores
// that its bridge fills. What the page does not expect is in problems.
import { EventEmitter } from 'node:events';
import { WebSocket, random } from './kit.mjs';

const ORIGIN = 'https://dashboard.example';
const WORDS = { connected: 'online', online: 'online', busy: 'online', idle: 'online',
	disconnected: 'offline', offline: 'offline', error: 'error', crashed: 'error',
	failed: 'error', connecting: 'connecting', initializing: 'connecting' };

export class Dashboard extends EventEmitter {
	// hasLastTry: whether the jitter lets it try once more after 33 s.
	constructor({ server, token, user, hasLastTry = true }) {
		super();
		Object.assign(this, { server, token, user, hasLastTry });
		this.number = 0;
		this.queue = [];
		this.received = [];
		this.tries = [];
		this.closes = [];
		this.problems = [];
		this.agents = new Map();
		this.commands = new Map();
		this.terminals = new Map();
		this.own = new Set();
	}

	// ---- the connection ----

	open() {
		const url = new URL(this.server);
		url.protocol = url.protocol.replace('http', 'ws');
		url.pathname = '/ws/dashboard';
		url.search = `?token=${encodeURIComponent(this.token)}`;
		const ws = new WebSocket(url.href, { origin: ORIGIN });
		this.ws = ws;
		this.tries.push(Date.now());
		ws.on('open', () => this.opened(ws));
		ws.on('message', (data) => this.hear(ws, data));
		ws.on('error', () => {});
		ws.on('close', (code) => this.closed(ws, code));
		return this;
	}

	opened(ws) {
		this.failures = 0;
		this.isDeaf = this.isFooled;
		this.isFooled = false;
		this.heardAt = Date.now();
		this.transmit(this.message('DASHBOARD_INIT', { userId: this.user, subscriptions: {
			agents: { all: true }, commands: { all: true }, terminals: true, traces: true } }));
		for (const message of this.queue.splice(0))
			this.transmit(message);
		this.endTimers();
		let sequence = 0;
		this.pingTimer = setInterval(() => this.isDeaf || this.send('PING',
			{ timestamp: Date.now(), sequence: ++sequence }), 30_000);
		this.healthTimer = setInterval(() => this.checkHealth(ws), 5000);
	}

	checkHealth(ws) {
		if (!this.isDeaf && Date.now() - this.heardAt > 30_000)
			ws.close(4000, 'Health check failed');
	}

	closed(ws, code) {
		if (ws !== this.ws)
			return;
		this.closes.push({ code, at: Date.now() });
		this.endTimers();
		this.emit('closed', code);
		if (code !== 1000 && !this.isEnded)
			this.tryLater();
	}

	// Tries after 1, 2 and 33 s.
	tryLater() {
		const wait = [1000, 1000, this.hasLastTry ? 31_000 : undefined][this.failures++];
		if (wait)
			this.tryTimer = setTimeout(() => this.open(), wait);
	}

	endTimers() {
		clearInterval(this.pingTimer);
		clearInterval(this.healthTimer);
	}

	end() {
		this.isEnded = true;
		this.endTimers();
		clearTimeout(this.tryTimer);
		this.ws.close(1000);
	}

	// A new token: it is told on the old socket, which is closed, and a new one is opened. A page
	// that is fooled has then taken the end of the old socket for that of the new one: it says
	// nothing any more, though the socket is open.
	changeToken(token, isFooled = false) {
		this.send('TOKEN_REFRESH', { accessToken: token, expiresIn: 3600000 });
		this.token = token;
		this.isFooled = isFooled;
		const old = this.ws;
		this.endTimers();
		old.close(1000);
		this.open();
	}

	// ---- what it says ----

	message(type, payload) {
		return { type, id: `msg_${++this.number}_${Date.now()}`, timestamp: Date.now(), payload };
	}

	transmit(message) { this.ws.send(JSON.stringify(message)); }

	send(type, payload) {
		const message = this.message(type, payload);
		if (this.ws.readyState === WebSocket.OPEN && !this.isDeaf)
			this.transmit(message);
		else if (this.queue.length < 100)
			this.queue.push(message);
		return message.id;
	}

	// A command in the form of the command line; more are members that replace or add to it.
	command(agentId, command, more = {}) {
		const commandId = `cmd-${Date.now()}-${random(7)}`;
		this.begin(commandId, agentId);
		this.send('COMMAND_REQUEST', { agentId, commandId, command, args: [], env: {},
			type: 'NATURAL', priority: 5,
			executionConstraints: { timeLimitMs: 300000, maxRetries: 1 }, ...more });
		return commandId;
	}

	// A command as the bridge sends it: content only.
	content(agentId, content, priority = 'normal') {
		const commandId = `cmd-${Date.now()}-${random(7)}`;
		this.begin(commandId, agentId);
		this.send('COMMAND_REQUEST',
			{ commandId, agentId, content, priority, timestamp: Date.now() });
		return commandId;
	}

	begin(commandId, agentId) {
		this.own.add(commandId);
		this.commands.set(commandId, { agentId, status: 'pending' });
	}

	// ---- what it hears ----

	hear(ws, data) {
		if (ws !== this.ws)
			return;
		this.heardAt = Date.now();
		const message = JSON.parse(data);
		this.received.push({ ...message, heardAt: Date.now() });
		const { type, payload } = message;
		if (type === 'PING' && !this.isDeaf)
			this.send('PONG', { timestamp: Date.now(), latency: Date.now() - payload.timestamp });
		this[`on${type}`]?.(payload);
		this.emit(type, payload);
	}

	of(type) { return this.received.filter((m) => m.type === type).map((m) => m.payload); }

	onDASHBOARD_CONNECTED({ agents }) {
		for (const agent of agents) {
			this.agents.set(agent.agentId, { ...this.agents.get(agent.agentId), ...agent,
				status: this.word(agent.status) });
		}
	}

	word(status) {
		const word = WORDS[String(status).toLowerCase()];
		if (!word)
			this.problems.push(`the page takes the status ${status} for offline`);
		return word ?? 'offline';
	}

	onAGENT_STATUS(payload) {
		const agent = this.agents.get(payload.agentId);
		if (!agent)
			return;
		agent.status = this.word(payload.status);
		agent.activityState = payload.activityState;
		if (agent.status === 'online' || agent.status === 'connecting')
			return;
		for (const command of this.commands.values()) {
			if (command.agentId === payload.agentId && /^(pending|QUEUED|EXECUTING)$/.test(command.status))
				command.status = 'failed';
		}
	}

	onAGENT_DISCONNECT({ agentId }) {
		const agent = this.agents.get(agentId);
		if (agent)
			agent.status = 'offline';
	}

	onCOMMAND_STATUS(payload) {
		if (typeof payload.timestamp !== 'number')
			this.problems.push(`COMMAND_STATUS without a time: ${JSON.stringify(payload)}`);
		this.isForeign(payload);
		const command = this.commands.get(payload.commandId) ?? {};
		this.commands.set(payload.commandId, { ...command, ...payload });
	}

	onCOMMAND_COMPLETE({ commandId, status, exitCode }) {
		const terminal = this.terminal(commandId);
		if (terminal.end)
			this.problems.push(`the terminal of ${commandId} ended twice`);
		terminal.end = { status, exitCode };
	}

	terminal(id) {
		if (!this.terminals.has(id))
			this.terminals.set(id, { text: '', streams: {}, sequences: new Set(), last: 0 });
		return this.terminals.get(id);
	}

	onTERMINAL_STREAM(payload) {
		const { commandId, content, sequence, streamType } = payload;
		const terminal = this.terminal(commandId);
		this.isForeign(payload);
		if (payload.ansiCodes !== undefined)
			this.problems.push(`ansiCodes for ${commandId}`);
		if (typeof content !== 'string')
			this.problems.push(`content of ${commandId} is no string`);
		if (sequence !== undefined && !commandId.startsWith('agent-session-')) {
			if (terminal.sequences.has(sequence))
				this.problems.push(`${commandId} has ${sequence} twice`);
			if (sequence < terminal.last)
				this.problems.push(`${commandId} has ${sequence} after ${terminal.last}`);
			terminal.sequences.add(sequence);
			terminal.last = sequence;
		}
		terminal.text += content;
		terminal.streams[streamType] = (terminal.streams[streamType] ?? '') + content;
	}

	isForeign({ commandId }) {
		if (!commandId.startsWith('agent-session-') && !this.own.has(commandId))
			this.problems.push(`${commandId} is not a command of this page`);
	}

	onERROR(payload) {
		const id = payload.context?.commandId;
		if (id)
			this.commands.set(id, { ...this.commands.get(id), status: 'failed', error: payload });
		if (payload.context?.agentId)
			this.problems.push(`ERROR would turn ${payload.context.agentId} to error`);
	}

	text(id) { return this.terminals.get(id)?.text ?? ''; }
	status(id) { return this.commands.get(id)?.status; }
	agent(id) { return this.agents.get(id)?.status; }
}
