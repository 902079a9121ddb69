// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The list of sessions as signals: by pages, searched by the server, the newest first.
import { computed, signal } from "@preact/signals-core";
import { wayOf } from "./ways.js";

/** How long a deleted session can be brought back, in ms. */
export const UNDO_MS = 8000;
const PAGE = 50;
const SOON_MS = 400;

const entryOf = (row) => ({ id: row.session_id, title: row.title ?? "", status: row.status,
	waitsFor: row.waits_for ?? null, last: row.last ?? "", updated: row.updated,
	created: row.created, turns: row.turns ?? 0, owner: row.owner ?? null });

const entriesOf = (rows) => rows
	.filter((row) => typeof row?.session_id === "string").map(entryOf);

/**
 * @param {{host: object}} o see host.js
 * @returns {Sessions}
 * @typedef {object} Sessions
 * @property {Signal} list {id, title, status, waitsFor, last, updated, created, turns, owner};
 *	status is idle, running, waiting or failed, the times are in seconds
 * @property {Signal} query what is searched for
 * @property {Signal} error of the last request, or null
 * @property {Signal} isLoading
 * @property {Signal} hasMore whether more() brings more
 */
export function openSessions({ host }) {
	const all = signal([]);
	const hidden = signal(new Set()); // deleted, or about to be
	const query = signal("");
	const error = signal(null);
	const isLoading = signal(false);
	const before = signal(null);
	let [asked, timer] = [0, null];

	// The answer of an older question is dropped.
	async function load(from, use) {
		const n = ++asked;
		isLoading.value = true;
		try {
			const way = await wayOf(host);
			const page = await way.list({ query: query.value, before: from, limit: PAGE });
			if (n !== asked) return;
			use(entriesOf(page.sessions), page.before ?? null);
			error.value = null;
		} catch (e) {
			if (n === asked) error.value = e;
		} finally {
			if (n === asked) isLoading.value = false;
		}
	}

	// The first page anew; what more() brought stays behind it.
	const refresh = () => load(undefined, (page, next) => {
		const fresh = new Set(page.map((entry) => entry.id));
		const oldest = page.at(-1)?.updated ?? 0;
		const rest = next === null ? [] : all.value.filter((entry) =>
			!fresh.has(entry.id) && entry.updated <= oldest);
		if (!rest.length) before.value = next;
		all.value = [...page, ...rest];
	});

	function changed() {
		timer ??= host.clock.setTimeout(() => {
			timer = null;
			refresh();
		}, SOON_MS);
	}

	function hide(id, isHidden) {
		const ids = new Set(hidden.value);
		if (isHidden) ids.add(id);
		else ids.delete(id);
		hidden.value = ids;
	}

	async function removeNow(id, onError = () => {}) {
		try {
			const [way, { address }, disk] = [await wayOf(host), await host.whenOwn, host.disk];
			await way.remove(id);
			const key = `${address}/${id}`;
			for (const table of ["rows", "drafts", "unsent"]) await disk.remove(table, key);
			await disk.remove("deletes", id);
			all.value = all.value.filter((entry) => entry.id !== id);
			host.tell("sessions");
		} catch (e) {
			await host.disk.remove("deletes", id);
			hide(id, false);
			onError(e);
		}
	}

	return {
		list: computed(() => all.value.filter((entry) => !hidden.value.has(entry.id))),
		query, error, isLoading,
		hasMore: computed(() => before.value !== null),
		refresh,
		/** Something happened in a session: the list is read again soon. */
		changed,
		/** Read the next page. @returns {Promise<void>} */
		more() {
			if (before.value === null || isLoading.value) return Promise.resolve();
			return load(before.value, (page, next) => {
				const known = new Set(all.value.map((entry) => entry.id));
				before.value = next;
				all.value = [...all.value, ...page.filter((entry) => !known.has(entry.id))];
			});
		},
		/** Search. @param {string} text "" for all @returns {Promise<void>} */
		search(text) {
			query.value = text;
			all.value = [];
			before.value = null;
			return refresh();
		},
		/**
		 * Give a session a title; "" for the one that the server makes.
		 * @param {string} id
		 * @param {string} title
		 * @returns {Promise<void>} fails with an Error for people
		 */
		async rename(id, title) {
			const { title: now = title } = await (await wayOf(host)).rename(id, title);
			all.value = all.value.map((entry) => (entry.id === id ? { ...entry, title: now } : entry));
			host.session(id)?.rename(now);
			host.tell("sessions");
		},
		/**
		 * Delete a session in UNDO_MS; it leaves the list now. Should the page go meanwhile, it is
		 * deleted at the next visit.
		 * @param {string} id
		 * @param {{onError?: function(Error): void}} [o]
		 * @returns {function(): void} brings it back
		 */
		remove(id, { onError } = {}) {
			hide(id, true);
			host.disk.put("deletes", id, Date.now());
			const later = host.clock.setTimeout(() => removeNow(id, onError), UNDO_MS);
			return () => {
				host.clock.clearTimeout(later);
				host.disk.remove("deletes", id);
				hide(id, false);
			};
		},
		/** Delete what was about to be deleted at the last visit. @returns {Promise<void>} */
		async resume() {
			for (const [id] of await host.disk.entries("deletes")) {
				hide(id, true);
				await removeNow(id);
			}
		},
		/**
		 * All of a session as a text.
		 * @param {string} id
		 * @param {"json"|"markdown"} form
		 * @returns {Promise<string>} fails with an Error for people
		 */
		async export(id, form) {
			const { sessionAsJson, sessionAsMarkdown } = await import("./export.js");
			const entry = all.value.find((each) => each.id === id);
			const rows = await (await wayOf(host)).rows(id);
			const title = entry?.title || host.session(id)?.title.value || "";
			return form === "json" ? sessionAsJson({ id, title, rows })
				: sessionAsMarkdown({ id, title, rows });
		},
	};
}
