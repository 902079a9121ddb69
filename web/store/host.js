// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The host that this page is of, and all that the page knows of it: the root of the store.
import { signal } from "@preact/signals-core";
import { forgetIdentity, importPhrase, makeIdentity, openIdentity } from "../identity/key.js";
import { Http } from "../oip/http.js";
import { systemClock } from "../oip/line.js";
import { openDisk } from "./disk.js";
import { openPrefs } from "./prefs.js";
import { openSession } from "./session.js";
import { openSessions } from "./sessions.js";

const RETRY_MS = 2000;
const FRAME_MS = 16;
const REFRESH_MS = 30_000;

const isLoopback = (name) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(name);

/**
 * Open the host. It loads or makes the identity and reads /info at once.
 * @param {object} o
 * @param {string} o.base its URL, without a slash at the end: location.origin
 * @param {Promise<object>} [o.disk] see disk.js; without it, IndexedDB
 * @param {Function} [o.WebSocket]
 * @param {Function} [o.fetch]
 * @param {object} [o.clock]
 * @param {function(function(): void): void} [o.soon] runs a function within a frame
 * @param {BroadcastChannel} [o.channel] to other tabs
 * @param {function(object): void} [o.onFrame] frames that are nothing of a session
 * @returns {Host}
 * @typedef {object} Host
 * @property {Signal} info what GET /info says, or null
 * @property {Signal} identity {address, isPlain, ...} or null
 * @property {Signal} phrase of an identity made at this visit, until it is set to null
 * @property {Signal} level of this caller, where it is known: ""
 * @property {Signal} isStored whether things are kept beyond this tab
 * @property {Signal} error why /info is not there, or null
 * @property {object} sessions see sessions.js
 * @property {object} prefs see prefs.js
 */
export function openHost({ base, disk: givenDisk, clock = systemClock, channel,
	WebSocket = globalThis.WebSocket, fetch, onFrame = () => {},
	soon = (act) => clock.setTimeout(act, FRAME_MS) }) {
	const info = signal(null);
	const identity = signal(null);
	const phrase = signal(null);
	const error = signal(null);
	const level = signal("");
	const isStored = signal(true);
	const opened = new Map();
	const whenDisk = givenDisk ?? openDisk({ onLost() { isStored.value = false; } });
	const http = new Http({ base, fetch, clock });
	let timer = null;
	let isClosed = false;

	async function learn() {
		for (;;) {
			try {
				info.value = await http.info();
				error.value = null;
				return;
			} catch (e) {
				error.value = e;
				if (isClosed) throw e;
				await new Promise((resolve) => clock.setTimeout(resolve, RETRY_MS));
			}
		}
	}

	async function beSomebody() {
		host.disk = await whenDisk;
		if (!host.disk.isKept) isStored.value = false;
		const own = await openIdentity({ storage: host.disk });
		http.identity = own.identity;
		identity.value = own.identity;
		phrase.value = own.phrase ?? null;
		return own.identity;
	}

	async function meet() {
		await Promise.all([learn(), host.whenOwn]);
		const { protocol, hostname } = new URL(base);
		const seal = prefs.seal.value || (protocol !== "https:" && !isLoopback(hostname));
		return { identity: identity.value, http, to: info.value.address, seal,
			aheadMs: http.aheadMs, url: `${base.replace(/^http/, "ws")}/ws` };
	}

	// Another identity has other sessions: the page begins anew.
	function become(next) {
		channel?.postMessage({ identity: next.address });
		identity.value = next;
		return next;
	}

	const prefs = openPrefs({ disk: whenDisk, channel });
	const host = {
		info, identity, phrase, level, isStored, error, prefs, clock, soon, WebSocket, onFrame,
		disk: null,
		sessions: null,
		/** The identity, once the disk was read. */
		whenOwn: null,
		/** {identity, http, to, seal, aheadMs, url}, once the host was reached as well. */
		whenReady: null,
		/** How far the server's clock is ahead, in ms. @returns {Promise<number>} */
		async measureClock() {
			await http.info();
			return http.aheadMs;
		},
		/** The signed requests; await whenReady first. */
		http,
		/**
		 * Open a session; the caller closes it.
		 * @param {string|null} id null: a new one
		 * @param {string} [newId] of a new one that was opened before and not begun
		 * @returns {Session}
		 */
		open(id, newId) {
			const session = openSession({ host, id, newId });
			opened.set(session.id, session);
			return session;
		},
		/**
		 * Ask over the line of an open session.
		 * @param {object} command see Talk.ask()
		 * @returns {Promise<object>}
		 */
		async ask(command) {
			const phaseOf = (each) => each.state.value.phase;
			const able = [...opened.values()].filter((each) => phaseOf(each) !== "refused");
			const session = able.find((each) => phaseOf(each) === "ready") ?? able[0];
			if (!session) throw new Error("No chat is open.");
			return session.ask(command);
		},
		/** An open session. @param {string} id */
		session: (id) => opened.get(id),
		/** Called by a session that is left. @param {string} id */
		closed(id) { opened.delete(id); },
		/** Tell other tabs that something changed. @param {string} what */
		tell(what) { channel?.postMessage({ changed: what }); },
		/**
		 * Become somebody else, with a new key. The page is to be loaded again.
		 * @returns {Promise<string>} the recovery phrase
		 */
		async makeIdentity() {
			const made = await makeIdentity({ storage: await whenDisk });
			become(made.identity);
			return made.phrase;
		},
		/**
		 * Become the identity of a phrase. The page is to be loaded again.
		 * @param {string} words
		 * @returns {Promise<object>} fails with a PhraseError
		 */
		async importIdentity(words) {
			return become(await importPhrase(words, { storage: await whenDisk }));
		},
		/** Forget who this browser is. */
		async forgetIdentity() {
			await forgetIdentity({ storage: await whenDisk });
		},
		/** The network or the page is back. */
		wake() {
			for (const session of opened.values()) session.wake();
			host.sessions.refresh();
		},
		/** The page may go: keep now what is to be kept. */
		sleep() {
			for (const session of opened.values()) session.save();
		},
		/** Leave it. */
		close() {
			isClosed = true;
			clock.clearTimeout(timer);
			for (const session of [...opened.values()]) session.close();
		},
	};

	function tick() {
		timer = clock.setTimeout(() => {
			host.sessions.refresh();
			tick();
		}, REFRESH_MS);
	}

	host.sessions = openSessions({ host });
	host.whenOwn = beSomebody();
	host.whenReady = meet();
	host.whenReady.then(() => {
		host.sessions.resume();
		host.sessions.refresh();
		tick();
	}, () => {});
	channel?.addEventListener("message", ({ data }) => {
		if (data?.changed === "sessions") host.sessions.changed();
	});
	return host;
}
