// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Signed requests by HTTP (doc/oip.txt section 12). EventSource can send no headers, so event
// streams are read by fetch().
import { canonical, randomHex, signed } from "./canonical.js";
import { systemClock } from "./line.js";

/** A request that was refused, or had no answer (then its status is 0). */
export class HttpError extends Error {
	/**
	 * @param {string} message for people
	 * @param {{status?: number, code?: number|string, retryAfterMs?: number}} [o]
	 */
	constructor(message, { status = 0, code, retryAfterMs } = {}) {
		super(message);
		Object.assign(this, { status, code, retryAfterMs });
	}
}

const withQuery = (path, query) => {
	const given = Object.entries(query)
		.filter(([, value]) => value !== undefined && value !== null);
	return given.length ? `${path}?${new URLSearchParams(given)}` : path;
};

export class Http {
	#base;
	#to;
	#fetch;
	#clock;
	#aheadMs = 0;

	/**
	 * @param {object} o
	 * @param {string} o.base URL of the server, without a slash at the end
	 * @param {object} [o.identity] who signs; without it requests are not signed
	 * @param {string} [o.to] address of the host, as info() tells it
	 * @param {Function} [o.fetch]
	 * @param {object} [o.clock]
	 */
	constructor({ base, identity, to, fetch = (...a) => globalThis.fetch(...a),
		clock = systemClock }) {
		this.#base = base;
		/** Who signs; may be set later. */
		this.identity = identity;
		this.#to = to;
		this.#fetch = fetch;
		this.#clock = clock;
	}

	/** How far the server's clock is ahead of ours, in ms, as info() saw it. @returns {number} */
	get aheadMs() {
		return this.#aheadMs;
	}

