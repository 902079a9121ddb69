// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// One WebSocket, from its opening to its end, which it notices also where the network says
// nothing: a quiet line is asked for a sign of life.

/** How long a line may be quiet, in ms. Servers send a PING every 30 s by preset. */
const QUIET_MS = 45_000;

/** The code with which a line ends that gave no sign of life. */
export const CLOSE_SILENT = 4900;

/** The clock of this machine; tests have another. */
export const systemClock = {
	now: () => Date.now(),
	setTimeout: (fn, ms) => setTimeout(fn, ms),
	clearTimeout: (timer) => clearTimeout(timer),
};

export class Line {
	#socket;
	#on;
	#clock;
	#timer;
	#isOpen = false;

	/**
	 * Open it.
	 * @param {object} o
	 * @param {string} o.url ws:// or wss://
	 * @param {Function} o.WebSocket the class
	 * @param {object} o.clock see systemClock
	 * @param {function(): void} o.onOpen
	 * @param {function(string): void} o.onText a message came; not text: ""
	 * @param {function({code: number, reason: string, wasOpen: boolean}): void} o.onClose its end,
	 *	once, except after close()
	 * @param {function(): void} o.onQuiet asked to send a PING
	 */
	constructor({ url, WebSocket, clock, ...on }) {
		this.#on = on;
		this.#clock = clock;
		this.#socket = new WebSocket(url);
		this.#socket.onopen = () => {
			this.#isOpen = true;
			this.#hear();
			on.onOpen();
		};
		this.#socket.onmessage = ({ data }) => {
			this.#hear();
			on.onText(typeof data === "string" ? data : "");
		};
		this.#socket.onclose = ({ code, reason }) => this.#end(code, reason);
		this.#socket.onerror = () => {}; // the close follows
		this.#expect(30_000);
	}

	/** Bytes that wait to be sent. @returns {number} */
	get waiting() {
		return this.#socket.bufferedAmount;
	}

	/** Send a message; dropped if the line has ended. @param {string} text */
	send(text) {
		if (this.#isOpen) this.#socket.send(text);
	}

	/**
	 * Ask for a sign of life. Without one the line ends.
	 * @param {number} ms how long to wait for it
	 */
	probe(ms) {
		if (!this.#isOpen) return;
		this.#expect(ms);
		this.#on.onQuiet();
	}

	/** End it without a word to the owner. */
	close() {
		this.#detach();
		this.#socket.close();
	}

	#hear() {
		this.#clock.clearTimeout(this.#timer);
		this.#timer = this.#clock.setTimeout(() => this.probe(10_000), QUIET_MS);
	}

	#expect(ms) {
		this.#clock.clearTimeout(this.#timer);
		this.#timer = this.#clock.setTimeout(() => {
			// close() waits for the peer, which is silent: do not wait for its end.
			this.#socket.close();
			this.#end(CLOSE_SILENT, "");
		}, ms);
	}

	#detach() {
		this.#clock.clearTimeout(this.#timer);
		const socket = this.#socket;
		socket.onopen = socket.onmessage = socket.onclose = null;
		this.#isOpen = false;
	}

	#end(code, reason) {
		const wasOpen = this.#isOpen;
		this.#detach();
		this.#on.onClose({ code, reason, wasOpen });
	}
}
