// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Two ways to read and change sessions: by HTTP, and over the sealed socket of an open session
// where nothing may go in clear.
import { Talk } from "../oip/talk.js";

const PAGE_ROWS = 1000;

async function allOf(page) {
	const rows = [];
	for (let after = 0; after !== null;) {
		const answer = await page({ after, limit: PAGE_ROWS });
		rows.push(...answer.rows);
		after = answer.rows.length ? answer.after : null;
	}
	return rows;
}

const byHttp = (http) => ({
	list: ({ query, before, limit }) => http.sessions({ query, before, limit }),
	rename: (id, title) => http.rename(id, title),
	async remove(id) {
		await http.remove(id).catch((e) => {
			if (e.status !== 404) throw e;
		});
	},
	rows: (id) => allOf((query) => http.rows(id, query)),
});

// Whether an ERROR says that there is no such session: then it need not be deleted.
const isGone = (e) => /not found/i.test(e.message);

const bySeal = (host) => ({
	list: ({ query, before, limit }) => host.ask({ type: "SESSIONS", q: query, before, limit }),
	rename: (id, title) => host.ask({ type: "RENAME", session_id: id, title }),
	async remove(id) {
		await host.ask({ type: "DELETE", session_id: id }).catch((e) => {
			if (!isGone(e)) throw e;
		});
	},
	// Rows are read on a socket that has their session.
	async rows(id) {
		const { identity, to, url, aheadMs } = await host.whenReady;
		const ignore = () => {};
		const talk = new Talk({ url, identity, to, session: id, seal: true, aheadMs,
			WebSocket: host.WebSocket, clock: host.clock, measureClock: host.measureClock,
			onRow: ignore, onState: ignore });
		talk.start();
		try {
			return await allOf((query) => talk.page(query));
		} finally {
			talk.close();
		}
	},
});

/**
 * The way of a host.
 * @param {object} host see host.js
 * @returns {Promise<{list: Function, rename: Function, remove: Function, rows: Function}>} they
 *	fail with an Error whose message is for people
 */
export async function wayOf(host) {
	const { http, seal } = await host.whenReady;
	return seal ? bySeal(host) : byHttp(http);
}
