// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// What the programs of Onsembl and their stories share: tokens, ids, waiting, and a network that
// can be cut.
import crypto from 'node:crypto';
import net from 'node:net';
import process from 'node:process';
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.NODE_HOME}/package.json`);
export const WebSocket = require('ws');
export const PATIENCE = Number(process.env.TEST_PATIENCE || 1);

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function random(length) {
	let text = '';
	while (text.length < length)
		text += Math.random().toString(36).slice(2);
	return text.slice(0, length);
}

// A token of the user, signed with the server's secret.
export function token(user, seconds = 86400, more = {}) {
	const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
	const now = Math.floor(Date.now() / 1000);
	const text = `${part({ alg: 'HS256', typ: 'JWT' })}.`
		+ part({ sub: user, iat: now, exp: now + seconds, ...more });
	const seal = crypto.createHmac('sha256', process.env.SECRET).update(text);
	return `${text}.${seal.digest('base64url')}`;
}

// Wait until the answer is true, and return it; fails with the name of what did not come.
export async function until(what, isSo, ms = 10_000) {
	const end = Date.now() + ms * PATIENCE;
	for (;;) {
		const answer = isSo();
		if (answer)
			return answer;
		if (Date.now() > end)
			throw new Error(`${what} did not come within ${ms} ms`);
		await sleep(10);
	}
}

export function assert(isSo, what, found) {
	if (isSo)
		return;
	throw new Error(found === undefined ? what : `${what}, but found ${JSON.stringify(found)}`);
}

export function same(found, wanted, what) {
	const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
	if (a !== b)
		throw new Error(`${what}: found ${a.slice(0, 2000)}, wanted ${b.slice(0, 2000)}`);
}

// A network in front of the server, which can be cut, and refuse connections.
export class Network {
	constructor(url) {
		this.target = new URL(url);
		this.pairs = new Set();
		this.arrivals = [];
	}

	async open(port = 0) {
		this.server = net.createServer({ pauseOnConnect: true }, (socket) => this.accept(socket));
		await new Promise((resolve) => this.server.listen(port, '127.0.0.1', resolve));
		this.port = this.server.address().port;
		this.url = `${this.target.protocol}//127.0.0.1:${this.port}`;
		return this;
	}

	accept(socket) {
		const onward = net.connect(this.target.port, this.target.hostname);
		const pair = { socket, onward };
		this.pairs.add(pair);
		this.arrivals.push(Date.now());
		const end = () => {
			socket.destroy();
			onward.destroy();
			this.pairs.delete(pair);
		};
		for (const s of [socket, onward])
			s.on('error', end).on('close', end);
		socket.pipe(onward);
		onward.pipe(socket);
	}

	// End all connections, and accept further ones.
	cut() {
		for (const { socket, onward } of this.pairs) {
			socket.destroy();
			onward.destroy();
		}
	}

	// End all connections, and refuse further ones.
	async close() {
		const closed = new Promise((resolve) => this.server.close(resolve));
		this.cut();
		await closed;
	}
}