	/** Seconds by the server's clock. @returns {number} whole */
	get timestamp() {
		return Math.floor((this.#clock.now() + this.#aheadMs) / 1000);
	}

	/**
	 * What the server is, GET /info; not signed. Its answer tells the server's time and, if none
	 * was given, its address.
	 * @returns {Promise<object>}
	 * @throws {HttpError}
	 */
	async info() {
		const started = this.#clock.now();
		const response = await this.#ask("GET", "/info", {});
		const date = Date.parse(response.headers.get("date") ?? "");
		const ahead = date + 500 - (started + this.#clock.now()) / 2;
		// Dates are whole seconds, so less is no difference.
		if (Number.isFinite(date)) this.#aheadMs = Math.abs(ahead) < 2000 ? 0 : Math.round(ahead);
		const info = await jsonOf(response);
		if (typeof info !== "object" || !info) throw notAsked(response);
		this.#to ??= info.address;
		return info;
	}

	/**
	 * GET a path with signed headers.
	 * @param {string} path without a query
	 * @param {object} [query] members that are undefined or null are left out
	 * @returns {Promise<*>} the JSON of the answer
	 * @throws {HttpError}
	 */
	async get(path, query = {}) {
		const headers = await this.#headers("GET", path);
		return this.#json("GET", withQuery(path, query), { headers });
	}

	/** POST a signed body. @param {string} path @param {object} body @returns {Promise<*>} */
	post(path, body) {
		return this.#send("POST", path, body);
	}

	/**
	 * Sessions, the newest first.
	 * @param {{query?: string, before?: string, limit?: number, owner?: string}} [o] "before" is
	 *	what the page before gave
	 * @returns {Promise<{sessions: object[], before: string|null}>}
	 */
	sessions({ query = "", before, limit = 50, owner } = {}) {
		return this.get("/sessions", { q: query || undefined, before, limit, owner });
	}

	/**
	 * A page of rows.
	 * @param {string} id of the session
	 * @param {{before?: number, after?: number, limit?: number}} [o]
	 * @returns {Promise<{epoch: number, head: number, first: number, rows: object[],
	 *	before: number|null, after: number|null}>}
	 */
	rows(id, { before, after, limit = 200 } = {}) {
		return this.get(`/sessions/${encodeURIComponent(id)}/journal`, { before, after, limit });
	}

	/** Give a session a title. @param {string} id @param {string} title */
	rename(id, title) {
		return this.#send("PATCH", `/sessions/${encodeURIComponent(id)}`, { title });
	}

	/** Delete a session for good. @param {string} id */
	remove(id) {
		return this.#send("DELETE", `/sessions/${encodeURIComponent(id)}`, {});
	}

	/**
	 * Read server-sent events until stopped; a lost connection is made again, and goes on after
	 * the last event.
	 * @param {string} path without a query
	 * @param {function({id: string, event: string, data: string}): void} onEvent
	 * @param {{query?: object, onError?: function(HttpError): void}} [o]
	 * @returns {function(): void} stops it
	 */
	stream(path, onEvent, { query = {}, onError = () => {} } = {}) {
		const stopper = new AbortController();
		let last = "";
		const read = async () => {
			const headers = await this.#headers("GET", path);
			if (last) headers["last-event-id"] = last;
			headers.accept = "text/event-stream";
			const response = await this.#ask("GET", withQuery(path, query),
				{ headers, signal: stopper.signal });
			const reader = response.body.getReader();
			const feed = eventReader((event) => {
				last = event.id || last;
				onEvent(event);
			});
			for (const text = new TextDecoder();;) {
				const { value, done } = await reader.read();
				if (done) return;
				feed(text.decode(value, { stream: true }));
			}
		};
		const keepOn = async (delayMs) => {
			let wait = 250;
			try {
				await read();
			} catch (e) {
				if (stopper.signal.aborted) return;
				const error = e instanceof HttpError ? e : new HttpError(e.message);
				onError(error);
				if (error.status >= 400 && error.status < 500 && error.status !== 429) return;
				wait = error.retryAfterMs ?? delayMs;
			}
			if (!stopper.signal.aborted)
				this.#clock.setTimeout(() => keepOn(Math.min(2 * delayMs, 8000)), wait);
		};
		keepOn(250);
		return () => stopper.abort();
	}

	// The headers of section 12.
	async #headers(method, path) {
		if (!this.identity) return {};
		const { timestamp } = this;
		const text = canonical({ method, path, timestamp });
		return {
			"x-co-from": this.identity.address,
			"x-co-timestamp": String(timestamp),
			"x-co-signature": await this.identity.sign(text),
		};
	}

	async #send(method, path, members) {
		const payload = { ...members, method, path, to: this.#to, nonce: randomHex(),
			timestamp: this.timestamp };
		const body = this.identity ? await signed(this.identity, payload) : members;
		return this.#json(method, path, { headers: { "content-type": "application/json" },
			body: JSON.stringify(body) });
	}

	async #json(method, path, o) {
		const response = await this.#ask(method, path, o);
		return response.status === 204 ? null : jsonOf(response);
	}

	// The answer, if it is a good one.
	async #ask(method, path, o) {
		let response;
		try {
			response = await this.#fetch(this.#base + path, { ...o, method, cache: "no-store" });
		} catch (e) {
			if (e.name === "AbortError") throw e;
			throw new HttpError("The server cannot be reached.");
		}
		if (response.ok) return response;
		const said = await response.json().catch(() => ({}));
		const seconds = Number(response.headers.get("retry-after")) || undefined;
		throw new HttpError(said?.error ?? `${response.status} ${response.statusText}`, {
			status: response.status,
			code: said?.code,
			retryAfterMs: said?.data?.retry_after_ms ?? (seconds && seconds * 1000),
		});
	}
}

const notAsked = ({ status }) =>
	new HttpError("The server's answer is not what was asked for.", { status });

const jsonOf = (response) => response.json().catch(() => { throw notAsked(response); });

/**
 * What reads the text of an event stream, in pieces of any size.
 * @param {function({id: string, event: string, data: string}): void} onEvent
 * @returns {function(string): void}
 */
export function eventReader(onEvent) {
	let rest = "";
	let event = { id: "", event: "message", data: [] };
	const line = (text) => {
		if (!text) {
			if (event.data.length) onEvent({ ...event, data: event.data.join("\n") });
			event = { id: "", event: "message", data: [] };
			return;
		}
		const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(text);
		if (name === "data") event.data.push(value);
		else if (name === "id" || name === "event") event[name] = value;
	};
	return (text) => {
		rest += text;
		const lines = rest.split(/\r\n|\n|\r(?!$)/);
		rest = lines.pop();
		lines.forEach(line);
	};
}
