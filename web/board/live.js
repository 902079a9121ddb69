// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// What the snapshots of doc/status.txt say over time: rates, and the last five minutes. Pure.

/** How many snapshots are remembered: five minutes of one a second. */
export const KEPT = 300;

// Counters that count somebody who was turned away.
const REFUSED = ["http_refused_total", "inputs_refused_total", "limited_requests_total",
	"limited_bytes_total", "limited_runs_total", "limited_sockets_total",
	"limited_polling_total", "limited_signatures_total", "limited_budget_total",
	"polling_refused_total", "onsembl_refused_total", "registry_full_total",
	"relay_clients_refused_total", "agent_turns_refused_total"];

const sum = (totals, names) => names.reduce((all, name) => all + (totals[name] ?? 0), 0);

// A counter of a process that died is smaller than before.
const rate = (now, before, seconds) => seconds > 0 ? Math.max(0, now - before) / seconds : 0;

/** The lines of the strip, in their order. */
export const LINES = ["turns", "events", "sessions", "sockets", "refused"];

/** The newest snapshot and what became of the ones before it. */
export class Live {
	constructor() {
		this.snapshot = null;
		this.lines = Object.fromEntries(LINES.map((name) => [name, []]));
	}

	#push(name, value) {
		const line = this.lines[name];
		line.push(value);
		if (line.length > KEPT) line.shift();
	}

	/**
	 * Take a snapshot.
	 * @returns {boolean} false: it is no snapshot, or one from before the newest
	 */
	take(snapshot) {
		const before = this.snapshot;
		if (typeof snapshot?.taken_ms !== "number" || !snapshot.totals ||
				(before && snapshot.taken_ms <= before.taken_ms)) return false;
		const { totals } = snapshot;
		const seconds = before ? (snapshot.taken_ms - before.taken_ms) / 1000 : 0;
		this.snapshot = snapshot;
		this.#push("turns", snapshot.sessions?.running ?? totals.runs ?? 0);
		this.#push("sessions", snapshot.sessions?.known ?? 0);
		this.#push("sockets", totals.websockets ?? 0);
		this.#push("events", before ? rate(totals.events_total ?? 0,
			before.totals.events_total ?? 0, seconds) : 0);
		this.#push("refused", before ? rate(sum(totals, REFUSED), sum(before.totals, REFUSED),
			seconds) : 0);
		return true;
	}

	/** The value of now, of one of LINES. */
	now(name) {
		return this.lines[name].at(-1) ?? 0;
	}

	/** How many were refused since the server began. */
	get refusedTotal() {
		return this.snapshot ? sum(this.snapshot.totals, REFUSED) : 0;
	}
}
