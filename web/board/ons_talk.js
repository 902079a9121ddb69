// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The connection of a dashboard (/ws/dashboard of doc/onsembl.txt): it comes back by itself, says
// who it is, and answers PING. No document.

// Waits before further attempts, ms; each with a jitter of a fifth.
const WAITS = [250, 500, 1000, 2000, 4000, 8000];

// The server says PING every 20 s: two of them and some time missing, the connection is dead.
const SILENCE_MS = 50000;

// An answer to our own PING, when the page has been away.
const PROBE_MS = 3000;

// An ACK or a refusal of DASHBOARD_INIT.
const GREETING_MS = 10000;

let nMessages = 0;

/**
 * One dashboard.
 *
 * onState({phase, why, retryAt}): phase is "opening", "ready", "waiting" (retryAt says when it
 * tries again, ms), "refused" (why: another token is needed) or "closed".
 * onMessage(message) gets every message but PING, PONG and TOKEN_REFRESH; onToken(token) a new
 * token of the server.
 */
export class OnsTalk {
	/**
	 * @param {{url: string, token?: string, WebSocket?: Function, timers?: object,
	 *	onState: Function, onMessage: Function, onToken?: Function}} options
	 *	url begins with ws: or wss:
	 */
	constructor({ url, token, WebSocket: Socket, timers, onState, onMessage, onToken }) {
		this.url = url;
		this.token = token;
		this.Socket = Socket ?? globalThis.WebSocket;
		this.timers = timers ?? { set: (f, ms) => setTimeout(f, ms),
			clear: (t) => clearTimeout(t), now: () => Date.now(), random: Math.random };
		this.onState = onState;
		this.onMessage = onMessage;
		this.onToken = onToken ?? (() => {});
		this.phase = "closed";
		this.nFailed = 0;
	}

	#to(phase, more = {}) {
		this.phase = phase;
		this.onState({ phase, ...more });
	}

	/** Connect; an earlier connection is given up. */
	open() {
		this.#drop();
		this.#to("opening");
		const socket = new this.Socket(this.url);
		this.socket = socket;
		const own = (f) => (event) => { if (this.socket === socket) f(event); };
		socket.onopen = own(() => this.#greet());
		socket.onmessage = own((event) => this.#hear(event.data));
		socket.onclose = own((event) => this.#lost(event));
		socket.onerror = () => {};
		this.#expect(GREETING_MS);
	}

	/** Give up the connection, and do not come back. */
	close() {
		this.#drop();
		this.#to("closed");
	}

	/** The page is seen again, or the network is back: find out whether the line is alive. */
	wake() {
		if (this.phase === "waiting") this.open();
		else if (this.phase === "ready") {
			this.say("PING", { timestamp: this.timers.now() });
			this.#expect(PROBE_MS);
		}
	}

	/**
	 * Send a message.
	 * @returns {string|null} its id; null if there is no connection
	 */
	say(type, payload) {
		if (this.socket?.readyState !== 1) return null;
		const id = `page-${++nMessages}`;
		this.socket.send(JSON.stringify({ type, id, timestamp: this.timers.now(), payload }));
		return id;
	}

	#drop() {
		this.timers.clear(this.silence);
		this.timers.clear(this.retry);
		const socket = this.socket;
		this.socket = null;
		if (socket) {
			try {
				socket.close(1000);
			} catch { /* it never opened */ }
		}
	}

	// Without any message for so long, the connection is dead.
	#expect(ms) {
		this.timers.clear(this.silence);
		this.silence = this.timers.set(() => this.#lost({ reason: "no answer" }), ms);
	}

	// The token is not in the URL, which logs and proxies may keep.
	#greet() {
		this.greeting = this.say("DASHBOARD_INIT", { ...(this.token ? { token: this.token } : {}),
			subscriptions: { agents: [], commands: [], traces: true, terminals: true } });
	}

	#lost(event) {
		this.#drop();
		const wait = WAITS[Math.min(this.nFailed++, WAITS.length - 1)];
		const ms = wait * (0.9 + 0.2 * this.timers.random());
		this.retry = this.timers.set(() => this.open(), ms);
		this.#to("waiting", { why: event?.reason || "", retryAt: this.timers.now() + ms });
	}

	#refuse(why) {
		this.#drop();
		this.#to("refused", { why });
	}

	#hear(data) {
		let message;
		try {
			message = JSON.parse(data);
		} catch {
			message = null;
		}
		if (this.phase === "ready") this.#expect(SILENCE_MS);
		const p = message?.payload ?? {};
		switch (message?.type) {
		case "PING":
			this.say("PONG", { timestamp: p.timestamp });
			return;
		case "PONG":
			return;
		case "TOKEN_REFRESH":
			if (typeof p.accessToken === "string") this.onToken(this.token = p.accessToken);
			return;
		case "ERROR":
			if (p.code === "UNAUTHORIZED" || p.code === "AUTH_TIMEOUT") {
				this.#refuse(p.details?.reason || p.message || p.code);
				return;
			}
			break;
		case "ACK":
			if (p.messageId === this.greeting) this.#ready();
			break;
		}
		this.onMessage(message);
	}

	#ready() {
		this.greeting = null;
		this.nFailed = 0;
		this.#to("ready");
		this.#expect(SILENCE_MS);
	}
}
