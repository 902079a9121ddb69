// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// What the tests of the page's modules share.
import { webcrypto } from "node:crypto";
import * as plain from "../identity/plain.js";
import { MemoryTables } from "../store/disk.js";

// Node.js 18 has it, but not where browsers do.
globalThis.crypto ??= webcrypto;

/** Tables whose values are copies, as a browser's are. */
export class CopyingTables extends MemoryTables {
	async put(table, key, value) { await super.put(table, key, structuredClone(value)); }
	async putNew(table, key, value) {
		return structuredClone(await super.putNew(table, key, structuredClone(value)));
	}
}

/** A clock that stands until it is moved. */
export class StoppedClock {
	#now = 1_702_234_567_000;
	#timers = new Map();
	#n = 0;

	now() { return this.#now; }

	setTimeout(fn, ms) {
		this.#timers.set(++this.#n, { fn, at: this.#now + ms });
		return this.#n;
	}

	clearTimeout(id) { this.#timers.delete(id); }

	/** Let time pass; timers that come due run in their order. @param {number} ms */
	async pass(ms) {
		const end = this.#now + ms;
		for (;;) {
			const due = [...this.#timers].filter(([, timer]) => timer.at <= end)
				.sort(([, a], [, b]) => a.at - b.at)[0];
			if (!due) break;
			this.#timers.delete(due[0]);
			this.#now = Math.max(this.#now, due[1].at);
			due[1].fn();
			await settle();
		}
		this.#now = end;
		await settle();
	}
}

/** An identity that computes at once: with it, settle() waits for signatures too. */
export function promptIdentity(byte) {
	const seed = new Uint8Array(32).fill(byte);
	return { address: plain.addressOf(seed), isPlain: true, sign: plain.signer(seed),
		verify: async (...a) => plain.verify(...a), newExchange: plain.newExchange };
}

/** Let everything happen that waits for nothing but its turn. */
export async function settle() {
	for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Wait until something is true; fails after 20 s (times TEST_PATIENCE). */
export async function until(isSo, what) {
	const end = Date.now() + 20_000 * Number(process.env.TEST_PATIENCE || 1);
	while (Date.now() < end) {
		const answer = await isSo();
		if (answer) return answer;
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
	throw new Error(`it never came: ${what}`);
}
