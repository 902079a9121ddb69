// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The wrapper of Onsembl as its published description has it, oddities included: it reads few
// members, completes nothing (unless "legacy"), labels output with the latest command, drops
// output while it has no connection, and does not come back after a close with 1000.
//
//	const w = new Wrapper({ server, token, agent: ['sh'] });
//	await w.start();		// fails when the first connection does
//	w.stop();			// as by TERM
import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import os from 'node:os';
import { WebSocket, random } from './kit.mjs';

const ESCAPE = /\x1b\[[0-9;?]*[ -/]*[@-~]/g;

// Failures stop real tries for a while.
class Breaker {
	failures = 0;
	openUntil = 0;

	fail(n) {
		this.failures += n;
		if (this.failures >= 5)
			this.openUntil = Date.now() + 30_000;
	}

	isOpen() { return Date.now() < this.openUntil; }
	reset() { this.failures = this.openUntil = 0; }
}

// The tokens that "auth login" has stored, and their renewal.
export class Credentials {
	constructor(stored) { this.stored = stored; }

	async current(server) {
		if (!this.stored)
			throw new Error('Not authenticated');
		if (this.stored.expires_at - Date.now() / 1000 < 300)
			await this.refresh(server);
		return this.stored.access_token;
	}

	async refresh(server) {
		try {
			const reply = await fetch(new URL('/api/auth/cli/refresh', server), {
				method: 'POST', headers: { 'Content-Type': 'application/json' },
				body: JSON.stringify({ refresh_token: this.stored.refresh_token,
					grant_type: 'refresh_token' }) });
			if (!reply.ok)
				throw new Error(`status ${reply.status}`);
			const pair = await reply.json();
			this.stored = { access_token: pair.access_token, refresh_token: pair.refresh_token,
				expires_at: Date.now() / 1000 + pair.expires_in };
		} catch (e) {
			this.stored = null;
			throw new Error(`Not authenticated: ${e.message}`);
		}
	}
}

export class Wrapper extends EventEmitter {
	// mode is "start" or "legacy"; pty: output as from a terminal.
	constructor({ server, token, credentials, mode = 'start', pty = false, name, agentId,
		agent = ['sh'], hearsAck = true, type = 'mock' }) {
		super();
		const until = Date.now() / 1000 + 86400;
		this.credentials = credentials
			?? new Credentials({ access_token: token, expires_at: until });
		Object.assign(this, { server, mode, pty, name, agent, hearsAck, type });
		this.ownId = agentId ?? (mode === 'legacy' ? `${type}-${Date.now()}-${random(9)}`
			: `${type}-${Date.now().toString(36)}-${random(9)}`);
		this.agentId = this.ownId;
		this.commandId = null;
		this.sequences = new Map();
		this.running = new Map();
		this.breaker = new Breaker();
		this.attempts = 0;
		this.received = [];
		this.tries = [];
		this.closes = [];
		this.urls = [];
	}

	// ---- the process of the agent ----

	async start() {
		if (this.mode === 'start')
			this.startAgent();
		try {
			await this.connect();
		} catch (e) {
			this.end();
			throw e;
		}
		return this;
	}

	startAgent() {
		this.child = spawn(this.agent[0], this.agent.slice(1), { stdio: 'pipe' });
		this.child.stdin.on('error', () => {});
		this.child.stdout.on('data', (chunk) => this.output(chunk, 'STDOUT'));
		this.child.stderr.on('data', (chunk) => this.output(chunk, 'STDERR'));
		this.child.on('exit', () => this.stop());
	}

	// What the process wrote, as it was read from its pipe.
	output(chunk, streamType) {
		const text = chunk.toString();
		const more = {};
		let content = text.replace(ESCAPE, '');
		const runs = text.match(new RegExp(`(?:${ESCAPE.source})+`, 'g')) ?? [];
		if (this.pty && runs.length)
			more.ansiCodes = runs.length > 1 ? text : runs[0];
		if (this.mode === 'legacy' && runs.length)
			more.ansiCodes = runs.join('');
		this.sendOutput(this.commandId ?? this.agentId, content, streamType, more);
	}

	sendOutput(commandId, content, streamType, more) {
		if (!this.isConnected)
			return;
		const sequence = (this.sequences.get(commandId) ?? 0) + 1;
		this.sequences.set(commandId, sequence);
		this.send('TERMINAL_OUTPUT', `${commandId}-${Date.now()}`,
			{ commandId, agentId: this.agentId, content, streamType, sequence, ...more });
	}

	// ---- the connection ----

	url(accessToken) {
		const url = new URL(this.server);
		url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
		url.pathname = '/ws/agent';
		url.search = `?agentId=${this.agentId}&token=${accessToken}`;
		return url.href;
	}

	async connect() {
		const accessToken = await this.credentials.current(this.server);
		const url = this.url(accessToken);
		const ws = new WebSocket(url, { handshakeTimeout: 10_000,
			headers: { Authorization: `Bearer ${accessToken}` } });
		this.urls.push(url);
		this.tries.push(Date.now());
		await new Promise((resolve, reject) => {
			ws.once('open', resolve);
			ws.on('error', reject);
			ws.on('message', (data) => this.hear(data));
			ws.on('close', (code, reason) => this.closed(ws, code, String(reason)));
			this.ws = ws;
		});
		this.isConnected = true;
		this.attempts = 0;
		this.breaker.reset();
		this.announce();
		this.beat(ws);
	}

	announce() {
		const type = this.type === 'mock' ? 'CUSTOM' : this.type.toUpperCase();
		this.send('AGENT_CONNECT', `connect-${Date.now()}`, { agentId: this.agentId,
			...this.name && { name: this.name }, agentType: type, version: '1.0.0',
			hostMachine: os.hostname(), capabilities: { maxTokens: 0, supportsInterrupt: true,
				supportsTrace: true } });
		this.emit('announced');
	}

	beat(ws) {
		clearInterval(this.beatTimer);
		this.beatTimer = setInterval(() => {
			const due = setTimeout(() => ws.close(4000, 'Heartbeat timeout'), 10_000);
			ws.once('pong', () => {
				this.pongs = (this.pongs ?? 0) + 1;
				clearTimeout(due);
			});
			ws.once('close', () => clearTimeout(due));
			if (ws.readyState === WebSocket.OPEN)
				ws.ping();
		}, 30_000);
	}

	// A socket that is closing takes no frames, and its wrapper does not notice.
	send(type, id, payload) {
		if (this.ws.readyState === WebSocket.OPEN)
			this.ws.send(JSON.stringify({ type, id, timestamp: Date.now(), payload }));
	}

	closed(ws, code, reason) {
		this.closes.push({ code, reason, at: Date.now() });
		clearInterval(this.beatTimer);
		const wasConnected = this.isConnected;
		this.isConnected = false;
		this.emit('closed', code);
		if (!wasConnected || this.isEnded || code === 1000)
			return;
		this.breaker.fail(1);
		this.tryLater();
	}

	// Waits of 1, 2, 4 ... 30 s; ten attempts, of which the breaker may swallow some.
	tryLater() {
		if (this.attempts >= 10)
			return;
		const wait = Math.min(30_000, 1000 * 2 ** this.attempts++);
		const jitter = wait * 0.05 * (2 * Math.random() - 1);
		this.tryTimer = setTimeout(() => this.tryAgain(), Math.max(1000, wait + jitter));
	}

	async tryAgain() {
		if (this.breaker.isOpen())
			return this.tryLater();
		try {
			await this.connect();
		} catch (e) {
			if (e.message.startsWith('Not authenticated')) {
				this.failure = e.message;
				return;
			}
			this.breaker.fail(2);
			this.tryLater();
		}
	}

	// ---- what the server says ----

	hear(data) {
		let message;
		try {
			message = JSON.parse(data);
		} catch {
			return;
		}
		this.received.push({ ...message, heardAt: Date.now() });
		const { type, payload } = message;
		if (type === 'ACK' && this.hearsAck && payload.agentId)
			this.agentId = payload.agentId;
		else if (type === 'PING')
			this.send('PONG', `pong-${Date.now()}`, { timestamp: payload.timestamp });
		else if (type === 'COMMAND_REQUEST')
			this.command(payload);
		this.emit(type, payload);
	}

	command(payload) {
		if (this.mode === 'legacy')
			return this.runCommand(payload);
		this.commandId = payload.commandId ?? `cmd-${Date.now()}`;
		if (payload.command !== undefined)
			this.child.stdin.write(payload.command + (this.pty ? '\r' : '\n'));
	}

	// The commands that were sent here, in their order.
	commands() {
		return this.received.filter((m) => m.type === 'COMMAND_REQUEST').map((m) => m.payload);
	}

	// ---- the way of "restart": a process for each command ----

	runCommand({ commandId, command, args = [], env = {}, workingDirectory,
		executionConstraints = {} }) {
		if (this.running.has(commandId))
			return;
		const began = Date.now();
		const child = spawn(command, args, { stdio: 'pipe', cwd: workingDirectory ?? undefined,
			env: { ...process.env, ...env } });
		const run = { child, rest: {} };
		this.running.set(commandId, run);
		const limit = executionConstraints.timeLimitMs;
		if (limit)
			run.limit = setTimeout(() => {
				run.error = `Command timed out after ${limit}ms`;
				child.kill();
			}, limit);
		for (const [pipe, streamType] of [[child.stdout, 'STDOUT'], [child.stderr, 'STDERR']])
			pipe.on('data', (chunk) => this.lines(commandId, run, chunk, streamType));
		child.on('error', () => this.complete(commandId, run, began, -2));
		child.on('close', (code) => this.complete(commandId, run, began, code ?? 0));
	}

	// One message for each line; a part of one after 100 ms.
	lines(commandId, run, chunk, streamType) {
		clearTimeout(run[streamType]);
		const lines = ((run.rest[streamType] ?? '') + chunk).split('\n');
		run.rest[streamType] = lines.pop();
		for (const line of lines)
			this.line(commandId, `${line}\n`, streamType);
		run[streamType] = setTimeout(() => this.rest(commandId, run, streamType), 100);
	}

	rest(commandId, run, streamType) {
		if (run.rest[streamType])
			this.line(commandId, run.rest[streamType], streamType);
		run.rest[streamType] = '';
	}

	line(commandId, text, streamType) {
		const content = text.replace(ESCAPE, '');
		const escapes = text.match(ESCAPE);
		this.sendOutput(commandId, content, streamType, { isBlank: content.trim() === '',
			...escapes && { ansiCodes: escapes.join('') } });
	}

	complete(commandId, run, began, exitCode) {
		if (!this.running.delete(commandId))
			return;
		clearTimeout(run.limit);
		for (const streamType of ['STDOUT', 'STDERR']) {
			clearTimeout(run[streamType]);
			this.rest(commandId, run, streamType);
		}
		const error = run.error
			?? (exitCode ? `Process exited with code ${exitCode}` : undefined);
		this.send('COMMAND_COMPLETE', `${commandId}-complete`, { commandId,
			agentId: this.agentId, status: exitCode ? 'FAILED' : 'COMPLETED', exitCode,
			duration: Date.now() - began, ...error && { error }, timestamp: Date.now() });
	}

	// ---- the end ----

	// As by TERM.
	stop() {
		this.end();
		if (this.ws?.readyState === WebSocket.OPEN)
			this.ws.close(1000, 'Normal closure');
	}

	// As by KILL: the socket ends without a close frame.
	kill() {
		this.end();
		this.ws?.terminate();
	}

	end() {
		this.isEnded = true;
		clearTimeout(this.tryTimer);
		clearInterval(this.beatTimer);
		this.child?.removeAllListeners('exit');
		this.child?.kill('SIGKILL');
		for (const { child } of this.running.values())
			child.kill('SIGKILL');
	}
}
